// Test-time augmentation: the mean of what a network says of a photograph and of its mirror images. A network is not
// quite symmetric, and the mean of four opinions is steadier than one, at four times the work.

import { channelsOf, flipValues, type Photograph } from "@saunet/data";
import { DEFAULT_THRESHOLD } from "./metrics.ts";
import { maskOf, type SegmentOptions } from "./photograph-runner.ts";
import type { Segmentation, Segmenter } from "./segmenter.ts";

/**
 * Segments a photograph as it is, mirrored left and right, upside down, and both, and takes the mean probability.
 *
 * @throws ShapeError where the bytes do not fill the photograph; RangeError where it is too large
 * @example
 * const { image } = syntheticFundus({ seed: 1, width: 32, height: 32 });
 * const { probability } = await segmentWithFlips(await loadSegmenter(), image);
 * console.log(probability.length); // 1024
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
  for (const flip of [{ horizontal: true }, { vertical: true }, { horizontal: true, vertical: true }]) {
    const bytes = flipValues(data, new Uint8Array(data.length), { width, height, channels }, flip);
    const opinion = await segmenter.segment({ width, height, data: bytes }, options);
    const back = flipValues(opinion.probability, new Float32Array(width * height), { width, height }, flip);
    for (let pixel = 0; pixel < back.length; pixel++) probability[pixel] += back[pixel] / 4;
  }
  const { threshold = DEFAULT_THRESHOLD } = options;
  return { ...plain, probability, mask: maskOf({ width, height, probability }, threshold) };
}
