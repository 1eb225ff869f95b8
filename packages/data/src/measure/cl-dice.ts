// Agreement of two masks as trees: a pixel more or less at an edge counts nothing, a missing or broken branch much.

import { expectSameSize, type Mask } from "../image.ts";
import { expectMask } from "./expect-mask.ts";
import { skeletonize } from "./thinning.ts";

/**
 * The centre-line Dice of two masks, 0 to 1: the harmonic mean of the share of the prediction's centre lines that lies in the truth and
 * that of the truth's centre lines that lies in the prediction (Shit and others, CVPR 2021), with the centre lines of {@link skeletonize}.
 *
 * @returns undefined where both masks are empty; 0 where one is
 * @throws ShapeError where sizes differ or an array does not fill its picture; RangeError where one holds anything but 0 and 1
 * @example
 * const wide = { width: 9, height: 3, data: new Uint8Array(27).fill(1) };
 * const thin = { width: 9, height: 3, data: new Uint8Array(27).fill(1, 9, 18) };
 * console.log(clDice(thin, wide)); // 1
 */
export function clDice(prediction: Mask, truth: Mask): number | undefined {
  expectMask("clDice", "prediction", prediction);
  expectMask("clDice", "truth", truth);
  expectSameSize("clDice", "prediction", prediction, "truth", truth);
  const [precision, sensitivity] = [shareWithin(prediction, truth), shareWithin(truth, prediction)];
  if (precision === undefined && sensitivity === undefined) return undefined;
  // A mask that marks anything has a centre line, so one of the two is empty where a share is not defined.
  if (!precision || !sensitivity) return 0;
  return (2 * precision * sensitivity) / (precision + sensitivity);
}

/** The share of one mask's centre lines that lies in another. */
function shareWithin(mask: Mask, other: Mask): number | undefined {
  const centreLines = skeletonize(mask).data;
  let [all, inside] = [0, 0];
  for (let pixel = 0; pixel < centreLines.length; pixel++) {
    all += centreLines[pixel];
    inside += centreLines[pixel] & other.data[pixel];
  }
  return all === 0 ? undefined : inside / all;
}
