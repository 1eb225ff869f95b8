// Max pooling over windows of an image.
//
//   y[n,oy,ox,c] = max over the window of x[n,·,·,c]      gx[argmax] += gy
//
//   x [N,H,W,C]   y, argmax [N,OH,OW,C]
//
// As tf.nn.max_pool2d (NHWC): windows that reach over the edge ignore what lies outside. Of equal elements the first in
// row-major order wins; NaN propagates.

import { contribute, record } from "../autograd.ts";
import { expectOptions } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { allocateIndices, asTensor, empty, type Tensor } from "../tensor.ts";
import { type Pool2dDims, type Pool2dOptions, pool2dDims } from "./pool2d-dims.ts";

/** The maximum of each window, and where in `x` it was found (an index into the flat array). */
export const maxPool2dForward = kernel(
  "maxPool2d.forward",
  { y: "write", argmax: "write", x: "read" },
  ({ y, argmax, x }: { y: Floats; argmax: Int32Array; x: Floats }, d: Pool2dDims) => {
    let o = 0;
    for (let n = 0; n < d.N; n++)
      for (let oy = 0; oy < d.OH; oy++) {
        const top = Math.max(0, oy * d.strideH - d.padTop);
        const bottom = Math.min(d.H, oy * d.strideH - d.padTop + d.sizeH);
        for (let ox = 0; ox < d.OW; ox++) {
          const left = Math.max(0, ox * d.strideW - d.padLeft);
          const right = Math.min(d.W, ox * d.strideW - d.padLeft + d.sizeW);
          for (let c = 0; c < d.C; c++, o++) {
            let best = ((n * d.H + top) * d.W + left) * d.C + c;
            for (let iy = top; iy < bottom; iy++)
              for (let ix = left; ix < right; ix++) {
                const i = ((n * d.H + iy) * d.W + ix) * d.C + c;
                if (x[i] > x[best] || (Number.isNaN(x[i]) && !Number.isNaN(x[best]))) best = i;
              }
            y[o] = x[best];
            argmax[o] = best;
          }
        }
      }
  },
  { types: { argmax: "i32" } },
);

/** `gx[argmax] += gy`, from zero. */
export const maxPool2dGradient = kernel(
  "maxPool2d.gradient",
  { gx: "write", gy: "read", argmax: "read" },
  ({ gx, gy, argmax }: { gx: Floats; gy: Floats; argmax: Int32Array }) => {
    gx.fill(0);
    for (let o = 0; o < gy.length; o++) gx[argmax[o]] += gy[o];
  },
  { types: { argmax: "i32" } },
);

/**
 * The largest element of each window.
 *
 * @param x images `[N,H,W,C]`
 * @returns `[N,OH,OW,C]`
 * @throws ShapeError where the window does not fit; RangeError if a size, stride or padding is invalid
 * @example
 * const x = tensor([[[[1], [2]], [[4], [3]]]]);
 * console.log(String(maxPool2d(x, { size: 2 }))); // Tensor [1,1,1,1] [[[[4]]]]
 */
export function maxPool2d(x: Tensor, options: Pool2dOptions = {}): Tensor {
  expectOptions("maxPool2d", options, ["size", "stride", "padding"]);
  x = asTensor("maxPool2d", "x", x);
  const d = pool2dDims("maxPool2d", x.shape, options);
  const y = empty([d.N, d.OH, d.OW, d.C]);
  const argmax = allocateIndices(y.size);
  maxPool2dForward({ y: y.data, argmax, x: x.data }, d);
  return record("maxPool2d", y, [x], (gy) =>
    contribute([x], (gx) => maxPool2dGradient({ gx, gy, argmax }, d)),
  );
}
