// Convolutions with every product formed.
//
//   once:   weights = the filter in the order in which the rounds read it, for each block [k][v][4]
//   for each row of outputs, each block of 16 output channels, each pair of pixels:
//     sums[p][v] = bias[v]
//     for each row of taps that lies in the image, each k of its inputs, which lie side by side:
//       sums[p][v] += x[p][k] · w[k][v]
//     out[p][v] = sums[p][v]
//
// v counts vectors of four output channels. Next to the left and right border pixels go one by one, over the taps that
// lie in the image. A correlation with phases does this for each of them: an item is a row of every phase.

import type { AxisPhase, Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import { packRows, panelRow, panelsBytes } from "./panels.ts";
import { type Blocks, blocksOf, registerTile, rowsOf, type Tile } from "./register-tile.ts";
import { anyBatch, clipTaps, forEachRow, type Row, tapBytes } from "./rows.ts";
import type { StepLocals, Steps } from "./steps.ts";

/** What the outputs of one phase of both axes need. */
interface Part {
  readonly rows: AxisPhase;
  readonly columns: AxisPhase;
  /** Inputs of one output: the number of rounds. */
  readonly K: number;
  /** Where its packed weights begin in the shared memory. */
  readonly start: number;
}

/** What the code is made for. */
interface Code {
  readonly correlation: Correlation;
  /** By the phases of the rows and of the columns. */
  readonly parts: readonly (readonly Part[])[];
  readonly relaxed: boolean;
}

/** The phases of a correlation. */
export function directSteps(correlation: Correlation, relaxed: boolean): Steps {
  const { N, I, O, rows, columns } = correlation;
  let start = 0;
  const parts = rows.phases.map((rowPhase) =>
    columns.phases.map((columnPhase): Part => {
      const K = rowPhase.taps.length * columnPhase.taps.length * I;
      const part = { rows: rowPhase, columns: columnPhase, K, start };
      start += panelsBytes({ n: O, k: K });
      return part;
    }),
  );
  const code = { correlation, parts, relaxed };
  const [{ vectors }] = blocksOf(O);
  return {
    tile: `direct_${rowsOf(vectors)}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    key: [anyBatch(correlation), relaxed],
    sharedBytes: start,
    steps: [
      { items: I, reads: ["filter"], write: (f, locals) => writePacking(f, locals, code) },
      { items: N * rows.phases[0].outputs, write: (f, locals) => writeRows(f, locals, code) },
    ],
  };
}

/** Packs the weights of input channels `from` … `to - 1`. */
function writePacking(f: FunctionBuilder, { from, to, shared, filter }: StepLocals, code: Code): void {
  const { i32 } = f;
  const { filter: steps, I, O } = code.correlation;
  const { m, k, row, source, target, first, count } = f.declare("i32");
  for (const part of code.parts.flat()) {
    if (part.K === 0) continue;
    f.set(target, i32.add(shared, part.start));
    const pack = packRows(f, { n: O, k: part.K, row: steps.i * FLOAT, column: steps.o * FLOAT });
    const taps = tapBytes(code.correlation, part.rows, part.columns);
    f.set(row, f.at(i32.add(filter, taps.origin), from, steps.i * FLOAT));
    f.set(first, from);
    f.set(count, i32.sub(to, from));
    f.forRange(m, { to: part.rows.taps.length }, () => {
      f.set(source, row);
      f.forRange(k, { to: part.columns.taps.length }, () => {
        pack({ source, target, first, count });
        f.advance(source, taps.column);
        f.advance(first, I);
      });
      f.advance(row, taps.row);
    });
  }
}

/** Computes the rows `from` … `to - 1` of the outputs of all images, each in all phases. */
function writeRows(f: FunctionBuilder, locals: StepLocals, code: Code): void {
  const { O } = code.correlation;
  const w = f.local("w", "i32");
  const bias = locals.bias && f.local("bias", "i32");
  const writers = blocksOf(O).map((blocks) => ({ blocks, write: rowWriter(f, { w, bias }, blocks, code) }));
  forEachRow(f, locals, code.correlation, (row, r, c) => {
    const part = code.parts[r][c];
    f.set(w, f.i32.add(locals.shared, part.start));
    if (locals.bias && bias) f.set(bias, locals.bias);
    for (const { blocks, write } of writers)
      f.repeat("block", blocks.count, () => {
        write(row, part);
        f.advance(row.y, blocks.channels * FLOAT);
        f.advance(w, part.K * panelRow(blocks));
        if (bias) f.advance(bias, blocks.channels * FLOAT);
      });
  });
}

/** What writes the code for one block of channels of one row of a part: `w` are its packed weights. */
function rowWriter(
  f: FunctionBuilder,
  { w, bias }: { readonly w: I32; readonly bias: I32 | undefined },
  blocks: Blocks,
  code: Code,
): (row: Row, part: Part) => void {
  const { i32 } = f;
  const { I, O, columns } = code.correlation;
  const { vectors, channels } = blocks;
  const pixels = rowsOf(vectors);
  const whole = registerTile(f, pixels, vectors, code.relaxed);
  const { x, y, j, ix, first, count, xk, wk, end, run, line, tap, m, k } = f.declare("i32");
  const [stepBytes, outBytes] = [columns.step * I * FLOAT, columns.phases.length * O * FLOAT];
  return (row, part) => {
    const { taps, start, spacing, outputs } = part.columns;
    // Pixels from `left` to before `right` have all their taps between the borders.
    const left = Math.max(0, Math.ceil(-start / columns.step));
    const reach = columns.inSize - 1 - (taps.length - 1) * spacing - start;
    const right = Math.min(outputs, Math.floor(reach / columns.step) + 1);

    /** Some pixels over `count` columns of taps from `first` on. */
    const write = (tile: Tile, first: I32 | number, count: I32 | number) => {
      if (bias === undefined) tile.clear();
      else
        for (const pixel of tile.sums)
          f.setEach(pixel, (v) =>
            pixel === tile.sums[0]
              ? f.loadLanes(bias, Math.min(4, channels - 4 * v), v * VECTOR)
              : f.get(tile.sums[0][v]),
          );
      if (part.K > 0) {
        f.if(typeof count === "number" ? i32.const(count) : f.get(count), () => {
          // One run of side-by-side inputs for a row of taps, or one for each tap.
          const joined = spacing === 1;
          f.set(run, joined ? i32.mul(count, I * FLOAT) : i32.const(I * FLOAT));
          f.set(line, f.at(x, first, spacing * I * FLOAT));
          f.set(tap, f.at(first, row.firstTap, taps.length));
          f.set(tap, f.at(w, tap, I * panelRow(blocks)));
          f.forRange(m, { to: row.taps }, () => {
            f.set(xk, line);
            f.set(wk, tap);
            const sumUp = () => {
              f.set(end, i32.add(xk, run));
              tile.accumulate(xk, end, wk, { row: stepBytes });
            };
            if (joined) sumUp();
            else
              f.forRange(k, { to: count }, () => {
                sumUp();
                f.advance(xk, (spacing - 1) * I * FLOAT);
              });
            f.advance(line, part.rows.spacing * columns.inSize * I * FLOAT);
            f.advance(tap, taps.length * I * panelRow(blocks));
          });
        });
      }
      tile.store(y, outBytes, channels);
      f.advance(x, tile.sums.length * stepBytes);
      f.advance(y, tile.sums.length * outBytes);
      f.advance(j, tile.sums.length);
    };
    const several = () => write(whole, 0, taps.length);
    const one = () => {
      f.set(ix, f.at(start, j, columns.step));
      clipTaps(f, ix, columns.inSize, part.columns, first, count);
      write(whole.first(1), first, count);
    };
    f.set(x, row.x);
    f.set(y, row.y);
    f.set(j, 0);
    if (outputs === 0) return;
    f.loop((again) => {
      if (right - left < pixels) one();
      else f.if(i32.le_u(i32.sub(j, left), right - left - pixels), several, one);
      f.brIf(again, i32.lt_s(j, outputs));
    });
  };
}
