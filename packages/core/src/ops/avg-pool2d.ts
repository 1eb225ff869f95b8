// Average pooling over windows of an image.
//
//   y[n,oy,ox,c] = mean over the window of x[n,·,·,c]      gx = Σ gy / count over the windows that hold the element
//
//   x [N,H,W,C]   y [N,OH,OW,C]
//
// As tf.nn.avg_pool2d (NHWC): where a window reaches over the edge, only the elements inside are counted.

import { contribute, record } from "../autograd.ts";
import { expectOptions } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { type Pool2dDims, type Pool2dOptions, pool2dDims } from "./pool2d-dims.ts";

/** Calls `visit` for every window: the flat index of its result's first channel, and the pixels that it covers. */
function forEachWindow(
  d: Pool2dDims,
  visit: (o: number, n: number, top: number, bottom: number, left: number, right: number) => void,
): void {
  for (let n = 0; n < d.N; n++)
    for (let oy = 0; oy < d.OH; oy++)
      for (let ox = 0; ox < d.OW; ox++) {
        const [y, x] = [oy * d.strideH - d.padTop, ox * d.strideW - d.padLeft];
        visit(
          ((n * d.OH + oy) * d.OW + ox) * d.C,
          n,
          Math.max(0, y),
          Math.min(d.H, y + d.sizeH),
          Math.max(0, x),
          Math.min(d.W, x + d.sizeW),
        );
      }
}

/** The mean of each window. */
export const avgPool2dForward = kernel(
  "avgPool2d.forward",
  { y: "write", x: "read" },
  ({ y, x }: { y: Floats; x: Floats }, d: Pool2dDims) => {
    forEachWindow(d, (o, n, top, bottom, left, right) => {
      for (let c = 0; c < d.C; c++) {
        let sum = 0;
        for (let iy = top; iy < bottom; iy++)
          for (let ix = left; ix < right; ix++) sum += x[((n * d.H + iy) * d.W + ix) * d.C + c];
        y[o + c] = sum / ((bottom - top) * (right - left));
      }
    });
  },
);

/** Every element's share of the gradients of the windows that hold it. */
export const avgPool2dGradient = kernel(
  "avgPool2d.gradient",
  { gx: "write", gy: "read" },
  ({ gx, gy }: { gx: Floats; gy: Floats }, d: Pool2dDims) => {
    gx.fill(0);
    forEachWindow(d, (o, n, top, bottom, left, right) => {
      const share = 1 / ((bottom - top) * (right - left));
      for (let iy = top; iy < bottom; iy++)
        for (let ix = left; ix < right; ix++)
          for (let c = 0; c < d.C; c++) gx[((n * d.H + iy) * d.W + ix) * d.C + c] += share * gy[o + c];
    });
  },
);

/**
 * The mean of each window.
 *
 * @param x images `[N,H,W,C]`
 * @returns `[N,OH,OW,C]`
 * @throws ShapeError where the window does not fit; RangeError if a size, stride or padding is invalid
 * @example
 * const x = tensor([[[[1], [2]], [[4], [3]]]]);
 * console.log(String(avgPool2d(x, { size: 2 }))); // Tensor [1,1,1,1] [[[[2.5]]]]
 */
export function avgPool2d(x: Tensor, options: Pool2dOptions = {}): Tensor {
  expectOptions("avgPool2d", options, ["size", "stride", "padding"]);
  x = asTensor("avgPool2d", "x", x);
  const d = pool2dDims("avgPool2d", x.shape, options);
  const y = empty([d.N, d.OH, d.OW, d.C]);
  avgPool2dForward({ y: y.data, x: x.data }, d);
  return record("avgPool2d", y, [x], (gy) => contribute([x], (gx) => avgPool2dGradient({ gx, gy }, d)));
}
