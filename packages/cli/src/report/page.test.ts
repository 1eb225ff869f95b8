// What a report says, read as a person reads it.

import { METRIC_NAMES } from "@saunet/model";
import { expect, it } from "vitest";
import { evaluation, network, people } from "../testing-evaluation.ts";
import { reportPage } from "./page.ts";
import type { ReportPictures } from "./pictures.ts";

const steps = [1, 2, 3, 4].map((step) => ({ step, loss: 1 / step, learningRate: 1e-3 / step }));
const epochs = [
  { epoch: 1, step: 2, loss: 0.7, f1: 0.6, seconds: 30 },
  { epoch: 2, step: 4, loss: 0.5, f1: 0.5, seconds: 61.2 },
];
const pictures: ReportPictures = {
  ...{ width: 40, height: 30 },
  ...{ photograph: "data:1", truth: "data:2", prediction: "data:3", errors: "data:4" },
};
const both = new Map(["a", "b"].map((id) => [id, pictures]));
const content = {
  run: "runs/<first>",
  config: { recipe: "best", epochs: 2 },
  log: { steps, epochs },
  sets: [{ evaluation, pictures: both }],
};
const textOf = (markup: string) =>
  markup
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
const page = (more: Partial<typeof content> = {}) => reportPage({ ...content, ...more });
const of = (changes: Partial<typeof evaluation>) =>
  page({ sets: [{ evaluation: { ...evaluation, ...changes }, pictures: both }] });
const headings = (markup: string) => [...markup.matchAll(/<h[123]>(.*?)<\/h[123]>/g)].map(([, text]) => text);
const tiles = (markup: string) =>
  [...markup.matchAll(/<div class="tile"><b>(.*?)<\/b><span>(.*?)<\/span>/g)].map(([, ...tile]) => tile);
const captions = (markup: string) =>
  [...markup.matchAll(/<figure class="chart">\s*<figcaption>([^<]*)/g)].map(([, text]) => text.trim());

it("a report has curves, then each data set: tables, figures by image, pictures", () => {
  expect(headings(page())).toEqual([
    "Training run &#60;first&#62;",
    "Learning",
    "2 images of CHASE_DB1 (chase, test)",
    "network against 1st, threshold 0.4",
    "2nd against 1st: how far people agree",
    "Image by image, at threshold 0.4, full frame",
    "Pictures",
    "a: F1 0.1100",
    "b: F1 0.2100",
  ]);
  expect(page()).toMatch(/^<!doctype html>[\s\S]*<title>Training run &#60;first&#62;<\/title>/);
  expect(captions(page())).toEqual([
    "Loss: mean over neighbouring steps, and their range",
    "F1 on the images kept back from training",
    "Learning rate",
    "Reliability: share of pixels that are vessel to 1st, by probability, in the field of view",
  ]);
  expect(page()).toContain("<pre>{\n  &#34;recipe&#34;: &#34;best&#34;,\n  &#34;epochs&#34;: 2\n}</pre>");
  expect(page()).not.toMatch(/undefined|NaN|\[object/);
});

it("its tiles are the figures that one looks for first", () => {
  expect(tiles(page())).toEqual([
    ["0.3100", "F1 on chase (0.350–0.450)"],
    ["0.7100", "F1 of the second observer on chase"],
    ["0.3700", "AUC on chase"],
    ["0.6000", "best F1 while training, after epoch 1"],
    ["4", "training steps"],
    ["61.2 s", "of training"],
  ]);
  const alone = { ...network, intervals: people.intervals };
  expect(tiles(of({ comparisons: [alone] }))[0]).toEqual(["0.3100", "F1 on chase"]);
  // Nothing was validated, or nothing logged at all.
  const unvalidated = epochs.map((epoch) => ({ ...epoch, f1: undefined }));
  expect(tiles(page({ sets: [], log: { steps, epochs: unvalidated } as never }))).toEqual([
    ["4", "training steps"],
    ["61.2 s", "of training"],
  ]);
  expect(tiles(page({ sets: [], log: { steps: [], epochs: [] } }))).toEqual([["0", "training steps"]]);
});

it("the curves have what was logged, and the best epoch's F1 as a rule", () => {
  expect(page()).toContain(">best: 0.6000</text>");
  const charts = [...page().matchAll(/<figure class="chart">[\s\S]*?<\/figure>/g)].map(([chart]) => chart);
  // A dot for each validation; rates of 1, 1/2 and 1/4 at equal distances, since their axis is logarithmic.
  expect(charts.map((chart) => chart.match(/<circle/g)?.length ?? 0)).toEqual([0, 2, 0, 2]);
  expect(charts[2]).toMatch(/class="line line-0" d="M52,10L162,107L272,[\d.]+L382,204"/);
  const unvalidated = { steps, epochs: [] };
  expect(captions(page({ log: unvalidated, sets: [] }))).toEqual([
    "Loss: mean over neighbouring steps, and their range",
    "Learning rate",
  ]);
  expect(textOf(page({ log: { steps: [], epochs: [] }, sets: [] }))).toContain(
    "Learning The log holds nothing to draw.",
  );
});

it("a run that names no data set says how to test it", () => {
  expect(textOf(page({ sets: [] }))).toContain(
    "None: the run names no data set. saunet report runs/&#60;first&#62; --dataset KIND --data FOLDER adds them.",
  );
  expect(page()).not.toContain("names no data set");
});

it("a data set says with which weights, whether they may have learned from it, and what failed", () => {
  const plain = "Weights best.safetensors. Small figures are 95 % intervals: bootstrap over the images.";
  expect(textOf(page())).toContain(`${plain} network against`);
  expect(textOf(of({ split: "all" }))).toContain(
    `${plain} These are not test images: the network may have learned from them. network against`,
  );
  const more = textOf(
    of({
      ...{ tta: true, fitted: { threshold: 0.3, f1: 0.8, images: 20 } },
      failed: [{ id: "c", error: "is damaged" }],
      images: 3,
    }),
  );
  expect(more).toContain("2 of 3 images of CHASE_DB1");
  expect(more).toContain(
    "Weights best.safetensors, mean over the photograph and its mirror images. Small figures are 95 % intervals: bootstrap over the images. The threshold 0.3 was fitted on 20 training images. c failed: is damaged",
  );
});

it("a comparison's table has every figure under its name, with its interval where there is one", () => {
  const [table, field, ofPeople, fieldOfPeople, byImage] = [...page().matchAll(/<table>(.*?)<\/table>/g)].map(
    ([, table]) =>
      [...table.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
        [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => textOf(cell)),
      ),
  );
  const titles = ["F1", "Jaccard", "Sensitivity", "Specificity", "Accuracy", "MCC", "AUC"];
  const figures = (first: number, ends?: number) =>
    METRIC_NAMES.map((_, i) => {
      const at = i / 100;
      const interval = ends === undefined ? "" : ` ${(ends + at).toFixed(3)}–${(ends + at + 0.1).toFixed(3)}`;
      return `${(first + at).toFixed(4)}${interval}`;
    });
  expect(table).toEqual([
    ["pixels", "mean", ...titles],
    ["full frame", "macro", ...figures(0.31, 0.35)],
    ["full frame", "micro", ...figures(0.33, 0.36)],
    ["field of view", "macro", ...figures(0.32, 0.37)],
    ["field of view", "micro", ...figures(0.34, 0.38)],
  ]);
  expect(field).toEqual([
    [
      "field of view",
      ...["clDice", "pieces per vessel tree", "missed pieces", "spurious pieces", "calibration error"],
    ],
    ["macro", "0.7000 0.650–0.750", "1.20 1.1–1.3", "3.40", "5.60", "0.0100"],
  ]);
  expect(ofPeople[1]).toEqual(["full frame", "macro", ...figures(0.71)]);
  expect(fieldOfPeople[1]).toEqual(["macro", "0.8000", "1.00", "2.00", "3.00", "–"]);
  expect(byImage).toEqual([
    ["image", ...titles],
    ["a", ...figures(0.11)],
    ["b", ...figures(0.21)],
  ]);
  expect(page().match(/Calibration error of all pixels pooled: 0\.0123\./g)).toHaveLength(1);
});

it("the reliability diagram has a point for each bin that has pixels, beside the diagonal", () => {
  const [chart] = /<figure class="chart">\s*<figcaption>Reliability[\s\S]*?<\/figure>/.exec(page()) ?? [""];
  const dots = [...chart.matchAll(/<circle class="dot-0" cx="([\d.]+)" cy="([\d.]+)"/g)];
  // Mean probabilities 0.5 and 0.9, shares of vessel 0.25 and 1, on axes from 0 to 1.
  expect(dots.map(([, cx, cy]) => [Number(cx), Number(cy)])).toEqual([
    [217, 155.5],
    [349, 10],
  ]);
  expect(chart).toContain('class="line line-1" d="M52,204L382,10"');
  expect(chart).not.toContain("dot-1");
  expect(textOf(chart)).toMatch(/network as it should be .*mean probability of the bin/);
  expect(page()).toContain(`<div class="charts">${chart}</div>`);
});

it("each image has four pictures with their captions, where there is room for them", () => {
  const strips = [...page().matchAll(/<section class="image">(.*?)<\/section>/g)].map(([, strip]) => strip);
  expect(strips).toHaveLength(2);
  const shown = [
    ...strips[1].matchAll(/aria-label="(.*?)"><img src="(.*?)" width="40" height="30" alt="(.*?)"/g),
  ];
  expect(shown.map(([, ...told]) => told)).toEqual(
    ["photograph", "truth", "probability", "hits, misses, false alarms"].map((caption, i) => [
      `enlarge ${caption} of b`,
      `data:${i + 1}`,
      `b: ${caption}`,
    ]),
  );
  expect(strips[1].match(/<figcaption>(.*?)<\/figcaption>/g)).toHaveLength(4);
  expect(page()).not.toContain("spread evenly");
  const some = page({ sets: [{ evaluation, pictures: new Map([["b", pictures]]) }] });
  expect(textOf(some)).toContain("1 of 2 images, spread evenly from the lowest F1 to the highest.");
  expect(some.match(/<section class="image">/g)).toHaveLength(1);
});

it("the colours of hits, misses and false alarms are explained", () => {
  const colours = [...page().matchAll(/background:rgb\((.*?)\)"><\/span>(.*?)<\/span>/g)];
  expect(colours.map(([, ...told]) => told)).toEqual([
    ["232,232,232", "hit"],
    ["64,156,255", "miss: a vessel that was not found"],
    ["255,150,40", "false alarm: no vessel to the observer"],
  ]);
  expect(textOf(page())).toContain("In the last picture of each row: hit miss");
});
