// The kernels of a convolution on a list of shapes: forward, the transposed one (which is also the gradient of the
// image) and the gradient of the filter.

import type { AnyKernel } from "@saunet/core/kernels";
import { conv2dFilterGradient, conv2dForward, conv2dTransposed } from "@saunet/core/kernels";
import { makeOperands } from "./operands.ts";
import type { Options } from "./options.ts";
import { type Part, timeParts } from "./parts.ts";
import type { Results } from "./results.ts";
import { readShapeList } from "./shapes.ts";

/** Times the three kernels on every line of a list. */
export async function kernels(options: Options): Promise<Results> {
  const parts = readShapeList(options.shapes ?? "sa-unet-v2-592").flatMap(({ name: shape, dims }): Part[] => {
    const { x, w, gy } = makeOperands(dims);
    const part = (kernel: unknown, arrays: Part["arrays"]): Part => ({
      shape,
      kernel: kernel as AnyKernel,
      arrays,
      dims,
    });
    return [
      part(conv2dForward, { y: new Float32Array(gy.length), x, w }),
      part(conv2dTransposed, { x: new Float32Array(x.length), y: gy, w }),
      part(conv2dFilterGradient, { gw: new Float32Array(w.length), x, gy }),
    ];
  });
  return timeParts("kernels", parts, options);
}
