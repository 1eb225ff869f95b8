// From a photograph of any size to its vessels.

import { expectBetween } from "@saunet/core/kernels";
import type { ClassMap, Mask, Photograph } from "@saunet/data";
import { readBundledWeights } from "#host";
import { DEFAULT_THRESHOLD, mostLikely } from "./metrics.ts";
import { maskOf, photographRunner, type SegmentOptions } from "./photograph-runner.ts";
import { expectOneOutput, readWeights, type Weights, WeightsError } from "./weights.ts";

/** What the network says of a photograph, pixel by pixel. */
export interface Segmentation {
  readonly width: number;
  readonly height: number;
  /** The factor by which the network saw the photograph resized. */
  readonly scale: number;
  /** Of a vessel, 0 … 1. */
  readonly probability: Float32Array;
  /** 1 where the probability reaches the threshold. */
  readonly mask: Mask;
}

/** A network with its weights, ready for photographs. */
export interface Segmenter extends Weights {
  /**
   * Segments one photograph. Any number may be asked for at once, of any sizes: they take their turns, and each comes out as
   * it would alone.
   *
   * @throws ShapeError where the bytes do not fill the photograph; RangeError where it is too large, `scale` is not
   *   from 1/16 to 16 or `threshold` not from 0 to 1; WeightsError where the weights give no finite probabilities; the
   *   signal's reason where it says stop
   */
  segment(photograph: Photograph, options?: SegmentOptions): Promise<Segmentation>;
  /** Gives the memory of its programs back, when they have done what they were asked for; planned anew when needed. */
  release(): void;
}

/** What a network that tells classes apart says of a photograph, pixel by pixel. */
export interface ClassSegmentation {
  readonly width: number;
  readonly height: number;
  /** The factor by which the network saw the photograph resized. */
  readonly scale: number;
  /** `[height, width, classes]`: of each class, 0 … 1; the background comes first. */
  readonly probability: Float32Array;
  /** The most likely class of each pixel. */
  readonly classes: ClassMap;
}

/** A network that tells classes apart, ready for photographs. */
export interface ClassSegmenter extends Weights {
  /** Names of the classes by their numbers, the background first. */
  readonly classes: readonly string[];
  /** As {@link Segmenter.segment}, but without a threshold: a pixel is of its most likely class. */
  segment(photograph: Photograph, options?: Omit<SegmentOptions, "threshold">): Promise<ClassSegmentation>;
  /** As {@link Segmenter.release}. */
  release(): void;
}

/**
 * Loads a segmenter: the weights that come with this package, or those of a weights file. Browsers load the package's in 16-bit
 * floats: probabilities differ by up to some 0.002 from those in Node, and F1 in the fifth digit (docs/bundlers.md).
 *
 * @param weights the bytes of a weights file
 * @example
 * const segmenter = await loadSegmenter();
 * const { image } = syntheticFundus({ seed: 1, width: 64, height: 64 });
 * const { probability, mask } = await segmenter.segment(image);
 * console.log(probability.length, mask.width); // 4096 64
 */
export async function loadSegmenter({ weights }: { weights?: Uint8Array } = {}): Promise<Segmenter> {
  return segmenterOf(readWeights(weights ?? (await readBundledWeights())));
}

/**
 * The segmenter of a network in memory.
 *
 * @throws WeightsError where the network takes other channels than those of a photograph, or tells classes apart
 * @example
 * const segmenter = segmenterOf({ config: saUNetV2, parameters: initialize(saUNetV2, randomState(1)), metadata: {} });
 * const { mask } = await segmenter.segment(syntheticFundus({ seed: 1, width: 32, height: 32 }).image);
 * console.log(mask.width, mask.height); // 32 32
 */
export function segmenterOf(network: Weights): Segmenter {
  expectOneOutput("segmenterOf", network.config);
  const runner = photographRunner("segmenterOf", network);
  return {
    ...network,
    release: runner.release,
    async segment(photograph, { threshold = DEFAULT_THRESHOLD, ...options } = {}) {
      expectBetween("segment", "threshold", threshold, 0, 1);
      const answer = await runner.run(photograph, options);
      return { ...answer, mask: maskOf(answer, threshold) };
    },
  };
}

/**
 * The segmenter of a network in memory that tells classes apart (see {@link withClasses}).
 *
 * @throws WeightsError where the network takes other channels than those of a photograph, or tells no classes apart
 * @example
 * const config = withClasses(saUNetV2, ["artery", "vein"]);
 * const network = { config, parameters: initialize(config, randomState(1)), metadata: {} };
 * const { image } = syntheticFundus({ seed: 1, width: 64, height: 64 });
 * const { probability, classes } = await classSegmenterOf(network).segment(image);
 * console.log(probability.length, classes.data.length); // 12288 4096
 */
export function classSegmenterOf(network: Weights): ClassSegmenter {
  const { classes, name } = network.config;
  if (classes === undefined) {
    throw new WeightsError(
      `classSegmenterOf: wants a network that tells classes apart, but ${name} has one output (vessel or not)`,
    );
  }
  const runner = photographRunner("classSegmenterOf", network);
  return {
    ...network,
    classes,
    release: runner.release,
    async segment(photograph, options = {}) {
      const answer = await runner.run(photograph, options);
      const data = mostLikely(answer.probability, classes.length);
      return { ...answer, classes: { width: answer.width, height: answer.height, data } };
    },
  };
}
