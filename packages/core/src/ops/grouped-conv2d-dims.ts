// The geometry of a convolution in groups, for `conv2d`, its kernels and accelerators.

import { expectInteger, formatShape, ShapeError } from "../errors.ts";
import type { Shape } from "../shape.ts";
import { type Conv2dDims, type Conv2dOptions, conv2dDims } from "./conv2d-dims.ts";

/** As {@link Conv2dDims}, but output channel `o` sees the `C / groups` input channels of its group alone. */
export interface GroupedConv2dDims extends Conv2dDims {
  readonly groups: number;
}

/** Checks that image, filter and groups fit and works out the integers. */
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

/**
 * Calls `visit` for every tap of every output pixel that lies inside of the image: the number of the input pixel, of
 * the output pixel, and of the tap.
 */
export function forEachMeeting(
  d: Conv2dDims,
  visit: (pixel: number, output: number, tap: number) => void,
): void {
  for (let n = 0; n < d.N; n++)
    for (let oy = 0; oy < d.OH; oy++)
      for (let ox = 0; ox < d.OW; ox++)
        for (let ky = 0; ky < d.KH; ky++) {
          const iy = oy * d.strideH - d.padTop + ky * d.dilationH;
          if (iy < 0 || iy >= d.H) continue;
          for (let kx = 0; kx < d.KW; kx++) {
            const ix = ox * d.strideW - d.padLeft + kx * d.dilationW;
            if (ix < 0 || ix >= d.W) continue;
            visit((n * d.H + iy) * d.W + ix, (n * d.OH + oy) * d.OW + ox, ky * d.KW + kx);
          }
        }
}
