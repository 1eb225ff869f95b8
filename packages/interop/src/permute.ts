import type { Shape } from "@saunet/core";
import { sizeOf } from "@saunet/core/kernels";

/** The values with their axes in another order: axis i of the result is axis `order[i]` of what comes in. */
export function permute(values: Float32Array, shape: Shape, order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const out = new Float32Array(values.length);
  const sizes = order.map((axis) => shape[axis]);
  for (let i = 0; i < out.length; i++) {
    let rest = i;
    let from = 0;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      from += (rest % sizes[axis]) * strides[order[axis]];
      rest = Math.floor(rest / sizes[axis]);
    }
    out[i] = values[from];
  }
  return out;
}
