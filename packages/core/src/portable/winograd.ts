// Convolution through Winograd's F(6x6, 3x3); winograd-matrices.ts derives it. A strip of tiles is brought to the 64
// points, multiplied there by the filter, summed over the input channels, and brought back.
//
// F(4x4, 3x3) needs 27 % more products and took 13 to 23 % longer over the layers of SA-UNetv2; what speaks for it
// elsewhere is its smaller rounding error, and doubles leave nothing of that.

import type { Floats } from "../kernel.ts";
import type { Correlation } from "./correlation.ts";
import { POINTS, TILE } from "./winograd-matrices.ts";
import {
  allocateLines,
  evaluateFilter,
  evaluateInput,
  interpolate,
  planStrips,
  ROW_TILES,
} from "./winograd-transforms.ts";

/** Point 1 on both axes: an amount added there comes out once in every output. */
const POINT_OF_BIAS = POINTS + 1;

/** `out = in * w + b` where both axes have step 1, one phase and 3 neighbouring taps. */
export function correlateWinograd(
  out: Floats,
  input: Floats,
  w: Floats,
  b: Floats | undefined,
  c: Correlation,
): void {
  const { N, I: inChannels, O: outChannels, rows, columns } = c;
  const [height, width] = [rows.outSize, columns.outSize];
  const padded = Math.ceil(outChannels / 4) * 4;
  const filter = transformFilter(w, c, padded);
  const bias = new Float64Array(padded);
  if (b !== undefined) bias.set(b);
  const { tiles, stripTiles } = planStrips(width);
  const rowTiles = Math.ceil(stripTiles / ROW_TILES) * ROW_TILES;
  const lines = allocateLines(stripTiles, inChannels);
  const values = new Float64Array(POINTS * POINTS * rowTiles * inChannels);
  const products = new Float64Array(POINTS * POINTS * rowTiles * padded);
  const outLine = stripTiles * TILE * outChannels;
  const outLines = new Float64Array(TILE * outLine);
  const image = { height: rows.inSize, width: columns.inSize, channels: inChannels };

  for (let n = 0; n < N; n++)
    for (let y = 0; y < height; y += TILE)
      for (let tile = 0; tile < tiles; tile += stripTiles) {
        const x = tile * TILE;
        const place = { n, y: y + rows.phases[0].start, x: x + columns.phases[0].start };
        evaluateInput(values, rowTiles * inChannels, lines, stripTiles, input, image, place);
        multiply(products, values, filter, bias, rowTiles, inChannels, padded);
        interpolate(outLines, outLine, outChannels, products, rowTiles * padded, padded, stripTiles);
        const count = Math.min(outLine, (width - x) * outChannels);
        for (let i = 0; i < Math.min(TILE, height - y); i++) {
          const line = outLines.subarray(i * outLine, i * outLine + count);
          out.set(line, ((n * height + y + i) * width + x) * outChannels);
        }
      }
}

/** `[point][o / 4][i][4]`: G on both axes, four output channels side by side, zeros where there are fewer. */
function transformFilter(w: Floats, c: Correlation, padded: number): Float64Array {
  const { I: inChannels, O: outChannels, rows, columns, filter: strides } = c;
  const filter = new Float64Array(POINTS * POINTS * inChannels * padded);
  const taps = new Float64Array(9);
  const values = new Float64Array(POINTS * POINTS);
  for (let i = 0; i < inChannels; i++)
    for (let o = 0; o < outChannels; o++) {
      for (let ky = 0; ky < 3; ky++)
        for (let kx = 0; kx < 3; kx++)
          taps[ky * 3 + kx] =
            w[
              rows.phases[0].taps[ky] * strides.ky +
                columns.phases[0].taps[kx] * strides.kx +
                i * strides.i +
                o * strides.o
            ];
      evaluateFilter(values, taps);
      const at = (o - (o % 4)) * inChannels + i * 4 + (o % 4);
      for (let p = 0; p < POINTS * POINTS; p++) filter[p * inChannels * padded + at] = values[p];
    }
  return filter;
}

/** At each point `products[tile][o] = Σ_i values[tile][i] · filter[i][o]`, in register tiles of 3 x 4. */
function multiply(
  products: Float64Array,
  values: Float64Array,
  filter: Float64Array,
  bias: Float64Array,
  rowTiles: number,
  inChannels: number,
  outChannels: number,
): void {
  const zeros = new Float64Array(outChannels);
  for (let point = 0; point < POINTS * POINTS; point++) {
    const start = point === POINT_OF_BIAS ? bias : zeros;
    for (let o = 0; o < outChannels; o += 4)
      for (let t = 0; t < rowTiles; t += ROW_TILES) {
        let a00 = start[o];
        let a01 = start[o + 1];
        let a02 = start[o + 2];
        let a03 = start[o + 3];
        let a10 = a00;
        let a11 = a01;
        let a12 = a02;
        let a13 = a03;
        let a20 = a00;
        let a21 = a01;
        let a22 = a02;
        let a23 = a03;
        let p = (point * rowTiles + t) * inChannels;
        let q = p + inChannels;
        let s = q + inChannels;
        let u = (point * outChannels + o) * inChannels;
        const end = q;
        while (p < end) {
          const w0 = filter[u];
          const w1 = filter[u + 1];
          const w2 = filter[u + 2];
          const w3 = filter[u + 3];
          const x0 = values[p];
          a00 += x0 * w0;
          a01 += x0 * w1;
          a02 += x0 * w2;
          a03 += x0 * w3;
          const x1 = values[q];
          a10 += x1 * w0;
          a11 += x1 * w1;
          a12 += x1 * w2;
          a13 += x1 * w3;
          const x2 = values[s];
          a20 += x2 * w0;
          a21 += x2 * w1;
          a22 += x2 * w2;
          a23 += x2 * w3;
          p++;
          q++;
          s++;
          u += 4;
        }
        let m = (point * rowTiles + t) * outChannels + o;
        products[m] = a00;
        products[m + 1] = a01;
        products[m + 2] = a02;
        products[m + 3] = a03;
        m += outChannels;
        products[m] = a10;
        products[m + 1] = a11;
        products[m + 2] = a12;
        products[m + 3] = a13;
        m += outChannels;
        products[m] = a20;
        products[m + 1] = a21;
        products[m + 2] = a22;
        products[m + 3] = a23;
      }
  }
}
