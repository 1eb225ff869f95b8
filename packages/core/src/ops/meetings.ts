// Where the taps of a filter meet an image: what the kernels of convolutions in groups walk over.

import type { Conv2dDims } from "./conv2d-dims.ts";

/**
 * Calls `visit` for every tap of every output pixel that lies inside of the image: the number of the input pixel, of
 * the output pixel, and of the tap.
 */
export function forEachMeeting(
  d: Conv2dDims,
  visit: (pixel: number, output: number, tap: number) => void,
): void {
  for (let n = 0; n < d.N; n++)
    for (let oy = 0; oy < d.OH; oy++)
      for (let ox = 0; ox < d.OW; ox++)
        for (let ky = 0; ky < d.KH; ky++) {
          const iy = oy * d.strideH - d.padTop + ky * d.dilationH;
          if (iy < 0 || iy >= d.H) continue;
          for (let kx = 0; kx < d.KW; kx++) {
            const ix = ox * d.strideW - d.padLeft + kx * d.dilationW;
            if (ix < 0 || ix >= d.W) continue;
            visit((n * d.H + iy) * d.W + ix, (n * d.OH + oy) * d.OW + ox, ky * d.KW + kx);
          }
        }
}
