// 2-D convolution in groups: the kernels behind `conv2d` with `groups` above 1.
//
//   y[n,oy,ox,o] = b[o] + Σ_{ky,kx,c} x[n, …, first(o) + c] · w[ky,kx,c,o]    first(o) = ⌊o / (O/G)⌋ · C/G
//
//   x [N,H,W,C]   w [KH,KW,C/G,O]   b [O], optional   y [N,OH,OW,O]
//
// The channels form G contiguous groups, each convolved by itself (Krizhevsky et al., 2012). With G = C it is depthwise:
// one filter per channel (or O/C of them). Filters are Keras's Conv2D's; its DepthwiseConv2D's [KH,KW,C,M] are the same
// numbers under the shape [KH,KW,1,C·M].

import { type Floats, kernel } from "../kernel.ts";
import {
  portableGroupedFilterGradient,
  portableGroupedForward,
  portableGroupedTransposed,
} from "../portable/grouped.ts";
import type { GroupedConv2dDims } from "./grouped-conv2d-dims.ts";
import { forEachMeeting } from "./meetings.ts";

/** `y = x * w + b`, group by group. */
export const groupedConv2dForward = kernel(
  "groupedConv2d.forward",
  { y: "write", x: "read", w: "read", b: "read" },
  ({ y, x, w, b }: { y: Floats; x: Floats; w: Floats; b?: Floats | undefined }, d: GroupedConv2dDims) => {
    const [D, E] = [d.C / d.groups, d.O / d.groups];
    const sums = new Float64Array(y.length);
    forEachMeeting(d, (pixel, output, tap) => {
      for (let o = 0; o < d.O; o++) {
        const first = pixel * d.C + Math.floor(o / E) * D;
        for (let c = 0; c < D; c++) sums[output * d.O + o] += x[first + c] * w[(tap * D + c) * d.O + o];
      }
    });
    for (let i = 0; i < y.length; i++) y[i] = sums[i] + (b === undefined ? 0 : b[i % d.O]);
  },
  { portable: portableGroupedForward },
);

/** The adjoint: `x[…, first(o) + c] = Σ y[…,o] · w[ky,kx,c,o]` over all outputs that read it. */
export const groupedConv2dTransposed = kernel(
  "groupedConv2d.transposed",
  { x: "write", y: "read", w: "read" },
  ({ x, y, w }: { x: Floats; y: Floats; w: Floats }, d: GroupedConv2dDims) => {
    const [D, E] = [d.C / d.groups, d.O / d.groups];
    const sums = new Float64Array(x.length);
    forEachMeeting(d, (pixel, output, tap) => {
      for (let o = 0; o < d.O; o++) {
        const first = pixel * d.C + Math.floor(o / E) * D;
        for (let c = 0; c < D; c++) sums[first + c] += y[output * d.O + o] * w[(tap * D + c) * d.O + o];
      }
    });
    x.set(sums);
  },
  { portable: portableGroupedTransposed },
);

/** `gw[ky,kx,c,o] = Σ x[…, first(o) + c] · gy[…,o]`. */
export const groupedConv2dFilterGradient = kernel(
  "groupedConv2d.filterGradient",
  { gw: "write", x: "read", gy: "read" },
  ({ gw, x, gy }: { gw: Floats; x: Floats; gy: Floats }, d: GroupedConv2dDims) => {
    const [D, E] = [d.C / d.groups, d.O / d.groups];
    const sums = new Float64Array(gw.length);
    forEachMeeting(d, (pixel, output, tap) => {
      for (let o = 0; o < d.O; o++) {
        const first = pixel * d.C + Math.floor(o / E) * D;
        for (let c = 0; c < D; c++) sums[(tap * D + c) * d.O + o] += x[first + c] * gy[output * d.O + o];
      }
    });
    gw.set(sums);
  },
  { portable: portableGroupedFilterGradient },
);
