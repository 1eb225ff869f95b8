// The filter gradient with every product formed: gw[ky][kx][i][o] = Σ x[pixel of the tap][i] · gy[pixel][o], a sum of
// outer products over the output pixels.
//
//   for each part of the output rows:
//     sums = 0
//     for each row of them, each row of taps that lies in the image:
//       line = the row of x that they meet, zeros at its sides
//       for each chunk of pixels, each run of numbers of `line` that lie side by side:
//         sums[run][o] += Σ_pixel line[pixel · step + run] · gy[pixel][o]
//   then add up the parts
//
// The parts are added up in the same order for any number of threads (parts.ts). Where there are fewer than four output
// channels the run's numbers fill the vectors, and the outputs are repeated.

import type { Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, VECTOR } from "../../asm/index.ts";
import { addingParts, bytesOf, forEachTapRow, forEachTerm, partsOf, writingTaps } from "./parts.ts";
import { productWriter } from "./product.ts";
import { blocksOf, rowsOf } from "./register-tile.ts";
import { inputOf, pixelAddress } from "./rows.ts";
import type { StepLocals, Steps } from "./steps.ts";

/** Numbers of both operands in a chunk: 16 KB, half of the first cache. */
const CHUNK = 4096;
/** What tiles read past the end of a line, at most. */
const SLACK = 64;

type Code = ReturnType<typeof codeOf>;

/** What the code is made for. */
function codeOf(correlation: Correlation, relaxed: boolean) {
  const { N, I, O, rows, columns } = correlation;
  const [{ taps, spacing }] = columns.phases;
  /** Numbers of a run, and how many runs a row of taps has: one, if its taps are neighbours. */
  const [run, runs] = spacing === 1 ? [taps.length * I, 1] : [I, taps.length];
  /** Whether runs are rows of the sums and outputs their columns, or the other way around. */
  const outputsInVectors = O >= 4 || run < 4;
  const [height, width] = outputsInVectors ? [run, O] : [O, run];
  /** Rows of a tile with so many vectors: only lines may be read past their end. */
  const tileRows = (vectors: number): number => {
    const most = rowsOf(vectors);
    return outputsInVectors ? Math.min(most, height) : height <= most ? height : 1;
  };
  const padded = blocksOf(width).map(({ vectors }) => {
    return Math.ceil(height / tileRows(vectors)) * tileRows(vectors);
  });
  /** Bytes of the sums: from row to row, and of a run. */
  const rowBytes = Math.ceil(width / 4) * VECTOR;
  const runBytes = Math.max(...padded) * rowBytes;
  /** Pixels of a line, and its bytes in scratch memory; after it there is room for a row of the gradient. */
  const pixels = (columns.outSize - 1) * columns.step + (taps.length - 1) * spacing + 1;
  const lineBytes = Math.ceil((pixels * I * FLOAT + SLACK) / 64) * 64;
  const parts = partsOf(N * rows.outSize, rows.phases[0].taps.length * runs * runBytes);
  const sizes = { height, width, rowBytes, runBytes, pixels, lineBytes };
  return { correlation, relaxed, parts, outputsInVectors, runs, tileRows, ...sizes };
}

/** The phases of the gradient of a correlation's filter; `output` is the gradient that is given. */
export function directGradientSteps(correlation: Correlation, relaxed: boolean): Steps {
  const code = codeOf(correlation, relaxed);
  const { I, O, columns } = correlation;
  const [{ vectors }] = blocksOf(code.width);
  const [input, output] = code.outputsInVectors ? [code.rowBytes, FLOAT] : [FLOAT, code.rowBytes];
  const tap = code.runs === 1 ? I * input : code.runBytes;
  return {
    tile: `direct_${code.tileRows(vectors)}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    key: [correlation, relaxed],
    sharedBytes: bytesOf(code.parts),
    ownBytes: code.lineBytes + columns.outSize * O * FLOAT + SLACK,
    steps: [
      { items: code.parts.count, write: (f, locals) => writeParts(f, locals, code) },
      ...addingParts(code.parts),
      writingTaps(correlation, { row: code.runs * code.runBytes, tap, input, output }),
    ],
  };
}

/** Sums up the parts `from` … `to - 1`. */
function writeParts(f: FunctionBuilder, locals: StepLocals, code: Code): void {
  const { i32, memory } = f;
  const { correlation, relaxed, parts, outputsInVectors, runs, runBytes, lineBytes, pixels } = code;
  const { I, O, rows, columns } = correlation;
  const { own } = locals;
  const [{ start, spacing }] = columns.phases;
  const [left, right] = [Math.max(0, -start), Math.min(pixels, columns.inSize - start)];
  const [xStep, gyStep] = [columns.step * I * FLOAT, O * FLOAT];
  const [rowStep, columnStep] = outputsInVectors ? [xStep, gyStep] : [gyStep, xStep];
  const addProducts = productWriter(f, {
    columns: code.width,
    tileRows: code.tileRows,
    x: { row: FLOAT, term: rowStep },
    w: ({ channels }) => ({ term: columnStep, block: channels * FLOAT }),
    y: code.rowBytes,
    adds: true,
    relaxed,
  });
  const { n, j, gy, line, source, count, pixel, x, g, terms } = f.declare("i32");
  const gyBytes = columns.outSize * gyStep;
  // Vectors of the gradient's last pixel may reach past it: then a copy is read.
  const copied = outputsInVectors && O % 4 > 0;
  const chunk = Math.max(8, Math.floor(CHUNK / (I * columns.step + O)));
  // Zeros at the sides of the line stay.
  memory.fill(own, 0, lineBytes);
  forEachTerm(f, locals, parts, (row, sums) => {
    f.set(gy, f.at(locals.output, row, gyBytes));
    if (copied) {
      f.set(source, gy);
      f.set(gy, i32.add(own, lineBytes));
      memory.copy(gy, source, gyBytes);
    }
    f.unravel(row, [n, j], [rows.outSize]);
    const tapRows = { from: sums, bytes: runs * runBytes };
    forEachTapRow(f, correlation, j, tapRows, (y, tapSums) => {
      if (right > left) {
        f.set(source, pixelAddress(f, inputOf(correlation), locals.input, { n, y, x: start + left }));
        memory.copy(i32.add(own, left * I * FLOAT), source, (right - left) * I * FLOAT);
      }
      f.forRange(pixel, { to: columns.outSize, step: chunk }, () => {
        f.cut(count, pixel, columns.outSize, chunk);
        f.set(terms, i32.mul(count, rowStep));
        f.set(x, f.at(own, pixel, xStep));
        f.set(g, f.at(gy, pixel, gyStep));
        f.set(line, tapSums);
        f.repeat("run", runs, () => {
          const [rows, columns] = outputsInVectors ? [x, g] : [g, x];
          addProducts({ x: rows, w: columns, y: line, rows: code.height, terms });
          f.advance(x, spacing * I * FLOAT);
          f.advance(line, runBytes);
        });
      });
    });
  });
}
