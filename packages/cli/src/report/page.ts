// The page of a report: curves, figures, and the pictures of every test image.

import { basename } from "node:path";
import {
  type ByRegion,
  type Intervals,
  METRIC_NAMES,
  METRIC_TITLES,
  type Metrics,
  REGIONS,
} from "@saunet/model";
import type { Comparison, ImageFigures } from "../evaluation.ts";
import {
  FIELD_NAMES,
  FIELD_TITLES,
  type FieldSummary,
  fieldDigits,
  fieldInterval,
} from "../field-figures.ts";
import { type Evaluation, fourDigits, imagesOf, intervalText, REGION_TITLES, titleOf } from "../figures.ts";
import { counted, duration } from "../output.ts";
import { binned, drawChart } from "./chart.ts";
import { html, type Markup, trusted } from "./html.ts";
import { ERROR_COLOURS, type ReportPictures } from "./pictures.ts";
import { STYLE } from "./style.ts";
import type { TrainingLog } from "./training-log.ts";

/** A data set that the run was tested on. */
export interface TestedSet {
  readonly evaluation: Evaluation;
  /** Pictures by image; not of every image where there are very many. */
  readonly pictures: ReadonlyMap<string, ReportPictures>;
}

/** Everything that a report shows. */
export interface ReportContent {
  /** The folder of the run. */
  readonly run: string;
  readonly config: unknown;
  readonly log: TrainingLog;
  readonly sets: readonly TestedSet[];
}

/** The report as one HTML document that needs nothing else. */
export function reportPage({ run, config, log, sets }: ReportContent): string {
  const title = `Training run ${basename(run)}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="quiet">saunet: vessels of the retina. Research and education; not a medical device.</p>
${tiles(log, sets)}
<h2>Learning</h2>
${curves(log)}
${sets.length === 0 ? html`<h2>Test images</h2><p>None: the run names no data set. <code>saunet report ${run} --dataset KIND --data FOLDER</code> adds them.</p>` : undefined}
${sets.map(testedSet)}
<details><summary>Settings of the run</summary><pre>${JSON.stringify(config, undefined, 2)}</pre></details>
</main>
</body>
</html>
`.markup;
}

function tiles({ steps, epochs }: TrainingLog, sets: readonly TestedSet[]): Markup {
  const tile = (figure: string, label: string) =>
    html`<div class="tile"><b>${figure}</b><span>${label}</span></div>`;
  const tested = sets.flatMap(({ evaluation: { dataset, comparisons } }) => {
    const [{ macro, intervals }] = comparisons;
    const range = intervals.full === null ? "" : ` (${intervalText(intervals.full.macro.f1)})`;
    const people = comparisons.filter(({ threshold }) => threshold === null);
    return [
      tile(fourDigits(macro.full.f1), `F1 on ${dataset}${range}`),
      ...people.map(({ macro: { full } }) =>
        tile(fourDigits(full.f1), `F1 of the second observer on ${dataset}`),
      ),
      tile(fourDigits(macro.full.auc), `AUC on ${dataset}`),
    ];
  });
  const best = bestEpoch(epochs);
  const last = epochs.at(-1);
  return html`<div class="tiles">${tested}${best && tile(fourDigits(best.f1), `best F1 while training, after epoch ${best.epoch}`)}${tile(String(steps.at(-1)?.step ?? 0), "training steps")}${last && Number.isFinite(last.seconds) ? tile(duration(last.seconds), "of training") : undefined}</div>`;
}

function bestEpoch(epochs: TrainingLog["epochs"]): { epoch: number; step: number; f1: number } | undefined {
  let best: { epoch: number; step: number; f1: number } | undefined;
  for (const { epoch, step, f1 } of epochs) {
    if (f1 !== undefined && f1 > (best?.f1 ?? Number.NEGATIVE_INFINITY)) best = { epoch, step, f1 };
  }
  return best;
}

function curves({ steps, epochs }: TrainingLog): Markup {
  const { mean, band } = binned(steps.map(({ step, loss }) => [step, loss] as const));
  const best = bestEpoch(epochs);
  const charts = [
    drawChart({
      title: "Loss: mean over neighbouring steps, and their range",
      x: "step",
      lines: [{ name: "mean", points: mean }],
      band,
    }),
    drawChart({
      title: "F1 on the images kept back from training",
      x: "step",
      lines: [
        { name: "F1", points: epochs.map(({ step, f1 = Number.NaN }) => [step, f1] as const), dots: true },
      ],
      ...(best && { rule: { y: best.f1, label: `best: ${fourDigits(best.f1)}` } }),
    }),
    drawChart({
      title: "Learning rate",
      x: "step",
      lines: [
        {
          name: "rate",
          points: binned(steps.map(({ step, learningRate }) => [step, learningRate] as const)).mean,
        },
      ],
      log: true,
    }),
  ].filter((chart) => chart !== undefined);
  return charts.length === 0
    ? html`<p>The log holds nothing to draw.</p>`
    : html`<div class="charts">${charts}</div>`;
}

function testedSet({ evaluation, pictures }: TestedSet): Markup {
  const { dataset, data, split, weights, fitted, comparisons, failed, tta } = evaluation;
  const [{ threshold, images: figures }] = comparisons;
  const isTrainedOn = split !== "test";
  return html`<h2>${imagesOf(evaluation)} of ${basename(data)} (${dataset}, ${split})</h2>
<p>Weights ${basename(weights)}${tta ? ", mean over the photograph and its mirror images" : ""}. Small figures are 95 % intervals: bootstrap over the images.${isTrainedOn ? " These are not test images: the network may have learned from them." : ""}${fitted && ` The threshold ${fitted.threshold} was fitted on ${counted(fitted.images, "training image")}.`}</p>
${failed.map(({ id, error }) => html`<p>${id} failed: ${error}</p>`)}
${comparisons.map(comparisonTable)}
<h3>Image by image, at threshold ${threshold ?? ""}, full frame</h3>
${imageTable(figures)}
<h3>Pictures</h3>
${errorLegend()}
${pictures.size < figures.length ? html`<p>${pictures.size} of ${figures.length} images, spread evenly from the lowest F1 to the highest.</p>` : undefined}
${figures.map((image) => strip(image, pictures.get(image.id)))}`;
}

function comparisonTable(comparison: Comparison): Markup {
  const { macro, micro, intervals } = comparison;
  const row = (
    region: keyof ByRegion<unknown>,
    mean: string,
    metrics: Metrics,
    ends: Intervals | undefined,
  ) =>
    html`<tr><td class="label">${REGION_TITLES[region]}</td><td class="label">${mean}</td>${METRIC_NAMES.map((name) => html`<td>${fourDigits(metrics[name])}${ends && html`<span class="interval">${intervalText(ends[name])}</span>`}</td>`)}</tr>`;
  const rows = REGIONS.flatMap((region) => [
    row(region, "macro", macro[region], intervals[region]?.macro),
    row(region, "micro", micro[region], intervals[region]?.micro),
  ]);
  return html`<h3>${titleOf(comparison)}</h3>
<div class="scroll"><table><thead><tr><th class="label">pixels</th><th class="label">mean</th>${heads()}</tr></thead><tbody>${rows}</tbody></table></div>
${fieldTable(comparison.field)}
${reliabilityChart(comparison)}`;
}

/** Vessels as trees, and calibration. */
function fieldTable({ mean, intervals, pooled }: FieldSummary): Markup {
  const cells = FIELD_NAMES.map((name) => {
    const ends = intervals[name];
    return html`<td>${fieldDigits(name, mean[name])}${ends && html`<span class="interval">${fieldInterval(name, ends)}</span>`}</td>`;
  });
  const heads = FIELD_NAMES.map((name) => html`<th>${FIELD_TITLES[name]}</th>`);
  const note =
    pooled === null
      ? undefined
      : html`<p>Calibration error of all pixels pooled: ${fourDigits(pooled.error)}.</p>`;
  return html`<div class="scroll"><table><thead><tr><th class="label">field of view</th>${heads}</tr></thead><tbody><tr><td class="label">macro</td>${cells}</tr></tbody></table></div>${note}`;
}

/** Of a network whose probabilities keep their word the points lie on the diagonal. */
function reliabilityChart({ field: { pooled }, truth }: Comparison): Markup | undefined {
  if (pooled === null) return undefined;
  // A bin without pixels has no means, which a chart leaves out.
  const points = pooled.bins.map(
    ({ pixels, vessels, probabilities }) => [probabilities / pixels, vessels / pixels] as const,
  );
  const ideal = [0, 1].map((value) => [value, value] as const);
  const chart = drawChart({
    title: `Reliability: share of pixels that are vessel to ${truth}, by probability, in the field of view`,
    x: "mean probability of the bin",
    lines: [
      { name: "network", points, dots: true },
      { name: "as it should be", points: ideal },
    ],
  });
  return html`<div class="charts">${chart}</div>`;
}

const heads = (): Markup[] => METRIC_NAMES.map((name) => html`<th>${METRIC_TITLES[name]}</th>`);

function imageTable(images: readonly ImageFigures[]): Markup {
  const rows = images.map(
    ({ id, full }) =>
      html`<tr><td class="label">${id}</td>${METRIC_NAMES.map((name) => html`<td>${fourDigits(full[name])}</td>`)}</tr>`,
  );
  return html`<div class="scroll"><table><thead><tr><th class="label">image</th>${heads()}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function errorLegend(): Markup {
  const swatch = (kind: keyof typeof ERROR_COLOURS, label: string) =>
    html` <span class="entry"><span class="swatch" style="background:rgb(${ERROR_COLOURS[kind].join(",")})"></span>${label}</span>`;
  return html`<p class="wide">In the last picture of each row:${swatch("hit", "hit")}${swatch("miss", "miss: a vessel that was not found")}${swatch("falseAlarm", "false alarm: no vessel to the observer")}. A click enlarges a picture.</p>`;
}

function strip({ id, full }: ImageFigures, pictures: ReportPictures | undefined): Markup | undefined {
  if (pictures === undefined) return undefined;
  const { width, height } = pictures;
  const picture = (address: string, caption: string) =>
    html`<figure><label><input type="checkbox" aria-label="enlarge ${caption} of ${id}"><img src="${address}" width="${width}" height="${height}" alt="${id}: ${caption}"></label><figcaption>${caption}</figcaption></figure>`;
  return html`<section class="image"><h3>${id}: F1 ${fourDigits(full.f1)}</h3><div class="strip">${[
    picture(pictures.photograph, "photograph"),
    picture(pictures.truth, "truth"),
    picture(pictures.prediction, "probability"),
    picture(pictures.errors, "hits, misses, false alarms"),
  ]}</div></section>`;
}
