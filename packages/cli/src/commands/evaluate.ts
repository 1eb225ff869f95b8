// saunet evaluate: how well a network's vessels agree with those drawn by hand.

import { type DatasetKind, readDataset, type Sample, type Split } from "@saunet/data/files";
import {
  evaluate as evaluatePrediction,
  METRIC_NAMES,
  type Metrics,
  macroAverage,
  microAverage,
  type Prediction,
  type Segmenter,
} from "@saunet/model";
import { DONE, explain, FAILED, WorkError } from "../errors.ts";
import { BUNDLED, openSegmenter, withFile, writeFile } from "../files.ts";
import { duration, type Host, progress, secondsSince, table, writeJson } from "../output.ts";

/** Options of `saunet evaluate`. */
export interface EvaluateOptions {
  readonly dataset: DatasetKind;
  readonly data: string;
  readonly split?: Split;
  readonly csv?: string;
  readonly weights?: string;
  readonly threshold: number;
  readonly padTo?: number;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** Where pixels count: everywhere, or where the photograph shows the eye. */
const REGIONS = ["full", "fov"] as const;
type ByRegion<T> = Readonly<Record<(typeof REGIONS)[number], T>>;

const TITLES: ByRegion<string> = { full: "full frame", fov: "field of view" };

type ImageFigures = ByRegion<Metrics> & { readonly id: string };

/** Evaluates a network on a data set. */
export async function evaluate(options: EvaluateOptions, host: Host): Promise<number> {
  const { dataset, data, threshold, weights = BUNDLED, json } = options;
  // A plain folder has no parts; elsewhere the training images would flatter the network.
  const split = options.split ?? (dataset === "folder" ? "all" : "test");
  const samples = await withFile(host, data, (directory) => readDataset({ kind: dataset, directory, split }));
  const segmenter = await openSegmenter(host, options.weights);

  const images: ImageFigures[] = [];
  const predictions: ByRegion<Prediction>[] = [];
  const failed: { id: string; error: string }[] = [];
  const bar = progress(host, samples.length);
  try {
    for (const sample of samples) {
      bar.show(sample.id);
      try {
        const start = performance.now();
        const prediction = await withFile(host, data, () => predict(sample, segmenter, options));
        const figures = byRegion((region) => evaluatePrediction(prediction[region], threshold));
        predictions.push(prediction);
        images.push({ id: sample.id, ...figures });
        if (!json) {
          const { full, fov } = figures;
          bar.print(
            `${sample.id}: F1 ${four(full.f1)} (field of view ${four(fov.f1)}) in ${duration(secondsSince(start))}`,
          );
        }
      } catch (error) {
        failed.push({ id: sample.id, error: explain(error) });
        bar.warn(`saunet: ${sample.id}: ${explain(error)}`);
      }
      bar.advance(sample.id);
    }
  } finally {
    bar.stop();
  }
  if (images.length === 0)
    throw new WorkError(`${data}: none of ${samples.length} images could be evaluated`);

  const macro = byRegion((region) => macroAverage(images.map((image) => image[region])));
  const micro = byRegion((region) =>
    microAverage(
      predictions.map((prediction) => prediction[region]),
      threshold,
    ),
  );
  const settings = { dataset, split, threshold, weights };
  if (json) writeJson(host, { images, macro, micro, ...settings, ...(failed.length > 0 && { failed }) });
  else {
    const rows = REGIONS.flatMap((region) => [
      [TITLES[region], "macro", ...METRIC_NAMES.map((name) => four(macro[region][name]))],
      [TITLES[region], "micro", ...METRIC_NAMES.map((name) => four(micro[region][name]))],
    ]);
    const count = failed.length === 0 ? `${images.length}` : `${images.length} of ${samples.length}`;
    host.stdout.write(
      `\n${count} images of ${data} (${dataset}, ${split}), threshold ${threshold}, weights ${weights}\n\n` +
        `${table([["pixels", "mean", ...METRIC_NAMES], ...rows])}\n`,
    );
  }
  if (options.csv !== undefined) await writeFile(host, options.csv, csvOf(images));
  return failed.length === 0 ? DONE : FAILED;
}

function byRegion<T>(figure: (region: keyof ByRegion<T>) => T): ByRegion<T> {
  return { full: figure("full"), fov: figure("fov") };
}

async function predict(
  sample: Sample,
  segmenter: Segmenter,
  { padTo, maxPixels }: EvaluateOptions,
): Promise<ByRegion<Prediction>> {
  const truth = (await sample.vessels()).data;
  const fieldOfView = (await sample.fieldOfView()).data;
  const { probability } = await segmenter.segment(await sample.image(), {
    maxPixels,
    ...(padTo && { padTo }),
  });
  return { full: { probability, truth }, fov: { probability, truth, fieldOfView } };
}

const four = (figure: number): string => (Number.isNaN(figure) ? "-" : figure.toFixed(4));

function csvOf(images: readonly ImageFigures[]): string {
  const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const columns = REGIONS.flatMap((region) => METRIC_NAMES.map((name) => ({ region, name })));
  const heading = ["id", ...columns.map(({ region, name }) => `${region}_${name}`)];
  const rows = images.map((image) => [
    quoted(image.id),
    // A figure that is not defined, such as the AUC of a truth without vessels, is left empty.
    ...columns.map(({ region, name }) => (Number.isNaN(image[region][name]) ? "" : image[region][name])),
  ]);
  return [heading, ...rows].map((row) => `${row.join(",")}\n`).join("");
}
