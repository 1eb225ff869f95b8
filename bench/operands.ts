// Numbers to compute with: normal, and scaled so that outputs are about 1 whatever the shape. Nothing is denormal.

import { normal, randomState } from "@saunet/core";
import type { Conv2dDims } from "@saunet/core/kernels";

/** Image, filter, bias and the gradient of the output for one convolution. */
export function makeOperands(d: Conv2dDims & { readonly groups?: number }): {
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly b: Float32Array;
  /** Scaled so that the filter's gradient is about 1. */
  readonly gy: Float32Array;
} {
  const random = randomState(1);
  const scaled = (size: number, scale: number): Float32Array => {
    const { data } = normal([size], random);
    for (let i = 0; i < size; i++) data[i] *= scale;
    return data;
  };
  const taps = (d.KH * d.KW * d.C) / (d.groups ?? 1);
  const pixels = d.N * d.OH * d.OW;
  return {
    x: scaled(d.N * d.H * d.W * d.C, 1),
    w: scaled(taps * d.O, 1 / Math.sqrt(taps)),
    b: scaled(d.O, 1),
    gy: scaled(pixels * d.O, 1 / Math.sqrt(pixels)),
  };
}
