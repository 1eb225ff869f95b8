// Whether what a contender computed is right: errors count relative to the reference's own size, so that small numbers are
// looked at as closely as large ones.

import { maxAbsDiff } from "./statistics.ts";

/** Of the largest element of an output: twice what the largest tiles of Winograd's algorithms round by. */
export const TOLERANCE = 2e-4;
/**
 * Of the largest element of a network's output, at the worst place. Some libraries round group normalisation so much that a
 * photograph's probabilities differ by 4e-3 at single pixels (TensorFlow.js) or 1e-3 (onnxruntime-web), where the root of the
 * mean square is 8e-5 and 3e-5: that is what is held to {@link TOLERANCE}.
 */
export const WORST_TOLERANCE = 1e-2;
/** Of the largest element of a parameter's gradient: sums over all pixels, in another order by every library. */
export const GRADIENT_TOLERANCE = 5e-3;
/** A gradient whose largest element is a smaller part of that of all parameters is held to this part: it is all rounding. */
const SMALLEST_PART = 1e-3;

/** What is compared: outputs, or the gradients of parameters. */
export type Arrays = readonly ArrayLike<number>[];

/** The largest error of some outputs, each relative to the largest element that it should have. */
export const errorOfOutputs = (found: Arrays, wanted: Arrays): number => largestError(found, wanted, 0);

/** The same for gradients, where those that are nearly nothing beside the others are not looked at as closely. */
export const errorOfGradients = (found: Arrays, wanted: Arrays): number =>
  largestError(found, wanted, SMALLEST_PART * Math.max(0, ...wanted.map(largest)));

/** The error of a whole network's output, as a part of what is let pass: above 1 it is wrong. */
export function errorOfNetwork(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const size = largest(wanted) || 1;
  const worst = maxAbsDiff(found, wanted) / size;
  let squares = 0;
  for (let i = 0; i < wanted.length; i++) squares += (found[i] - wanted[i]) ** 2;
  const mean = Math.sqrt(squares / wanted.length) / size;
  return Math.max(mean / TOLERANCE, worst / WORST_TOLERANCE);
}

/** Errors relative to the largest element, or to `least` where that is smaller; as they are where all should be zero. */
function largestError(found: Arrays, wanted: Arrays, least: number): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  const errors = found.map((values, i) => {
    const size = Math.max(largest(wanted[i]), least);
    return maxAbsDiff(values, wanted[i]) / (size === 0 ? 1 : size);
  });
  return Math.max(0, ...errors);
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}

/** How a difference is told. */
export const reasonOf = (what: string, error: number, tolerance: number): string =>
  `${what} differs by ${error.toExponential(1)} of the largest element, more than ${tolerance}`;
