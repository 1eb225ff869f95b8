// 2-D convolution (cross-correlation, as every framework has it).
//
//   y[n,oy,ox,o] = b[o] + Σ_{ky,kx,c} x[n, oy·stride - pad + ky·dilation, ox·stride - pad + kx·dilation, c] · w[ky,kx,c,o]
//
//   x [N,H,W,C]   w [KH,KW,C,O]   b [O], optional   y [N,OH,OW,O]
//
// Layout and padding are TensorFlow's (tf.nn.conv2d, NHWC / HWIO), so Keras weights carry over untouched.
// Filters of several groups, down to depthwise ones, have kernels of their own: grouped-conv2d.ts.
//
// The input gradient is the transposed convolution itself, so conv-transpose2d.ts runs the same three kernels with
// their roles exchanged.

import { contribute, record } from "../autograd.ts";
import { walkOver } from "../broadcast.ts";
import { expectOptions, expectShape } from "../errors.ts";
import { type Floats, kernel } from "../kernel.ts";
import { portableFilterGradient, portableForward, portableTransposed } from "../portable/conv2d.ts";
import { asTensor, empty, type Tensor } from "../tensor.ts";
import { type Conv2dDims, type Conv2dOptions, conv2dDims } from "./conv2d-dims.ts";
import {
  groupedConv2dFilterGradient,
  groupedConv2dForward,
  groupedConv2dTransposed,
} from "./grouped-conv2d.ts";
import { groupedConv2dDims } from "./grouped-conv2d-dims.ts";
import { sumForward } from "./sum.ts";

/** `y = x * w + b`. */
export const conv2dForward = kernel(
  "conv2d.forward",
  { y: "write", x: "read", w: "read", b: "read" },
  ({ y, x, w, b }: { y: Floats; x: Floats; w: Floats; b?: Floats | undefined }, d: Conv2dDims) => {
    for (let n = 0; n < d.N; n++)
      for (let oy = 0; oy < d.OH; oy++)
        for (let ox = 0; ox < d.OW; ox++)
          for (let o = 0; o < d.O; o++) {
            let sum = b === undefined ? 0 : b[o];
            for (let ky = 0; ky < d.KH; ky++) {
              const iy = oy * d.strideH - d.padTop + ky * d.dilationH;
              if (iy < 0 || iy >= d.H) continue;
              for (let kx = 0; kx < d.KW; kx++) {
                const ix = ox * d.strideW - d.padLeft + kx * d.dilationW;
                if (ix < 0 || ix >= d.W) continue;
                const pixel = ((n * d.H + iy) * d.W + ix) * d.C;
                const tap = (ky * d.KW + kx) * d.C;
                for (let c = 0; c < d.C; c++) sum += x[pixel + c] * w[(tap + c) * d.O + o];
              }
            }
            y[((n * d.OH + oy) * d.OW + ox) * d.O + o] = sum;
          }
  },
  { portable: portableForward },
);

/**
 * The adjoint: `x[n,iy,ix,c] = b[c] + Σ y[n,oy,ox,o] · w[ky,kx,c,o]` over all `(oy, ky)`, `(ox, kx)` that meet at
 * `(iy, ix)`. It is conv2d's gradient for its input and convTranspose2d's forward pass.
 */
export const conv2dTransposed = kernel(
  "conv2d.transposed",
  { x: "write", y: "read", w: "read", b: "read" },
  ({ x, y, w, b }: { x: Floats; y: Floats; w: Floats; b?: Floats | undefined }, d: Conv2dDims) => {
    for (let n = 0; n < d.N; n++)
      for (let iy = 0; iy < d.H; iy++)
        for (let ix = 0; ix < d.W; ix++)
          for (let c = 0; c < d.C; c++) {
            let sum = b === undefined ? 0 : b[c];
            for (let ky = 0; ky < d.KH; ky++) {
              const oy = (iy + d.padTop - ky * d.dilationH) / d.strideH;
              if (!Number.isInteger(oy) || oy < 0 || oy >= d.OH) continue;
              for (let kx = 0; kx < d.KW; kx++) {
                const ox = (ix + d.padLeft - kx * d.dilationW) / d.strideW;
                if (!Number.isInteger(ox) || ox < 0 || ox >= d.OW) continue;
                const pixel = ((n * d.OH + oy) * d.OW + ox) * d.O;
                const tap = ((ky * d.KW + kx) * d.C + c) * d.O;
                for (let o = 0; o < d.O; o++) sum += y[pixel + o] * w[tap + o];
              }
            }
            x[((n * d.H + iy) * d.W + ix) * d.C + c] = sum;
          }
  },
  { portable: portableTransposed },
);

/** `gw[ky,kx,c,o] = Σ_{n,oy,ox} x[…] · gy[n,oy,ox,o]`. */
export const conv2dFilterGradient = kernel(
  "conv2d.filterGradient",
  { gw: "write", x: "read", gy: "read" },
  ({ gw, x, gy }: { gw: Floats; x: Floats; gy: Floats }, d: Conv2dDims) => {
    for (let ky = 0; ky < d.KH; ky++)
      for (let kx = 0; kx < d.KW; kx++)
        for (let c = 0; c < d.C; c++)
          for (let o = 0; o < d.O; o++) {
            let sum = 0;
            for (let n = 0; n < d.N; n++)
              for (let oy = 0; oy < d.OH; oy++) {
                const iy = oy * d.strideH - d.padTop + ky * d.dilationH;
                if (iy < 0 || iy >= d.H) continue;
                for (let ox = 0; ox < d.OW; ox++) {
                  const ix = ox * d.strideW - d.padLeft + kx * d.dilationW;
                  if (ix < 0 || ix >= d.W) continue;
                  sum +=
                    x[((n * d.H + iy) * d.W + ix) * d.C + c] * gy[((n * d.OH + oy) * d.OW + ox) * d.O + o];
                }
              }
            gw[((ky * d.KW + kx) * d.C + c) * d.O + o] = sum;
          }
  },
  { portable: portableFilterGradient },
);

/**
 * Convolves images with filters, as `tf.nn.conv2d` does.
 *
 * @param x images `[N,H,W,C]`
 * @param w filters `[KH,KW,C/groups,O]`
 * @param b one bias per output channel `[O]`, or `undefined` for none
 * @returns `[N,OH,OW,O]`
 * @throws ShapeError where the shapes or groups do not fit; RangeError if a stride, dilation or padding is not a valid count;
 *   TypeError on an unknown option
 * @example
 * const x = ones([1, 4, 4, 1]);
 * const y = conv2d(x, ones([3, 3, 1, 1]), undefined, { padding: "valid" });
 * console.log(String(y)); // Tensor [1,2,2,1] [[[[9], [9]], [[9], [9]]]]
 * // Depthwise: a filter for each of 8 channels.
 * console.log(conv2d(ones([1, 4, 4, 8]), ones([3, 3, 1, 8]), undefined, { groups: 8 }).shape); // [ 1, 4, 4, 8 ]
 */
export function conv2d(x: Tensor, w: Tensor, b?: Tensor, options: Conv2dOptions = {}): Tensor {
  const op = "conv2d";
  expectOptions(op, options, ["stride", "dilation", "padding", "groups"]);
  x = asTensor(op, "x", x);
  w = asTensor(op, "w", w);
  const { groups = 1, ...geometry } = options;
  if (groups === 1) {
    const d = conv2dDims(op, x.shape, w.shape, geometry);
    return convolve(x, w, b, d, conv2dForward, conv2dTransposed, conv2dFilterGradient);
  }
  const d = groupedConv2dDims(op, x.shape, w.shape, options);
  return convolve(x, w, b, d, groupedConv2dForward, groupedConv2dTransposed, groupedConv2dFilterGradient);
}

/** The operator, by kernels for any groups or for one. */
function convolve<D extends Conv2dDims>(
  x: Tensor,
  w: Tensor,
  b: Tensor | undefined,
  d: D,
  forward: (arrays: { y: Floats; x: Floats; w: Floats; b: Floats | undefined }, d: D) => void,
  transposed: (arrays: { x: Floats; y: Floats; w: Floats }, d: D) => void,
  filterGradient: (arrays: { gw: Floats; x: Floats; gy: Floats }, d: D) => void,
): Tensor {
  if (b !== undefined) expectShape("conv2d", "b", asTensor("conv2d", "b", b).shape, [d.O]);
  const y = empty([d.N, d.OH, d.OW, d.O]);
  forward({ y: y.data, x: x.data, w: w.data, b: b?.data }, d);
  return record("conv2d", y, b === undefined ? [x, w] : [x, w, b], (gy) => {
    contribute([x], (gx) => transposed({ x: gx, y: gy, w: w.data }, d));
    contribute([w], (gw) => filterGradient({ gw, x: x.data, gy }, d));
    if (b !== undefined)
      contribute([b], (gb) =>
        sumForward({ out: gb, x: gy }, { walk: walkOver(y.shape, [y.shape, b.shape]), scale: 1 }),
      );
  });
}
