// What lies around the image of a convolution, for those who say SAME in other words.

import type { Conv2dDims } from "@saunet/core/kernels";
import type { ConvolutionSpec } from "./convolution.ts";

/** Zeros around an image, and rows and columns behind it that no tap reaches. */
export interface Surround {
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly unreached: readonly number[];
}

/** TensorFlow's SAME puts what is odd at the end, which ONNX calls SAME_UPPER. */
export function surroundOf({ KH, KW, stride, dilation }: ConvolutionSpec, dims: Conv2dDims): Surround {
  const behind = [
    (dims.OH - 1) * stride + (KH - 1) * dilation + 1 - dims.H - dims.padTop,
    (dims.OW - 1) * stride + (KW - 1) * dilation + 1 - dims.W - dims.padLeft,
  ];
  return {
    pads: [dims.padTop, dims.padLeft, ...behind.map((rows) => Math.max(0, rows))],
    unreached: behind.map((rows) => Math.max(0, -rows)),
  };
}
