// Which pixels of the layer before a number is made of.

import type { Conv2dDims } from "@saunet/core/kernels";

/** How a layer's convolution walks over its input. */
export interface Geometry {
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly filter: readonly [height: number, width: number];
  readonly stride: readonly [down: number, right: number];
  readonly pad: readonly [top: number, left: number];
  readonly transposed: boolean;
}

/** Reads it from the integers of a convolution. */
export function geometryOf(dims: Conv2dDims, transposed: boolean): Geometry {
  const { H, W, OH, OW, KH, KW, strideH, strideW, padTop, padLeft } = dims;
  const [inputHeight, inputWidth] = transposed ? [OH, OW] : [H, W];
  const walk = { filter: [KH, KW], stride: [strideH, strideW], pad: [padTop, padLeft] } as const;
  return { inputHeight, inputWidth, ...walk, transposed };
}

/** A rectangle of pixels, some of which may lie outside. */
export interface Patch {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The pixels of the input that the number at a place is made of. */
export function patchOf({ filter, stride, pad, transposed }: Geometry, row: number, column: number): Patch {
  const along = (at: number, axis: 0 | 1): readonly [first: number, count: number] => {
    if (!transposed) return [at * stride[axis] - pad[axis], filter[axis]];
    // Taps that meet a pixel: (at + pad - tap) is a multiple of the stride.
    const first = Math.ceil((at + pad[axis] - filter[axis] + 1) / stride[axis]);
    return [first, Math.floor((at + pad[axis]) / stride[axis]) - first + 1];
  };
  const [[top, height], [left, width]] = [along(row, 0), along(column, 1)];
  return { top, left, height, width };
}
