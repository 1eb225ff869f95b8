// From a photograph of any size to what a network says of each of its pixels: scaled, padded, run, and brought back.

import { type AbortSignalLike, prepare, type Runnable, type RunOptions, Tensor } from "@saunet/core";
import { expectBetween } from "@saunet/core/kernels";
import { expectSameSize, floatsAtSize, type Mask, type Photograph, resizeValues } from "@saunet/data";
import { type NetworkConfig, outputChannels, sizeMultiple } from "./config.ts";
import { allFinite } from "./diverged.ts";
import { captureInference } from "./inference.ts";
import { autoScale, type Scale } from "./scale.ts";
import { type Weights, WeightsError } from "./weights.ts";

/** How to segment. */
export interface SegmentOptions {
  /**
   * Resizes the photograph by this factor for the network, and what the network says back to the photograph's size.
   * `"auto"` chooses the factor by the diameter of the field of view ({@link autoScale}). When left out, what the
   * weights ask for in their metadata (those that come with this package ask for `"auto"`), and otherwise 1.
   */
  readonly scale?: Scale;
  /** A pixel is vessel from this probability on; default 0.5. */
  readonly threshold?: number;
  /**
   * Pads the photograph with black, at the bottom and on the right, to at least this many rows and columns. Group
   * normalisation sees the padding, so the paper's own figures need its 592 (for DRIVE's 584 x 565). By default the
   * padding goes to the next multiple of 8.
   */
  readonly padTo?: number;
  /**
   * A photograph that has more pixels than this, or would have after scaling, is refused; default: 10 million. A
   * run needs 256 bytes per pixel.
   */
  readonly maxPixels?: number;
  /** The field of view, where it is known: `"auto"` goes by it. Default: found in the photograph. */
  readonly fieldOfView?: Mask;
  /**
   * Is called with the seconds that the network itself took, from asked to answered, or from its last answer where it was
   * busy with other photographs until then. Planning its program for a new size is counted where it waits for that.
   */
  readonly onNetworkSeconds?: (seconds: number) => void;
  /** Ends the work: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | undefined;
}

/** What a network says of a photograph. */
export interface Answer {
  readonly width: number;
  readonly height: number;
  /** The factor by which the network saw the photograph resized. */
  readonly scale: number;
  /** `[height, width, outputs]`, 0 … 1. */
  readonly probability: Float32Array;
}

/** A network that answers photographs, each in its turn. */
export interface PhotographRunner {
  run(photograph: Photograph, options: Omit<SegmentOptions, "threshold">): Promise<Answer>;
  release(): void;
}

const MAX_PIXELS = 10_000_000;
/** Red, green, blue. */
const CHANNELS = 3;

/** A photograph of another size needs another program; so many that are idle are kept, since each holds its memory. */
const PROGRAMS_KEPT = 2;

/** A program, and for how many photographs it is in use. */
interface Kept {
  readonly program: Runnable;
  uses: number;
}

/**
 * Prepares a network for photographs.
 *
 * @param op named in errors
 * @throws WeightsError where the network takes other channels than those of a photograph
 */
export function photographRunner(op: string, network: Weights): PhotographRunner {
  const { config } = network;
  if (config.inputChannels !== CHANNELS) {
    throw new WeightsError(
      `${op}: the network takes ${config.inputChannels} channels, but photographs have ${CHANNELS} (RGB)`,
    );
  }
  const channels = outputChannels(config);
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
  let lastAnswered = 0;
  return {
    release() {
      for (const { program } of programs.values()) program.release();
      programs.clear();
    },
    async run(photograph, options) {
      const { maxPixels = MAX_PIXELS, signal } = options;
      if (signal?.aborted) throw signal.reason;
      const { width, height } = photograph;
      const scale = scaleOf(photograph, options.scale ?? scaleWanted(network), options.fieldOfView);
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
      const x = new Tensor(floatsAtSize(photograph, seen, { width: W, height: H }), [1, H, W, CHANNELS]);
      const asked = performance.now();
      const data = await run(x, { signal });
      const answered = performance.now();
      options.onNetworkSeconds?.((answered - Math.max(asked, lastAnswered)) / 1000);
      lastAnswered = answered;
      if (!allFinite(data)) {
        throw new WeightsError(
          `segment: ${config.name} gives this photograph probabilities that are not finite`,
        );
      }
      const cut = new Float32Array(seen.width * seen.height * channels);
      for (let y = 0; y < seen.height; y++) {
        const row = data.subarray(y * W * channels, (y * W + seen.width) * channels);
        cut.set(row, y * seen.width * channels);
      }
      const probability = scale === 1 ? cut : resizeValues(cut, { ...seen, channels }, { width, height });
      return { width, height, scale, probability };
    },
  };
}

/** The entry of a weights file's metadata that says how its network wants photographs resized. */
const SCALE = "scale";

function scaleWanted({ metadata }: Weights): Scale {
  return metadata[SCALE] === "auto" ? "auto" : Number(metadata[SCALE] ?? 1);
}

function scaleOf(photograph: Photograph, scale: Scale, field: Mask | undefined): number {
  if (field !== undefined) expectSameSize("segment", "fieldOfView", field, "the photograph", photograph);
  if (scale === "auto") return autoScale(photograph, field);
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
 * The pixels whose probability reaches a threshold.
 *
 * @example
 * const { data } = maskOf({ width: 2, height: 1, probability: Float32Array.of(0.4, 0.5) }, 0.5);
 * console.log(data); // Uint8Array(2) [ 0, 1 ]
 */
export function maskOf(
  { width, height, probability }: Pick<Answer, "width" | "height" | "probability">,
  threshold: number,
): Mask {
  const data = new Uint8Array(probability.length);
  for (let pixel = 0; pixel < data.length; pixel++) data[pixel] = probability[pixel] >= threshold ? 1 : 0;
  return { width, height, data };
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
