// The fast forms of the three convolution kernels in plain TypeScript.

import type { Floats } from "../kernel.ts";
import type { Conv2dDims } from "../ops/conv2d-dims.ts";
import { chooseConv2d } from "./choose.ts";
import { type Correlation, forwardCorrelation, transposedCorrelation } from "./correlation.ts";
import { correlateDirect } from "./direct.ts";
import { filterGradientDirect } from "./filter-gradient.ts";
import { correlateWinograd } from "./winograd.ts";
import { filterGradientWinograd } from "./winograd-gradient.ts";

/** `conv2d.forward`. */
export function portableForward(
  { y, x, w, b }: { y: Floats; x: Floats; w: Floats; b?: Floats | undefined },
  d: Conv2dDims,
): void {
  correlate(y, x, w, b, forwardCorrelation(d));
}

/** `conv2d.transposed`: without strides it is a convolution with the flipped filter, so Winograd serves it too. */
export function portableTransposed(
  { x, y, w, b }: { x: Floats; y: Floats; w: Floats; b?: Floats | undefined },
  d: Conv2dDims,
): void {
  correlate(x, y, w, b, transposedCorrelation(d));
}

/** `conv2d.filterGradient`. */
export function portableFilterGradient(
  { gw, x, gy }: { gw: Floats; x: Floats; gy: Floats },
  d: Conv2dDims,
): void {
  if (chooseConv2d(forwardCorrelation(d)) === "winograd") filterGradientWinograd(gw, x, gy, d);
  else filterGradientDirect(gw, x, gy, d);
}

function correlate(out: Floats, input: Floats, w: Floats, b: Floats | undefined, c: Correlation): void {
  if (chooseConv2d(c) === "winograd") correlateWinograd(out, input, w, b, c);
  else correlateDirect(out, input, w, b, c);
}
