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

/** The outputs of one residue class along an axis, and what they read. */
export interface AxisPhase {
  /** Filter positions along this axis, in the order of the inputs they meet. */
  readonly taps: readonly number[];
  /** The input that the first tap meets for `j = 0`; may lie outside. */
  readonly start: number;
  /** Distance between the inputs of neighbouring taps; 1 where there are no neighbours. */
  readonly spacing: number;
  readonly outputs: number;
}

/** One spatial axis. */
export interface Axis {
  readonly inSize: number;
  readonly outSize: number;
  readonly step: number;
  readonly phases: readonly AxisPhase[];
}

/** `out [N, rows, columns, O]` from `in [N, rows, columns, I]`, with the strides of the filter in elements. */
export interface Correlation {
  readonly N: number;
  readonly I: number;
  readonly O: number;
  readonly rows: Axis;
  readonly columns: Axis;
  readonly filter: { readonly ky: number; readonly kx: number; readonly i: number; readonly o: number };
}

/**
 * A convolution, `y` from `x`.
 *
 * @example
 * const { O, rows } = forwardCorrelation(conv2dDims("conv2d", [1, 8, 8, 3], [3, 3, 3, 16], { stride: 2 }));
 * console.log(O, rows.step, rows.phases[0].taps); // 16 2 [ 0, 1, 2 ]
 */
export function forwardCorrelation(d: Conv2dDims): Correlation {
  const axis = (
    inSize: number,
    outSize: number,
    K: number,
    step: number,
    pad: number,
    dilation: number,
  ): Axis => {
    const taps = Array.from({ length: K }, (_, k) => k);
    const spacing = K > 1 ? dilation : 1;
    return { inSize, outSize, step, phases: [{ taps, start: 0 - pad, spacing, outputs: outSize }] };
  };
  return {
    N: d.N,
    I: d.C,
    O: d.O,
    rows: axis(d.H, d.OH, d.KH, d.strideH, d.padTop, d.dilationH),
    columns: axis(d.W, d.OW, d.KW, d.strideW, d.padLeft, d.dilationW),
    filter: { ky: d.KW * d.C * d.O, kx: d.C * d.O, i: d.O, o: 1 },
  };
}

/**
 * Its adjoint, `x` from `y`.
 *
 * @example
 * const { rows } = transposedCorrelation(conv2dDims("conv2d", [1, 8, 8, 3], [3, 3, 3, 16], { stride: 2 }));
 * console.log(rows.phases.map(({ taps }) => taps)); // [ [ 2, 0 ], [ 1 ] ]
 */
export function transposedCorrelation(d: Conv2dDims): Correlation {
  const axis = (
    inSize: number,
    outSize: number,
    K: number,
    stride: number,
    pad: number,
    dilation: number,
  ): Axis => {
    const phases = Array.from({ length: Math.min(stride, outSize) }, (_, phase): AxisPhase => {
      const taps: number[] = [];
      for (let k = K - 1; k >= 0; k--) if ((phase + pad - k * dilation) % stride === 0) taps.push(k);
      const meets = (k: number): number => (phase + pad - k * dilation) / stride;
      const [first, second] = taps;
      const start = first === undefined ? 0 : meets(first);
      const spacing = second === undefined ? 1 : meets(second) - start;
      return { taps, start, spacing, outputs: Math.ceil((outSize - phase) / stride) };
    });
    return { inSize, outSize, step: 1, phases };
  };
  return {
    N: d.N,
    I: d.O,
    O: d.C,
    rows: axis(d.OH, d.H, d.KH, d.strideH, d.padTop, d.dilationH),
    columns: axis(d.OW, d.W, d.KW, d.strideW, d.padLeft, d.dilationW),
    filter: { ky: d.KW * d.C * d.O, kx: d.C * d.O, i: 1, o: d.O },
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
