// From a photograph of any size to its vessels.

import { type AbortSignalLike, prepare, type Runnable, type RunOptions, Tensor } from "@saunet/core";
import { expectBetween } from "@saunet/core/kernels";
import { floatsOf, type Mask, type Photograph, resizeValues } from "@saunet/data";
import { readBundledWeights } from "#host";
import { type NetworkConfig, sizeMultiple } from "./config.ts";
import { allFinite } from "./diverged.ts";
import { captureInference } from "./inference.ts";
import { DEFAULT_THRESHOLD } from "./metrics.ts";
import { autoScale, type Scale } from "./scale.ts";
import { readWeights, type Weights, WeightsError } from "./weights.ts";

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

/** How to segment. */
export interface SegmentOptions {
  /**
   * Resizes the photograph by this factor for the network, and what the network says back to the photograph's size.
   * `"auto"` chooses the factor by the diameter of the field of view ({@link autoScale}). When left out, what the
   * weights ask for in their metadata (those that come with this package ask for `"auto"`), and otherwise 1.
   */
  readonly scale?: Scale;
  /** A pixel is vessel from this probability on; 0.5 when left out. */
  readonly threshold?: number;
  /**
   * Pads the photograph with black, at the bottom and on the right, to at least this many rows and columns. Group
   * normalisation sees the padding, so the paper's own figures need its 592 (for DRIVE's 584 x 565). By default the
   * padding goes to the next multiple of 8.
   */
  readonly padTo?: number;
  /**
   * A photograph that has more pixels than this, or would have after scaling, is refused; 10 million when left out. A
   * run needs 256 bytes a pixel.
   */
  readonly maxPixels?: number;
  /** Ends the work: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | undefined;
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

const MAX_PIXELS = 10_000_000;
/** Red, green, blue. */
const CHANNELS = 3;

/**
 * Loads a segmenter: the weights that come with this package, or those of a weights file.
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

/** A photograph of another size needs another program; so many that are idle are kept, since each holds its memory. */
const PROGRAMS_KEPT = 2;

/** A program, and for how many photographs it is in use. */
interface Kept {
  readonly program: Runnable;
  uses: number;
}

/**
 * The segmenter of a network in memory.
 *
 * @throws WeightsError where the network takes other channels than those of a photograph
 * @example
 * const segmenter = segmenterOf({ config: saUNetV2, parameters: initialize(saUNetV2, randomState(1)), metadata: {} });
 * const { mask } = await segmenter.segment(syntheticFundus({ seed: 1, width: 32, height: 32 }).image);
 * console.log(mask.width, mask.height); // 32 32
 */
export function segmenterOf(network: Weights): Segmenter {
  const { config } = network;
  if (config.inputChannels !== CHANNELS) {
    throw new WeightsError(
      `segmenterOf: the network takes ${config.inputChannels} channels, but photographs have ${CHANNELS} (RGB)`,
    );
  }
  /** By size; the one that was not asked for longest in front. */
  const programs = new Map<string, Kept>();
  const keepIdle = (most: number): void => {
    const idle = [...programs].filter(([, { uses }]) => uses === 0);
    for (const [size, { program }] of idle.slice(0, Math.max(0, idle.length - most))) {
      programs.delete(size);
      program.release();
    }
  };
  const run = async (x: Tensor, options: RunOptions): Promise<Float32Array> => {
    const size = String(x.shape);
    const known = programs.get(size);
    // Before another one is planned: it may need the room.
    if (known === undefined) keepIdle(PROGRAMS_KEPT - 1);
    const kept = known ?? { program: prepare(captureInference(network, x)), uses: 0 };
    programs.delete(size);
    programs.set(size, kept);
    kept.uses++;
    try {
      const [{ data }] = await kept.program.run([x], options);
      return data;
    } finally {
      kept.uses--;
      keepIdle(PROGRAMS_KEPT);
    }
  };
  return {
    ...network,
    release() {
      for (const { program } of programs.values()) program.release();
      programs.clear();
    },
    async segment(photograph, options = {}) {
      const { threshold = DEFAULT_THRESHOLD, maxPixels = MAX_PIXELS, signal } = options;
      if (signal?.aborted) throw signal.reason;
      const { width, height } = photograph;
      expectBetween("segment", "threshold", threshold, 0, 1);
      const scale = scaleOf(photograph, options.scale ?? scaleWanted(network));
      const seen = {
        width: Math.max(1, Math.round(width * scale)),
        height: Math.max(1, Math.round(height * scale)),
      };
      const [H, W] = paddedSize(config, seen, options);
      if (Math.max(width * height, H * W) > maxPixels) {
        throw new RangeError(
          `segment: the photograph has ${width} x ${height} pixels (scaled and padded to ${W} x ${H}); the limit is ${maxPixels}`,
        );
      }
      const floats = floatsOf(photograph);
      const resized = scale === 1 ? floats : resizeValues(floats, { width, height, channels: 3 }, seen);
      const x = padFloats(resized, seen.width, seen.height, W, H);
      const data = await run(x, { signal });
      if (!allFinite(data)) {
        throw new WeightsError(
          `segment: ${config.name} gives this photograph probabilities that are not finite`,
        );
      }
      const cut = new Float32Array(seen.width * seen.height);
      for (let y = 0; y < seen.height; y++) {
        cut.set(data.subarray(y * W, y * W + seen.width), y * seen.width);
      }
      const probability = scale === 1 ? cut : resizeValues(cut, seen, photograph);
      const mask = Uint8Array.from(probability, (value) => (value >= threshold ? 1 : 0));
      return { width, height, scale, probability, mask: { width, height, data: mask } };
    },
  };
}

/** The entry of a weights file's metadata that says how its network wants photographs resized. */
const SCALE = "scale";

function scaleWanted({ metadata }: Weights): Scale {
  return metadata[SCALE] === "auto" ? "auto" : Number(metadata[SCALE] ?? 1);
}

function scaleOf(photograph: Photograph, scale: Scale): number {
  if (scale === "auto") return autoScale(photograph);
  expectBetween("segment", "scale", scale, SMALLEST_SCALE, LARGEST_SCALE);
  return scale;
}

/** No photograph is of use further away from its own size. */
const [SMALLEST_SCALE, LARGEST_SCALE] = [1 / 16, 16];

function paddedSize(
  config: NetworkConfig,
  { width, height }: { width: number; height: number },
  { padTo = 1 }: SegmentOptions,
): [H: number, W: number] {
  const multiple = sizeMultiple(config);
  const padded = (size: number) => Math.ceil(Math.max(size, padTo) / multiple) * multiple;
  return [padded(height), padded(width)];
}

/**
 * An image `[height,width,3]` in the top left corner of a black one, as a batch of one.
 *
 * @example
 * console.log(padFloats(new Float32Array(2 * 1 * 3), 2, 1, 8, 8).shape); // [ 1, 8, 8, 3 ]
 */
export function padFloats(floats: Float32Array, width: number, height: number, W: number, H: number): Tensor {
  const x = new Float32Array(H * W * 3);
  for (let y = 0; y < height; y++) x.set(floats.subarray(y * width * 3, (y + 1) * width * 3), y * W * 3);
  return new Tensor(x, [1, H, W, 3]);
}
