// Convolution and its adjoint as one computation. Along each axis an output index is i = phase + phases · j, and
//
//   out[i] = Σ_m in[j · step + start + m · spacing] · w[taps[m]]
//
// Forward there is one phase with every tap: step = stride, start = -pad, spacing = dilation. The adjoint gathers
// at i the pairs with i + pad = o · stride + k · dilation; with i = phase + stride · j that is
// o = j + (phase + pad - k · dilation) / stride for those k alone that divide evenly. They lie stride / g apart
// (g = gcd(stride, dilation)), so taken backwards their o ascend by dilation / g: `stride` phases, each a plain
// correlation with some of the taps, the channels exchanged.

import type { Floats } from "../kernel.ts";
import type { Conv2dDims } from "../ops/conv2d-dims.ts";

/** What the outputs of one residue class read. */
export interface Phase {
  /** Filter positions along this axis, in the order of the inputs they meet. */
  readonly taps: readonly number[];
  /** The input that the first tap meets for `j = 0`; may lie outside. */
  readonly start: number;
  /** Distance between the inputs of neighbouring taps. */
  readonly spacing: number;
}

/** One spatial axis. */
export interface Axis {
  readonly inSize: number;
  readonly outSize: number;
  readonly step: number;
  readonly phases: readonly Phase[];
}

/** A convolution or its adjoint; the filter entry of tap `(ky, kx)` and channels `(i, o)` by its four strides. */
export interface Correlation {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly rows: Axis;
  readonly columns: Axis;
  readonly filterStrides: {
    readonly ky: number;
    readonly kx: number;
    readonly i: number;
    readonly o: number;
  };
}

/** `y` from `x`. */
export function forwardCorrelation(d: Conv2dDims): Correlation {
  const axis = (
    inSize: number,
    outSize: number,
    K: number,
    step: number,
    pad: number,
    spacing: number,
  ): Axis => {
    const taps = Array.from({ length: K }, (_, k) => k);
    return { inSize, outSize, step, phases: [{ taps, start: -pad, spacing }] };
  };
  return {
    batch: d.N,
    inChannels: d.C,
    outChannels: d.O,
    rows: axis(d.H, d.OH, d.KH, d.strideH, d.padTop, d.dilationH),
    columns: axis(d.W, d.OW, d.KW, d.strideW, d.padLeft, d.dilationW),
    filterStrides: { ky: d.KW * d.C * d.O, kx: d.C * d.O, i: d.O, o: 1 },
  };
}

/** `x` from `y`: the adjoint. */
export function transposedCorrelation(d: Conv2dDims): Correlation {
  const axis = (
    inSize: number,
    outSize: number,
    K: number,
    stride: number,
    pad: number,
    dilation: number,
  ): Axis => {
    const phases = Array.from({ length: stride }, (_, phase): Phase => {
      const taps: number[] = [];
      for (let k = K - 1; k >= 0; k--) if ((phase + pad - k * dilation) % stride === 0) taps.push(k);
      const meets = (k: number): number => (phase + pad - k * dilation) / stride;
      const [first, second] = taps;
      const start = first === undefined ? 0 : meets(first);
      return { taps, start, spacing: second === undefined ? 1 : meets(second) - start };
    });
    return { inSize, outSize, step: 1, phases };
  };
  return {
    batch: d.N,
    inChannels: d.O,
    outChannels: d.C,
    rows: axis(d.OH, d.H, d.KH, d.strideH, d.padTop, d.dilationH),
    columns: axis(d.OW, d.W, d.KW, d.strideW, d.padLeft, d.dilationW),
    filterStrides: { ky: d.KW * d.C * d.O, kx: d.C * d.O, i: 1, o: d.O },
  };
}

/** The integers of one image: `[n, height, width, channels]`. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Copies `count` pixels of row `y` of image `n`, from column `x` on, to `to[at]` onwards; pixels outside the image
 * become zeros. Everything after this works on doubles: a float operand costs a conversion at every use, and code
 * that sees one type of array alone is compiled for it.
 */
export function loadRow(
  to: Float64Array,
  at: number,
  count: number,
  image: Floats,
  { height, width, channels }: ImageSize,
  n: number,
  y: number,
  x: number,
): void {
  const from = Math.min(count, Math.max(0, -x));
  const until = y < 0 || y >= height ? from : Math.max(from, Math.min(count, width - x));
  to.fill(0, at, at + from * channels);
  if (until > from) {
    const pixel = (n * height + y) * width + x;
    to.set(image.subarray((pixel + from) * channels, (pixel + until) * channels), at + from * channels);
  }
  to.fill(0, at + until * channels, at + count * channels);
}
