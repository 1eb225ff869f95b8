// The geometry of a convolution in groups, for `conv2d`, its kernels and accelerators.

import { expectInteger, formatShape, ShapeError } from "../errors.ts";
import type { Shape } from "../shape.ts";
import { type Conv2dDims, type Conv2dOptions, conv2dDims } from "./conv2d-dims.ts";

/** As {@link Conv2dDims}, but output channel `o` sees the `C / groups` input channels of its group alone. */
export interface GroupedConv2dDims extends Conv2dDims {
  readonly groups: number;
}

/**
 * Checks that image, filter and groups fit and works out the integers.
 *
 * @throws ShapeError where the shapes or groups do not fit; RangeError where a stride, dilation, padding or group count is
 *   invalid
 * @example
 * const { C, O, groups, flops } = groupedConv2dDims("conv2d", [1, 4, 4, 8], [3, 3, 1, 8], { groups: 8 });
 * console.log(C, O, groups, flops); // 8 8 8 2304
 */
export function groupedConv2dDims(op: string, x: Shape, w: Shape, options: Conv2dOptions): GroupedConv2dDims {
  const { groups = 1, ...others } = options;
  expectInteger(op, "groups", groups, 1);
  const [C, O] = [x.at(-1)!, w.at(-1)!];
  if (C % groups !== 0 || O % groups !== 0) {
    throw new ShapeError(
      `${op}: groups ${groups} must divide the channels of x ${formatShape(x)} and of w ${formatShape(w)}`,
    );
  }
  if (w.length === 4 && w[2] !== C / groups) {
    throw new ShapeError(
      `${op}: w ${formatShape(w)} has ${w[2]} input channels but each of ${groups} groups of x ${formatShape(x)} has ${C / groups}`,
    );
  }
  return Object.freeze({ ...conv2dDims(op, [...x.slice(0, -1), C / groups], w, others), C, groups });
}
