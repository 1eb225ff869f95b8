// A convolution and its adjoint as one form, the one that the generators work from. Along each axis an output has the
// index phase + phases · j, and
//
//   out[phase + phases · j] = Σ_m in[j · step + start + m · spacing] · w[firstTap + m · tapStep]
//
// Forward there is one phase: step = stride, start = -pad, spacing = dilation. The adjoint has as many phases as the
// stride: at output i it meets the taps k with i + pad - k · dilation = stride · o, so its taps run backwards, while
// the o that they meet ascend.

import type { Conv2dDims } from "@saunet/core/kernels";

/** The outputs of one residue class along an axis. */
export interface AxisPhase {
  /** How many taps meet; may be none. */
  readonly taps: number;
  readonly firstTap: number;
  readonly tapStep: number;
  /** The input that the first tap meets for `j = 0`; may lie outside. */
  readonly start: number;
  /** Distance of the inputs that neighbouring taps meet; 1 where there are no neighbours. */
  readonly spacing: number;
  /** Number of outputs. */
  readonly outputs: number;
}

/** One axis of an image. */
export interface Axis {
  readonly inSize: number;
  readonly outSize: number;
  readonly step: number;
  readonly phases: readonly AxisPhase[];
}

/** `out [N, rows, columns, O]` from `in [N, rows, columns, I]`; steps through the filter in elements. */
export interface Correlation {
  readonly N: number;
  readonly I: number;
  readonly O: number;
  readonly rows: Axis;
  readonly columns: Axis;
  readonly filter: {
    readonly row: number;
    readonly column: number;
    readonly input: number;
    readonly output: number;
  };
}

/** `conv2d.forward`: y from x. */
export function forwardOf(d: Conv2dDims): Correlation {
  const axis = (
    inSize: number,
    outputs: number,
    taps: number,
    step: number,
    pad: number,
    spacing: number,
  ) => ({
    inSize,
    outSize: outputs,
    step,
    phases: [{ taps, firstTap: 0, tapStep: 1, start: 0 - pad, spacing: taps > 1 ? spacing : 1, outputs }],
  });
  return {
    N: d.N,
    I: d.C,
    O: d.O,
    rows: axis(d.H, d.OH, d.KH, d.strideH, d.padTop, d.dilationH),
    columns: axis(d.W, d.OW, d.KW, d.strideW, d.padLeft, d.dilationW),
    filter: { row: d.KW * d.C * d.O, column: d.C * d.O, input: d.O, output: 1 },
  };
}

/** `conv2d.transposed`: x from y. */
export function transposedOf(d: Conv2dDims): Correlation {
  const axis = (
    inSize: number,
    outSize: number,
    K: number,
    stride: number,
    pad: number,
    dilation: number,
  ) => ({
    inSize,
    outSize,
    step: 1,
    phases: Array.from({ length: Math.min(stride, outSize) }, (_, phase): AxisPhase => {
      const met = Array.from({ length: K }, (_, k) => K - 1 - k).filter(
        (k) => (phase + pad - k * dilation) % stride === 0,
      );
      const [first = 0, second = first] = met;
      const inputOf = (k: number): number => (phase + pad - k * dilation) / stride;
      return {
        taps: met.length,
        firstTap: first,
        tapStep: second - first,
        start: met.length === 0 ? 0 : inputOf(first),
        spacing: met.length > 1 ? inputOf(second) - inputOf(first) : 1,
        outputs: Math.ceil((outSize - phase) / stride),
      };
    }),
  });
  return {
    N: d.N,
    I: d.O,
    O: d.C,
    rows: axis(d.OH, d.H, d.KH, d.strideH, d.padTop, d.dilationH),
    columns: axis(d.OW, d.W, d.KW, d.strideW, d.padLeft, d.dilationW),
    filter: { row: d.KW * d.C * d.O, column: d.C * d.O, input: 1, output: d.O },
  };
}
