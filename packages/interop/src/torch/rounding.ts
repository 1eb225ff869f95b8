// What rounding to 16 bits does to a network's answer. PyTorch runs networks in float16 and bfloat16 too, and rounds the
// result of every module; how far that leads away from an exact answer depends on the network, so it is tried.

import type { Tensor } from "@saunet/core";
import { intercept } from "@saunet/core/kernels";

/** Significant bits of float32, float16 and bfloat16. */
export type Precision = 24 | 11 | 8;

/** The nearest number of so many significant bits (Veltkamp's splitting). */
function rounded(value: number, bits: Precision): number {
  const shifted = value * (2 ** (53 - bits) + 1);
  return shifted - (shifted - value);
}

/** The lowest precision that all these numbers have. */
export function precisionOf(tensors: readonly Tensor[]): Precision {
  const fits = (bits: Precision) =>
    tensors.every(({ data }) => data.every((value) => rounded(value, bits) === value));
  return ([8, 11] as const).find(fits) ?? 24;
}

/** Runs a function whose kernels have everything that they write rounded. */
export function withRounding<T>(bits: Precision, body: () => T): T {
  return intercept((call) => {
    call.run();
    for (const [name, role] of Object.entries(call.kernel.roles)) {
      const array = call.arrays[name];
      if (role === "read" || !(array instanceof Float32Array)) continue;
      for (let i = 0; i < array.length; i++) array[i] = rounded(array[i], bits);
    }
  }, body);
}
