// The filter gradient with every product formed: gw[ky][kx][i][o] = Σ x[pixel of the tap][i] · gy[pixel][o], a sum of
// outer products over the output pixels.
//
//   for each part of the output rows:
//     sums = 0
//     for each row of them, each row of taps that lies in the image:
//       line = the row of x that they meet, zeros at its sides
//       for each chunk of pixels, each run of numbers of `line` that lie side by side:
//         sums[run][o] += Σ_pixel line[pixel · step + run] · gy[pixel][o]
//   then add up the parts, in double
//
// The parts are the same for any number of threads, and so is the order in which they are added up. Where there are
// fewer than four output channels the run's numbers fill the vectors, and the outputs are repeated.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { FLOAT, VECTOR } from "../stream.ts";
import type { Correlation } from "./geometry.ts";
import { blocksOf, registerTile, repeat, rowsOf } from "./register-tile.ts";
import type { Operands, Range, Steps } from "./steps.ts";
import { PARTS } from "./winograd-gradient.ts";

type I32 = Local<"i32">;

/** Numbers of both operands in a chunk: 16 KB, half of the first cache. */
const CHUNK = 4096;
/** What tiles read past the end of a line, at most. */
const SLACK = 64;

/** What the code is made for. */
interface Code {
  readonly correlation: Correlation;
  readonly relaxed: boolean;
  readonly parts: number;
  /** Whether runs are rows of the sums and outputs their columns, or the other way around. */
  readonly outputsInVectors: boolean;
  /** Numbers of a run, and how many runs a row of taps has: one, if its taps are neighbours. */
  readonly run: number;
  readonly runs: number;
  /** Bytes of the sums: from row to row, of a run, of all. */
  readonly rowBytes: number;
  readonly runBytes: number;
  readonly partBytes: number;
  /** Pixels of a line. */
  readonly pixels: number;
  /** Bytes of a line in scratch memory; after it there is room for a row of the gradient. */
  readonly lineBytes: number;
}

/** The phases of the gradient of a correlation's filter; `output` is the gradient that is given. */
export function directGradientSteps(correlation: Correlation, relaxed: boolean): Steps {
  const { N, I, O, rows, columns } = correlation;
  const [{ taps, spacing }] = columns.phases;
  const joined = spacing === 1;
  const run = joined ? taps * I : I;
  const runs = joined ? 1 : taps;
  const outputsInVectors = O >= 4 || run < 4;
  const [height, width] = outputsInVectors ? [run, O] : [O, run];
  const rowBytes = Math.ceil(width / 4) * VECTOR;
  const sumRows = Math.max(
    ...blocksOf(width).map(({ vectors }) => tileRows(height, vectors, outputsInVectors).padded),
  );
  const runBytes = sumRows * rowBytes;
  const pixels = (columns.outSize - 1) * columns.step + (taps - 1) * spacing + 1;
  const parts = Math.min(PARTS, N * rows.outSize);
  const code: Code = {
    correlation,
    relaxed,
    parts,
    outputsInVectors,
    run,
    runs,
    rowBytes,
    runBytes,
    partBytes: rows.phases[0].taps * runs * runBytes,
    pixels,
    lineBytes: Math.ceil((pixels * I * FLOAT + SLACK) / 64) * 64,
  };
  const [{ vectors }] = blocksOf(width);
  return {
    tile: `direct_${tileRows(height, vectors, outputsInVectors).rows}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: parts * code.partBytes,
    ownBytes: code.lineBytes + columns.outSize * O * FLOAT + SLACK,
    steps: [
      { items: parts, write: (f, range, operands) => writeParts(f, range, operands, code) },
      {
        items: rows.phases[0].taps * taps,
        write: (f, range, operands) => writeSum(f, range, operands.filter, code),
      },
    ],
  };
}

/** Rows of a tile with so many vectors, and the rows of all tiles: only lines may be read past their end. */
function tileRows(height: number, vectors: number, mayOverrun: boolean) {
  const most = rowsOf(vectors);
  const rows = mayOverrun ? Math.min(most, height) : height <= most ? height : 1;
  return { rows, padded: Math.ceil(height / rows) * rows };
}

/** Sums up the parts `from` … `to - 1`. */
function writeParts(
  f: FunctionBuilder,
  { from, to, shared, own }: Range,
  operands: Operands,
  code: Code,
): void {
  const { i32, memory } = f;
  const { correlation, parts, partBytes, runs, runBytes, lineBytes, pixels } = code;
  const { N, I, O, rows, columns } = correlation;
  const [{ taps: rowTaps, spacing: rowSpacing, start: rowStart }] = rows.phases;
  const [{ start, spacing }] = columns.phases;
  const [left, right] = [Math.max(0, -start), Math.min(pixels, columns.inSize - start)];
  const addProducts = outerProducts(f, code);
  const { item, row, end, n, iy, m, sums, sum, gy, line, source } = f.declare("i32");
  const { count, pixel, x, g } = f.declare("i32");
  const gyBytes = columns.outSize * O * FLOAT;
  // Vectors of the gradient's last pixel may reach past it: then a copy is read.
  const copied = code.outputsInVectors && O % 4 > 0;
  const chunk = Math.max(8, Math.floor(CHUNK / (I * columns.step + O)));
  // Zeros at the sides of the line stay.
  memory.fill(own, 0, lineBytes);
  f.forRange(item, { from, to }, () => {
    f.set(sums, f.at(shared, item, partBytes));
    memory.fill(sums, 0, partBytes);
    f.set(end, i32.div_u(i32.mul(i32.add(item, 1), N * rows.outSize), parts));
    f.forRange(row, { from: i32.div_u(i32.mul(item, N * rows.outSize), parts), to: end }, () => {
      f.set(gy, f.at(operands.output, row, gyBytes));
      if (copied) {
        f.set(source, gy);
        f.set(gy, i32.add(own, lineBytes));
        memory.copy(gy, source, gyBytes);
      }
      f.set(n, i32.div_u(row, rows.outSize));
      f.set(iy, f.at(rowStart, i32.sub(row, i32.mul(n, rows.outSize)), rows.step));
      f.set(sum, sums);
      f.forRange(m, { to: rowTaps }, () => {
        f.if(i32.lt_u(iy, rows.inSize), () => {
          if (right > left) {
            f.set(source, i32.mul(f.at(iy, n, rows.inSize), columns.inSize));
            f.set(source, i32.mul(i32.add(source, start + left), I * FLOAT));
            f.set(source, i32.add(operands.input, source));
            memory.copy(i32.add(own, left * I * FLOAT), source, (right - left) * I * FLOAT);
          }
          f.forRange(pixel, { to: columns.outSize, step: chunk }, () => {
            f.set(count, i32.sub(columns.outSize, pixel));
            f.set(count, f.min(count, chunk));
            f.set(x, f.at(own, pixel, columns.step * I * FLOAT));
            f.set(g, f.at(gy, pixel, O * FLOAT));
            f.set(line, sum);
            repeat(f, "run", runs, () => {
              addProducts({ x, gy: g, count, sums: line });
              f.advance(x, spacing * I * FLOAT);
              f.advance(line, runBytes);
            });
          });
        });
        f.advance(iy, rowSpacing);
        f.advance(sum, runs * runBytes);
      });
    });
  });
}

/** Prepares the products of one run of a chunk; what it returns writes the code that adds them to `sums`. */
function outerProducts(f: FunctionBuilder, { correlation, relaxed, outputsInVectors, run, rowBytes }: Code) {
  const { i32, v128, f32x4 } = f;
  const { I, O, columns } = correlation;
  const [height, width] = outputsInVectors ? [run, O] : [O, run];
  const [xStep, gyStep] = [columns.step * I * FLOAT, O * FLOAT];
  const [aStep, bStep] = outputsInVectors ? [xStep, gyStep] : [gyStep, xStep];
  const groups = blocksOf(width).map((blocks) => {
    const { rows } = tileRows(height, blocks.vectors, outputsInVectors);
    return { ...blocks, tile: registerTile(f, rows, blocks.vectors, relaxed) };
  });
  const { i, a, end, b, column, out, target, bytes } = f.declare("i32");
  return ({
    x,
    gy,
    count,
    sums,
  }: {
    readonly x: I32;
    readonly gy: I32;
    readonly count: I32;
    readonly sums: I32;
  }): void => {
    const [rows, columns] = outputsInVectors ? [x, gy] : [gy, x];
    f.set(bytes, i32.mul(count, aStep));
    f.set(column, columns);
    f.set(out, sums);
    for (const { count, channels, tile } of groups) {
      repeat(f, "block", count, () => {
        f.set(target, out);
        f.forRange(i, { to: height, step: tile.sums.length }, () => {
          f.set(a, f.at(rows, i, FLOAT));
          f.set(end, i32.add(a, bytes));
          f.set(b, column);
          tile.clear();
          tile.accumulate(a, end, b, { row: FLOAT, x: aStep, w: bStep });
          tile.sums.forEach((vectors, p) => {
            vectors.forEach((value, v) => {
              const offset = p * rowBytes + v * VECTOR;
              v128.store(target, f32x4.add(value, v128.load(target, { offset })), { offset });
            });
          });
          f.advance(target, tile.sums.length * rowBytes);
        });
        f.advance(column, channels * FLOAT);
        f.advance(out, channels * FLOAT);
      });
    }
  };
}

/** Adds up the parts and writes the taps `from` … `to - 1`. */
function writeSum(f: FunctionBuilder, { from, to, shared }: Range, gw: I32, code: Code): void {
  const { i32, f32, f64 } = f;
  const { correlation, parts, partBytes, outputsInVectors, runs, rowBytes, runBytes } = code;
  const { I, O, columns } = correlation;
  const [{ taps }] = columns.phases;
  const [inputBytes, outputBytes] = outputsInVectors ? [rowBytes, FLOAT] : [FLOAT, rowBytes];
  const tapBytes = runs === 1 ? I * inputBytes : runBytes;
  const { tap, m, i, o, source, at, target } = f.declare("i32");
  const sum = f.local("sum", "f64");
  f.set(target, f.at(gw, from, I * O * FLOAT));
  f.forRange(tap, { from, to }, () => {
    f.set(m, i32.div_u(tap, taps));
    f.set(source, i32.mul(i32.sub(tap, i32.mul(m, taps)), tapBytes));
    f.set(source, i32.add(f.at(shared, m, runs * runBytes), source));
    f.forRange(i, { to: I }, () => {
      f.set(at, source);
      f.forRange(o, { to: O }, () => {
        f.set(sum, f64.promote_f32(f32.load(at)));
        for (let part = 1; part < parts; part++)
          f.set(sum, f64.add(sum, f64.promote_f32(f32.load(at, { offset: part * partBytes }))));
        f32.store(target, f32.demote_f64(sum));
        f.advance(at, outputBytes);
        f.advance(target, FLOAT);
      });
      f.advance(source, inputBytes);
    });
  });
}
