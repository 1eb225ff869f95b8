// How well a network's vessels agree with those drawn by hand, and how well those agree with each other.
//
// Pictures are looked at one at a time: what stays of each are its figures, its counts, and its ranked pixels on disk.

import type { Mask, Photograph } from "@saunet/data";
import type { Sample } from "@saunet/data/files";
import {
  type ByRegion,
  bootstrapIntervals,
  type Confusion,
  confusion,
  f1ByThreshold,
  fitThreshold,
  type ImageSummary,
  type Intervals,
  levelsOf,
  type Metrics,
  macroAverage,
  maskOf,
  metricsFromConfusion,
  type Prediction,
  pooledRocAuc,
  type RankedPixels,
  REGIONS,
  rankedRocAuc,
  rankPixels,
  reliabilityBins,
  type Segmentation,
  sumConfusions,
} from "@saunet/model";
import { type FieldFigures, type FieldSummary, fieldFigures, summariseField } from "./field-figures.ts";
import { secondsSince } from "./output.ts";
import { openRankedStore, type RankedStore } from "./ranked-store.ts";

/** The figures of one image. */
export type ImageFigures = ByRegion<Metrics> & { readonly id: string };

/** One prediction held against one truth, over all images. */
export interface Comparison {
  /** `"network"`, or the observer whose mask it is. */
  readonly prediction: string;
  /** The observer whose mask is taken for true. */
  readonly truth: string;
  /** From which probability a pixel is vessel; null where the prediction is a mask. */
  readonly threshold: number | null;
  readonly images: readonly ImageFigures[];
  /** The mean of the images' figures. */
  readonly macro: ByRegion<Metrics>;
  /** The figures of all pixels pooled. */
  readonly micro: ByRegion<Metrics>;
  /** 95 % bootstrap intervals of both; null for a single image. */
  readonly intervals: ByRegion<{ readonly macro: Intervals; readonly micro: Intervals } | null>;
  /** What is looked at inside the field of view alone: vessels as trees, and whether probabilities keep their word. */
  readonly field: FieldSummary;
}

/** An image with everything that is known of it. */
export interface EvaluatedImage {
  readonly id: string;
  /** The photograph's file. */
  readonly file: string;
  readonly photograph: Photograph;
  readonly truth: Mask;
  readonly fieldOfView: Mask;
  readonly segmentation: Segmentation;
  /** The network against the reference at the first threshold. */
  readonly figures: ByRegion<Metrics>;
}

/** Looks at images one after the other. */
export interface Evaluator {
  /** Segments an image and compares it; what it throws concerns this image alone. */
  add(sample: Sample): Promise<EvaluatedImage>;
  /** The comparisons over all images that were added, the network against the reference first. */
  finish(): { readonly comparisons: Comparison[]; readonly seconds: Seconds };
  /** Gives the disk space back. */
  close(): void;
}

/** How long an evaluation took, without the time for reading files. */
export interface Seconds {
  readonly segmentation: number;
  /** Counts, order and area of all pixels, intervals. */
  readonly figures: number;
}

/** Segments a photograph. */
export type Segment = (photograph: Photograph) => Promise<Segmentation>;

/** Starts an evaluation at one or more thresholds. */
export function startEvaluation(segment: Segment, thresholds: readonly number[]): Evaluator {
  const store = openRankedStore();
  const tallies = new Map<string, Tally>();
  const tallyFor = (prediction: string, truth: string, threshold: number | null): Tally => {
    const key = JSON.stringify([prediction, truth, threshold]);
    const tally = tallies.get(key) ?? { prediction, truth, threshold, images: [] };
    tallies.set(key, tally);
    return tally;
  };
  /** By truth: the order of probabilities is the same at any threshold. */
  const rankings = new Map<string, RankedPixels[]>();
  const seconds = { segmentation: 0, figures: 0 };
  return {
    async add(sample) {
      const { id } = sample;
      const masks = await Promise.all(sample.observers.map((observer) => sample.vessels(observer)));
      const fieldOfView = await sample.fieldOfView();
      const photograph = await sample.image();
      const start = performance.now();
      const segmentation = await segment(photograph);
      const segmented = performance.now();
      // Nothing is added before everything that may fail has been done.
      const ranked = sample.observers.map((observer, i) => {
        const prediction = { ...segmentation, truth: masks[i].data, fieldOfView: fieldOfView.data };
        const [ranking, bins] = [rank(prediction, store), reliabilityBins(prediction)];
        return { observer, prediction, truth: masks[i], ranking, bins };
      });
      const added: { tally: Tally; image: TalliedImage }[] = ranked.flatMap(
        ({ observer, prediction, truth, ranking, bins }) =>
          thresholds.map((threshold) => ({
            tally: tallyFor("network", observer, threshold),
            image: {
              ...tallyImage(id, prediction, threshold, ranking),
              field: { ...fieldFigures(maskOf(segmentation, threshold), truth, fieldOfView), bins },
            },
          })),
      );
      for (const [i, observer] of [...sample.observers.entries()].slice(1)) {
        const probability = Float32Array.from(masks[i].data);
        const prediction = { probability, truth: masks[0].data, fieldOfView: fieldOfView.data };
        added.push({
          tally: tallyFor(observer, sample.observers[0], null),
          image: {
            ...tallyImage(id, prediction, 1),
            field: fieldFigures(masks[i], masks[0], fieldOfView),
          },
        });
      }
      for (const { tally, image } of added) tally.images.push(image);
      for (const { observer, ranking } of ranked) {
        rankings.set(observer, [...(rankings.get(observer) ?? []), ranking.ranked]);
      }
      seconds.segmentation += (segmented - start) / 1000;
      seconds.figures += secondsSince(segmented);
      const [{ image: first }] = added;
      const figures = { full: first.full.metrics, fov: first.fov.metrics };
      return {
        id,
        file: sample.files.image,
        photograph,
        truth: masks[0],
        fieldOfView,
        segmentation,
        figures,
      };
    },
    finish() {
      const start = performance.now();
      const areas = new Map([...rankings].map(([truth, ranked]) => [truth, pooledRocAuc(ranked)]));
      const areaOf = ({ threshold, truth }: Tally) => (threshold === null ? undefined : areas.get(truth));
      const comparisons = [...tallies.values()].map((tally) => compare(tally, areaOf(tally) ?? NO_AREA));
      seconds.figures += secondsSince(start);
      return { comparisons, seconds };
    },
    close: () => store.close(),
  };
}

/** F1 of an image over the full frame, by the threshold. */
export async function f1CurveOf(sample: Sample, segment: Segment): Promise<Float64Array> {
  const truth = (await sample.vessels()).data;
  const { probability } = await segment(await sample.image());
  return f1ByThreshold({ probability, truth });
}

/**
 * Fits a threshold to images: that with the highest mean F1 over the full frame.
 *
 * @param each is called for every image before it is segmented
 */
export async function fitThresholdOn(
  samples: readonly Sample[],
  segment: Segment,
  each: (sample: Sample) => void,
): Promise<{ readonly threshold: number; readonly f1: number } | undefined> {
  const curves: Float64Array[] = [];
  for (const sample of samples) {
    each(sample);
    curves.push(await f1CurveOf(sample, segment));
  }
  return fitThreshold(curves);
}

/** What is kept of the images of one comparison. */
interface Tally {
  readonly prediction: string;
  readonly truth: string;
  readonly threshold: number | null;
  readonly images: TalliedImage[];
}

type TalliedImage = ByRegion<ImageSummary> & { readonly id: string; readonly field: FieldFigures };

/** A mask has no order and so no ROC curve. */
const NO_AREA: ByRegion<number> = { full: Number.NaN, fov: Number.NaN };

/** The order of an image's probabilities, which no threshold changes. */
interface Ranking {
  readonly ranked: RankedPixels;
  readonly auc: ByRegion<number>;
  readonly levels: ByRegion<Uint32Array>;
}

function rank(prediction: Prediction, store: RankedStore): Ranking {
  const ranked = rankPixels(prediction);
  return {
    ranked: store.keep(ranked),
    auc: rankedRocAuc(ranked),
    levels: levelsOf(prediction),
  };
}

/** @param ranking left out where the prediction is a mask */
function tallyImage(
  id: string,
  prediction: Prediction,
  threshold: number,
  ranking?: Ranking,
): Omit<TalliedImage, "field"> {
  const summary = (region: keyof ByRegion<unknown>, counts: Confusion): ImageSummary => ({
    counts,
    metrics: { ...metricsFromConfusion(counts), auc: (ranking?.auc ?? NO_AREA)[region] },
    levels: ranking?.levels[region],
  });
  return {
    id,
    full: summary("full", confusion({ ...prediction, fieldOfView: undefined }, threshold)),
    fov: summary("fov", confusion(prediction, threshold)),
  };
}

function compare({ images, ...what }: Tally, auc: ByRegion<number>): Comparison {
  const averages = (region: keyof ByRegion<unknown>) => {
    const summaries = images.map((image) => image[region]);
    return {
      macro: macroAverage(summaries.map(({ metrics }) => metrics)),
      micro: {
        ...metricsFromConfusion(sumConfusions(summaries.map(({ counts }) => counts))),
        auc: auc[region],
      },
      intervals: bootstrapIntervals(summaries) ?? null,
    };
  };
  const [full, fov] = REGIONS.map(averages);
  return {
    ...what,
    images: images.map((image) => ({ id: image.id, full: image.full.metrics, fov: image.fov.metrics })),
    macro: { full: full.macro, fov: fov.macro },
    micro: { full: full.micro, fov: fov.micro },
    intervals: { full: full.intervals, fov: fov.intervals },
    field: summariseField(images),
  };
}
