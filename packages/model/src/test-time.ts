// Test-time augmentation: the mean of what a network says of a photograph and of its mirror images. A network is not
// quite symmetric, and the mean of four opinions is steadier than one, at four times the work.

import { channelsOf, type Photograph } from "@saunet/data";
import { DEFAULT_THRESHOLD } from "./metrics.ts";
import type { Segmentation, Segmenter, SegmentOptions } from "./segmenter.ts";

/**
 * Segments a photograph as it is, mirrored left and right, upside down, and both, and takes the mean probability.
 *
 * @throws ShapeError where the bytes do not fill the photograph; RangeError where it is too large
 * @example
 * const { image } = syntheticFundus({ seed: 1, width: 64, height: 64 });
 * const { probability } = await segmentWithFlips(await loadSegmenter(), image);
 * console.log(probability.length); // 4096
 */
export async function segmentWithFlips(
  segmenter: Segmenter,
  photograph: Photograph,
  options: SegmentOptions = {},
): Promise<Segmentation> {
  const { width, height, data } = photograph;
  const channels = channelsOf("segmentWithFlips", photograph);
  const plain = await segmenter.segment(photograph, options);
  const probability = plain.probability.map((value) => value / 4);
  for (const [horizontal, vertical] of [
    [true, false],
    [false, true],
    [true, true],
  ]) {
    const orientation = { width, height, horizontal, vertical };
    const flipped = { width, height, data: flip(data, { ...orientation, channels }) };
    const opinion = await segmenter.segment(flipped, options);
    const back = flip(opinion.probability, { ...orientation, channels: 1 });
    for (let pixel = 0; pixel < back.length; pixel++) probability[pixel] += back[pixel] / 4;
  }
  const { threshold = DEFAULT_THRESHOLD } = options;
  const mask = Uint8Array.from(probability, (value) => (value >= threshold ? 1 : 0));
  return { ...plain, probability, mask: { width, height, data: mask } };
}

interface Flip {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly horizontal: boolean;
  readonly vertical: boolean;
}

function flip<T extends Uint8Array | Uint8ClampedArray | Float32Array>(data: T, how: Flip): T {
  const { width, height, channels, horizontal, vertical } = how;
  const out = data.slice() as T;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = ((vertical ? height - 1 - y : y) * width + (horizontal ? width - 1 - x : x)) * channels;
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = data[from + c];
    }
  return out;
}
