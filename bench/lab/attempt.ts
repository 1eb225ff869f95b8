// What an attempt is: one way to compute a convolution, short enough to read at one sitting.
//
//   x [N,H,W,C]   w [KH,KW,C,O]   b [O]   y [N,OH,OW,O]
//
// The clock runs over everything that touches the image. Arranging the filter, which inference does once, is done
// before; for WebAssembly the image lies in the module's memory, where the layer before has left it.

import type { Conv2dDims } from "@saunet/core/kernels";

/** An attempt made ready for one geometry, one image and one filter. */
export interface Prepared {
  /** What came out of the last run; to be asked for after it. */
  readonly y: () => Float32Array;
  readonly run: () => void;
  /** How many times a run convolves; default once. */
  readonly calls?: number;
}

/** The operands. */
export interface Operands {
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly b: Float32Array;
}

/** One way to compute a convolution. */
export interface Attempt {
  readonly number: number;
  readonly name: string;
  /** Which peak it is held against. */
  readonly code: "typescript" | "simd" | "fused";
  /** Whether it serves a geometry; all where there is none. */
  readonly serves: (d: Conv2dDims) => boolean;
  readonly prepare: (d: Conv2dDims, operands: Operands) => Prepared;
}

/** What a module from outside exports as its default: what it leaves out is that of a kernel in TypeScript for all geometries. */
export type GivenAttempt = Partial<Attempt> & Pick<Attempt, "prepare">;

/** An attempt in TypeScript. `arrange` turns the filter into what `convolve` wants. */
export function inTypeScript<F>(
  number: number,
  name: string,
  arrange: (w: Float32Array, d: Conv2dDims) => F,
  convolve: (y: Float32Array, x: Float32Array, filter: F, b: Float32Array, d: Conv2dDims) => void,
  serves: (d: Conv2dDims) => boolean = () => true,
): Attempt {
  const prepare = (d: Conv2dDims, { x, w, b }: Operands): Prepared => {
    const y = new Float32Array(d.N * d.OH * d.OW * d.O);
    const filter = arrange(w, d);
    return { y: () => y, run: () => convolve(y, x, filter, b, d) };
  };
  return { number, name, code: "typescript", serves, prepare };
}

/** Attempts that work on blocks of `size` output channels serve multiples of it. */
export const inBlocksOf =
  (size: number) =>
  ({ O }: Conv2dDims): boolean =>
    O % size === 0;

/** What Winograd's algorithms for three taps serve, on blocks of `size` output channels. */
export const threeTapsInBlocksOf =
  (size: number) =>
  (d: Conv2dDims): boolean =>
    d.KH === 3 &&
    d.KW === 3 &&
    d.strideH === 1 &&
    d.strideW === 1 &&
    d.dilationH === 1 &&
    d.dilationW === 1 &&
    d.O % size === 0;
