// The filter gradient of a stride-1 convolution with a 3x3 filter, through Winograd's transforms. The forward pass of
// one tile is y = Aᵀ [ (G g) ⊙ (Bᵀ d) ] on both axes, linear in g; its adjoint there is Gᵀ [ (A gy) ⊙ (Bᵀ d) ]. So the
// sum over tiles is taken at the 64 points, and Gᵀ is applied once at the end: 64 products a tile and channel pair
// instead of 324.

import type { Floats } from "../kernel.ts";
import type { Conv2dDims } from "../ops/conv2d-dims.ts";
import { addOuterProducts } from "./outer-product.ts";
import { POINTS, TILE } from "./winograd-matrices.ts";
import {
  allocateLines,
  evaluateGradient,
  evaluateInput,
  gatherFilter,
  planStrips,
} from "./winograd-transforms.ts";

/** Writes the gradient of the filter where the strides and dilations are 1 and the filter is 3x3. */
export function filterGradientWinograd(gw: Floats, x: Floats, gy: Floats, d: Conv2dDims): void {
  const { N, H, W, C, O, OH, OW } = d;
  const points = POINTS * POINTS;
  const width = Math.ceil(O / 4) * 4;
  const pointSums = Math.ceil(C / 4) * 4 * width;
  const sums = new Float64Array(points * pointSums);
  const { tiles, stripTiles } = planStrips(OW);
  const lines = allocateLines(stripTiles, Math.max(C, O));
  const xValues = new Float64Array(points * stripTiles * C + 3);
  const gyValues = new Float64Array(points * stripTiles * O + 3);
  const xImage = { height: H, width: W, channels: C };
  const gyImage = { height: OH, width: OW, channels: O };

  for (let n = 0; n < N; n++)
    for (let y = 0; y < OH; y += TILE)
      for (let tile = 0; tile < tiles; tile += stripTiles) {
        const place = { n, y: y - d.padTop, x: tile * TILE - d.padLeft };
        evaluateInput(xValues, stripTiles * C, lines, stripTiles, x, xImage, place);
        evaluateGradient(gyValues, stripTiles * O, lines, stripTiles, gy, gyImage, { n, y, x: tile * TILE });
        for (let p = 0; p < points; p++) {
          const at = p * stripTiles;
          addOuterProducts(
            sums,
            p * pointSums,
            width,
            xValues,
            at * C,
            C,
            C,
            gyValues,
            at * O,
            O,
            O,
            stripTiles,
          );
        }
      }
  const taps = new Float64Array(9);
  for (let c = 0; c < C; c++)
    for (let o = 0; o < O; o++) {
      gatherFilter(taps, sums, c * width + o, pointSums);
      for (let k = 0; k < 9; k++) gw[(k * C + c) * O + o] = taps[k];
    }
}
