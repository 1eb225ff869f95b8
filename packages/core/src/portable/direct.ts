// Direct convolution: every product is formed. Serves any geometry.
//
// One output row at a time. The input rows that it meets are copied into double scratch with zeros around them, so
// the inner loops know no border. A register tile of 3 pixels x 4 output channels uses each input 4 times and each
// filter entry 3 times per load; of 13 tile shapes it was the fastest or within 3 % of it. Neighbouring taps without
// gaps are one run: their inputs lie side by side.

import type { Floats } from "../kernel.ts";
import { type AxisPhase, type Correlation, loadRow } from "./correlation.ts";

/** Pixels that tiles may compute past the end of a row. They are dropped; scratch has room, as leaving it is slow. */
const OVERHANG = 3;

/** `out = in * w + b` for the correlation that `c` describes. */
export function correlateDirect(
  out: Floats,
  input: Floats,
  w: Floats,
  b: Floats | undefined,
  c: Correlation,
): void {
  const { N, I: inChannels, O: outChannels, rows, columns } = c;
  const rowPhases = rows.phases.length;
  const columnPhases = columns.phases.length;
  const bias = new Float64Array(outChannels);
  if (b !== undefined) bias.set(b);
  const passes = rows.phases.map((row) => columns.phases.map((_, phase) => planPass(w, c, row, phase)));
  const image = { height: rows.inSize, width: columns.inSize, channels: inChannels };
  const scratch = new Float64Array(Math.max(...passes.flat().map(({ ky, rowLength }) => ky * rowLength)));
  const outRow = new Float64Array((columns.outSize + OVERHANG * columnPhases) * outChannels);
  const stored = columns.outSize * outChannels;

  for (let n = 0; n < N; n++)
    for (let i = 0; i < rows.outSize; i++) {
      const row = rows.phases[i % rowPhases];
      const y = Math.floor(i / rowPhases) * rows.step + row.start;
      passes[i % rowPhases].forEach((pass, phase) => {
        for (let m = 0; m < pass.ky; m++) {
          const line = y + m * row.spacing;
          loadRow(scratch, m * pass.rowLength, pass.rowPixels, input, image, n, line, pass.start);
        }
        const fourths = outChannels - (outChannels % 4);
        for (let o = 0; o < fourths; o += 4)
          tile3x4(outRow, phase * outChannels + o, columnPhases * outChannels, scratch, bias, o, pass);
        for (let o = fourths; o < outChannels; o++)
          tile4x1(outRow, phase * outChannels + o, columnPhases * outChannels, scratch, bias, o, pass);
      });
      out.set(outRow.subarray(0, stored), (n * rows.outSize + i) * stored);
    }
}

/** What computes the pixels of one column phase in a row of one row phase. */
interface Pass {
  /** Pixels of this phase in a row. */
  readonly count: number;
  /** Rows of taps. */
  readonly ky: number;
  /** Runs in a row of taps, their distance and their length, in numbers. */
  readonly runs: number;
  readonly runStep: number;
  readonly runLength: number;
  /** Distance of neighbouring pixels in the input row. */
  readonly pixelStep: number;
  /** Column of the image at which the scratch rows start, their pixels, their length in numbers. */
  readonly start: number;
  readonly rowPixels: number;
  readonly rowLength: number;
  /** Four output channels side by side, `[o / 4][ky][kx][i][4]`; those left over each alone, `[o][ky][kx][i]`. */
  readonly filter: Float64Array;
}

function planPass(w: Floats, c: Correlation, row: AxisPhase, phase: number): Pass {
  const { I: inChannels, O: outChannels, columns, filter: strides } = c;
  const column = columns.phases[phase];
  const ky = row.taps.length;
  const kx = column.taps.length;
  const count = Math.ceil((columns.outSize - phase) / columns.phases.length);
  const rowPixels = (count - 1 + OVERHANG) * columns.step + Math.max(0, kx - 1) * column.spacing + 1;
  const joined = column.spacing === 1;
  const taps = ky * kx * inChannels;
  const filter = new Float64Array(taps * outChannels);
  const fourths = outChannels - (outChannels % 4);
  let tap = 0;
  for (const y of row.taps)
    for (const x of column.taps)
      for (let i = 0; i < inChannels; i++, tap++) {
        const entry = y * strides.ky + x * strides.kx + i * strides.i;
        for (let o = 0; o < outChannels; o++) {
          const at = o < fourths ? (o - (o % 4)) * taps + tap * 4 + (o % 4) : o * taps + tap;
          filter[at] = w[entry + o * strides.o];
        }
      }
  return {
    count,
    ky,
    runs: joined ? 1 : kx,
    runStep: column.spacing * inChannels,
    runLength: joined ? kx * inChannels : inChannels,
    pixelStep: columns.step * inChannels,
    start: column.start,
    rowPixels,
    rowLength: rowPixels * inChannels,
    filter,
  };
}

/** Output channels `o` to `o + 3` of all pixels, three at a time. */
function tile3x4(
  out: Float64Array,
  at: number,
  outStep: number,
  rows: Float64Array,
  bias: Float64Array,
  o: number,
  { count, ky, runs, runStep, runLength, pixelStep, rowLength, filter }: Pass,
): void {
  const first = o * ky * runs * runLength;
  for (let j = 0; j < count; j += 3) {
    let a00 = bias[o];
    let a01 = bias[o + 1];
    let a02 = bias[o + 2];
    let a03 = bias[o + 3];
    let a10 = a00;
    let a11 = a01;
    let a12 = a02;
    let a13 = a03;
    let a20 = a00;
    let a21 = a01;
    let a22 = a02;
    let a23 = a03;
    let u = first;
    for (let m = 0; m < ky; m++)
      for (let r = 0; r < runs; r++) {
        let p = m * rowLength + j * pixelStep + r * runStep;
        let q = p + pixelStep;
        let s = q + pixelStep;
        const end = p + runLength;
        while (p < end) {
          const w0 = filter[u];
          const w1 = filter[u + 1];
          const w2 = filter[u + 2];
          const w3 = filter[u + 3];
          const x0 = rows[p];
          a00 += x0 * w0;
          a01 += x0 * w1;
          a02 += x0 * w2;
          a03 += x0 * w3;
          const x1 = rows[q];
          a10 += x1 * w0;
          a11 += x1 * w1;
          a12 += x1 * w2;
          a13 += x1 * w3;
          const x2 = rows[s];
          a20 += x2 * w0;
          a21 += x2 * w1;
          a22 += x2 * w2;
          a23 += x2 * w3;
          p++;
          q++;
          s++;
          u += 4;
        }
      }
    let y = at + j * outStep;
    out[y] = a00;
    out[y + 1] = a01;
    out[y + 2] = a02;
    out[y + 3] = a03;
    y += outStep;
    out[y] = a10;
    out[y + 1] = a11;
    out[y + 2] = a12;
    out[y + 3] = a13;
    y += outStep;
    out[y] = a20;
    out[y + 1] = a21;
    out[y + 2] = a22;
    out[y + 3] = a23;
  }
}

/** Output channel `o` of all pixels, four at a time. */
function tile4x1(
  out: Float64Array,
  at: number,
  outStep: number,
  rows: Float64Array,
  bias: Float64Array,
  o: number,
  { count, ky, runs, runStep, runLength, pixelStep, rowLength, filter }: Pass,
): void {
  const first = o * ky * runs * runLength;
  for (let j = 0; j < count; j += 4) {
    let a0 = bias[o];
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let u = first;
    for (let m = 0; m < ky; m++)
      for (let r = 0; r < runs; r++) {
        let p = m * rowLength + j * pixelStep + r * runStep;
        const end = p + runLength;
        while (p < end) {
          const w = filter[u];
          a0 += rows[p] * w;
          a1 += rows[p + pixelStep] * w;
          a2 += rows[p + 2 * pixelStep] * w;
          a3 += rows[p + 3 * pixelStep] * w;
          p++;
          u++;
        }
      }
    const y = at + j * outStep;
    out[y] = a0;
    out[y + outStep] = a1;
    out[y + 2 * outStep] = a2;
    out[y + 3 * outStep] = a3;
  }
}
