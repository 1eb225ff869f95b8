// Convolutions with every product formed.
//
//   once:   weights = the filter in the order in which the rounds read it, for each block [k][v][4]; after it the bias
//   for each row of outputs, each block of 16 output channels, each pair of pixels:
//     sums[p][v] = bias[v]
//     for each row of taps that lies in the image, each k of its inputs, which lie side by side:
//       sums[p][v] += x[p][k] · w[k][v]
//     out[p][v] = sums[p][v]
//
// v counts vectors of four output channels. Next to the left and right border pixels go one by one, over the taps that
// lie in the image. A correlation with phases does this for each of them: an item is a row of every phase.

import type { FunctionBuilder, Local, Value } from "../../asm/index.ts";
import { FLOAT, VECTOR } from "../stream.ts";
import type { AxisPhase, Correlation } from "./geometry.ts";
import { storeLanes } from "./lanes.ts";
import { type Blocks, blocksOf, registerTile, repeat, rowsOf, type Tile } from "./register-tile.ts";
import type { Operands, Range, Steps } from "./steps.ts";

type I32 = Local<"i32">;

/** What the outputs of one phase of both axes need. */
interface Part {
  readonly rows: AxisPhase;
  readonly columns: AxisPhase;
  /** Their place among the outputs. */
  readonly row: number;
  readonly column: number;
  /** Inputs of one output: the number of rounds. */
  readonly K: number;
  /** Where its packed weights begin, in rounds of all channels. */
  readonly start: number;
}

/** What the code is made for. */
interface Code {
  readonly correlation: Correlation;
  readonly blocks: readonly Blocks[];
  readonly parts: readonly Part[];
  readonly hasBias: boolean;
  readonly relaxed: boolean;
}

/** Rounds of a part's packed weights: K, and the bias if there is one. */
const packedRows = ({ hasBias }: Code, { K }: Part): number => K + (hasBias ? 1 : 0);

/** Where in the packed weights the first of some blocks begins, in bytes. */
function packedStart(code: Code, part: Part, { first }: Blocks): number {
  const width = Math.ceil(code.correlation.O / 4) * VECTOR;
  return part.start * width + first * packedRows(code, part) * FLOAT;
}

/** The phases of a correlation. */
export function directSteps(correlation: Correlation, hasBias: boolean, relaxed: boolean): Steps {
  const { N, I, O, rows, columns } = correlation;
  const parts: Part[] = [];
  let start = 0;
  rows.phases.forEach((rowPhase, row) => {
    columns.phases.forEach((columnPhase, column) => {
      const K = rowPhase.taps * columnPhase.taps * I;
      parts.push({ rows: rowPhase, columns: columnPhase, row, column, K, start });
      start += K + (hasBias ? 1 : 0);
    });
  });
  const blocks = blocksOf(O);
  const code = { correlation, blocks, parts, hasBias, relaxed };
  const [{ vectors }] = blocks;
  return {
    tile: `direct_${rowsOf(vectors)}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: start * Math.ceil(O / 4) * VECTOR,
    ownBytes: 0,
    steps: [
      {
        items: I,
        reads: hasBias ? ["filter", "bias"] : ["filter"],
        write: (f, range, operands) => writePacking(f, range, operands, code),
      },
      {
        items: N * rows.phases[0].outputs,
        write: (f, range, operands) => writeRows(f, range, operands, code),
      },
    ],
  };
}

/**
 * Packs the weights of input channels `from` … `to - 1`; the first of them brings the bias. Lanes after the last output
 * channel stay as they are: what they lead to is not stored.
 */
function writePacking(f: FunctionBuilder, { from, to, shared }: Range, operands: Operands, code: Code): void {
  const { i32, f32 } = f;
  const { filter, I } = code.correlation;
  const { i, m, k, o, source, target, row, tap } = f.declare("i32");
  const copy = (channels: number, step: number) => {
    f.forRange(o, { to: channels }, () => {
      f.f32.store(target, f32.load(source));
      f.advance(source, step * FLOAT);
      f.advance(target, FLOAT);
    });
  };
  for (const part of code.parts)
    for (const blocks of code.blocks) {
      const { first, count, channels, vectors } = blocks;
      const start = packedStart(code, part, blocks);
      const blockBytes = packedRows(code, part) * vectors * VECTOR;
      const each = (body: () => void) => {
        repeat(f, "block", count, () => {
          body();
          f.advance(target, blockBytes - channels * FLOAT);
        });
      };
      if (operands.bias !== undefined) {
        f.if(i32.eqz(from), () => {
          f.set(source, i32.add(operands.bias!, first * FLOAT));
          f.set(target, i32.add(shared, start + part.K * vectors * VECTOR));
          each(() => copy(channels, 1));
        });
      }
      if (part.K === 0) continue;
      const at = (phase: AxisPhase, step: number) => phase.firstTap * step;
      const origin = at(part.rows, filter.row) + at(part.columns, filter.column) + first * filter.output;
      f.forRange(i, { from, to }, () => {
        f.set(row, f.at(operands.filter, i, filter.input * FLOAT));
        f.advance(row, origin * FLOAT);
        f.set(tap, f.at(shared, i, vectors * VECTOR));
        f.advance(tap, start);
        f.forRange(m, { to: part.rows.taps }, () => {
          f.forRange(k, { to: part.columns.taps }, () => {
            f.set(source, i32.mul(k, part.columns.tapStep * filter.column * FLOAT));
            f.set(source, i32.add(source, row));
            f.set(target, tap);
            each(() => copy(channels, filter.output));
            f.advance(tap, I * vectors * VECTOR);
          });
          f.advance(row, part.rows.tapStep * filter.row * FLOAT);
        });
      });
    }
}

/** Computes the rows `from` … `to - 1` of the outputs of all images, each in all phases. */
function writeRows(f: FunctionBuilder, { from, to, shared }: Range, operands: Operands, code: Code): void {
  const { i32 } = f;
  const { I, O, rows, columns } = code.correlation;
  const [height, width] = [rows.phases.length, columns.phases.length];
  const { item, n, j, iy, firstTap, taps } = f.declare("i32");
  const { x, y, line, w } = f.declare("i32");
  const writers = code.blocks.map((blocks) => rowWriter(f, { x, y, w, firstTap, taps }, blocks, code));
  f.forRange(item, { from, to }, () => {
    f.set(n, i32.div_u(item, rows.phases[0].outputs));
    f.set(j, i32.sub(item, i32.mul(n, rows.phases[0].outputs)));
    for (const part of code.parts) {
      const phase = part.rows;
      const write = () => {
        // Row j reads the input row iy and those `spacing` apart; the taps firstTap … firstTap + taps - 1 lie inside.
        f.set(iy, f.at(phase.start, j, rows.step));
        clipTaps(f, iy, rows.inSize, phase, firstTap, taps);
        // x: what the first pixel's first tap reads in the first of these rows.
        f.set(x, f.at(iy, firstTap, phase.spacing));
        f.set(x, i32.mul(f.at(x, n, rows.inSize), columns.inSize));
        f.set(x, f.at(operands.input, i32.add(x, part.columns.start), I * FLOAT));
        f.set(line, f.at(f.at(part.row, j, height), n, rows.outSize));
        f.set(line, f.at(part.column, line, columns.outSize));
        f.set(y, f.at(operands.output, line, O * FLOAT));
        code.blocks.forEach((blocks, b) => {
          f.set(w, i32.add(shared, packedStart(code, part, blocks)));
          repeat(f, "block", blocks.count, () => {
            writers[b](part, width);
            f.advance(y, blocks.channels * FLOAT);
            f.advance(w, packedRows(code, part) * blocks.vectors * VECTOR);
          });
        });
      };
      if (phase.outputs === rows.phases[0].outputs) write();
      else f.if(i32.lt_s(j, phase.outputs), write);
    }
  });
}

interface RowLocals {
  /** What the row's first pixel reads: the first row of taps in the image, from its first tap on. */
  readonly x: I32;
  /** The block's channels of the row's first pixel. */
  readonly y: I32;
  /** The block's packed weights. */
  readonly w: I32;
  /** The rows of taps that lie in the image. */
  readonly firstTap: I32;
  readonly taps: I32;
}

/** What writes the code for one block of channels of one row of a part. */
function rowWriter(
  f: FunctionBuilder,
  row: RowLocals,
  blocks: Blocks,
  code: Code,
): (part: Part, outStep: number) => void {
  const { i32, v128 } = f;
  const { I, O, columns } = code.correlation;
  const { vectors, channels } = blocks;
  const pixels = rowsOf(vectors);
  const whole = registerTile(f, pixels, vectors, code.relaxed);
  const { x, y, j, ix, first, count } = f.declare("i32");
  const { xk, wk, end, run, line, tap, m, k } = f.declare("i32");
  return (part, outStep) => {
    const { taps, start, spacing, outputs } = part.columns;
    const stepBytes = columns.step * I * FLOAT;
    // Pixels from `left` to before `right` have all their taps between the borders.
    const left = Math.max(0, Math.ceil(-start / columns.step));
    const reach = columns.inSize - 1 - (taps - 1) * spacing - start;
    const right = Math.min(outputs, Math.floor(reach / columns.step) + 1);

    /** Some pixels over `columns` columns of taps from `first` on. */
    const tile = ({ sums, accumulate }: Tile, first: I32 | number, count: I32 | number) => {
      for (const pixel of sums)
        pixel.forEach((sum, v) => {
          const bias = { offset: (part.K * vectors + v) * VECTOR };
          f.set(sum, code.hasBias ? v128.load(row.w, bias) : v128.const("f32x4", 0));
        });
      if (part.K > 0) {
        f.if(typeof count === "number" ? i32.const(count) : f.get(count), () => {
          // One run of side-by-side inputs for a row of taps, or one for each tap.
          const joined = spacing === 1;
          f.set(run, joined ? i32.mul(count, I * FLOAT) : i32.const(I * FLOAT));
          f.set(line, f.at(x, first, spacing * I * FLOAT));
          f.set(tap, f.at(first, row.firstTap, taps));
          f.set(tap, f.at(row.w, tap, I * vectors * VECTOR));
          f.forRange(m, { to: row.taps }, () => {
            f.set(xk, line);
            f.set(wk, tap);
            const sumUp = () => {
              f.set(end, i32.add(xk, run));
              accumulate(xk, end, wk, { row: stepBytes });
            };
            if (joined) sumUp();
            else
              f.forRange(k, { to: count }, () => {
                sumUp();
                f.advance(xk, (spacing - 1) * I * FLOAT);
              });
            f.advance(line, part.rows.spacing * columns.inSize * I * FLOAT);
            f.advance(tap, taps * I * vectors * VECTOR);
          });
        });
      }
      sums.forEach((pixel, p) => {
        pixel.forEach((sum, v) => {
          const offset = p * outStep * O * FLOAT + v * VECTOR;
          storeLanes(f, y, sum, Math.min(4, channels - 4 * v), offset);
        });
      });
    };
    const advance = (count: number) => {
      f.advance(x, count * stepBytes);
      f.advance(y, count * outStep * O * FLOAT);
      f.advance(j, count);
    };
    const several = () => {
      tile(whole, 0, taps);
      advance(pixels);
    };
    const one = () => {
      f.set(ix, f.at(start, j, columns.step));
      clipTaps(f, ix, columns.inSize, part.columns, first, count);
      tile(whole.first(1), first, count);
      advance(1);
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

/** Of taps that read at `at` and every `spacing` after it, those inside the image: `count` of them from `first` on. */
export function clipTaps(
  f: FunctionBuilder,
  at: I32,
  size: number,
  { taps, spacing }: AxisPhase,
  first: I32,
  count: I32,
): void {
  const { i32 } = f;
  const ceilDivide = (value: Value<"i32">) =>
    spacing === 1 ? value : i32.div_s(i32.add(value, spacing - 1), spacing);
  f.set(first, ceilDivide(i32.sub(0, at)));
  f.set(first, f.max(first, 0));
  f.set(count, ceilDivide(i32.sub(size, at)));
  f.set(count, f.min(count, taps));
  f.set(count, i32.sub(count, first));
  f.set(count, f.max(count, 0));
}
