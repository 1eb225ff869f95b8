// The filter gradient, directly: gw[ky,kx,c,o] = Σ_pixels x[pixel of the tap, c] · gy[pixel, o] is for every tap a sum
// of outer products over the output pixels. Serves any geometry.
//
// One output row at a time, copied into double scratch with the input row that a row of taps meets. Rows are cut into
// chunks that stay in the first cache while all tiles of the filter pass over them. Neighbouring taps without gaps are
// one run: their inputs lie side by side, so they are rows of one product.

import type { Floats } from "../kernel.ts";
import type { Conv2dDims } from "../ops/conv2d-dims.ts";
import { loadRow } from "./correlation.ts";
import { addOuterProducts } from "./outer-product.ts";

/** Numbers of both rows in a chunk: 24 KB. */
const CHUNK = 3072;

/** Writes the gradient of the filter of the convolution that `d` describes. */
export function filterGradientDirect(gw: Floats, x: Floats, gy: Floats, d: Conv2dDims): void {
  const { N, H, W, C, O, KH, KW, OH, OW } = d;
  const joined = d.dilationW === 1;
  const runs = joined ? 1 : KW;
  const run = joined ? KW * C : C;
  const width = Math.ceil(O / 4) * 4;
  const runSums = Math.ceil(run / 4) * 4 * width;
  const sums = new Float64Array(KH * runs * runSums);
  const pixels = (OW - 1) * d.strideW + (KW - 1) * d.dilationW + 1;
  const xRow = new Float64Array(pixels * C + 3);
  const gyRow = new Float64Array(OW * O + 3);
  const pixelStep = d.strideW * C;
  const chunk = Math.max(8, Math.floor(CHUNK / (pixelStep + O)));
  const xImage = { height: H, width: W, channels: C };
  const gyImage = { height: OH, width: OW, channels: O };

  for (let n = 0; n < N; n++)
    for (let oy = 0; oy < OH; oy++) {
      loadRow(gyRow, 0, OW, gy, gyImage, n, oy, 0);
      for (let ky = 0; ky < KH; ky++) {
        const iy = oy * d.strideH - d.padTop + ky * d.dilationH;
        if (iy < 0 || iy >= H) continue;
        loadRow(xRow, 0, pixels, x, xImage, n, iy, -d.padLeft);
        for (let ox = 0; ox < OW; ox += chunk)
          for (let r = 0; r < runs; r++) {
            const at = (ky * runs + r) * runSums;
            const start = ox * pixelStep + r * d.dilationW * C;
            const count = Math.min(chunk, OW - ox);
            addOuterProducts(sums, at, width, xRow, start, pixelStep, run, gyRow, ox * O, O, O, count);
          }
      }
    }
  for (let ky = 0, at = 0; ky < KH; ky++)
    for (let r = 0; r < runs; r++)
      for (let row = 0; row < run; row++, at += O) {
        const from = (ky * runs + r) * runSums + row * width;
        gw.set(sums.subarray(from, from + O), at);
      }
}
