// Convolutions with one filter for each channel, and their adjoints: lanes lie along the channels, in which arrays and
// filter are neighbours already, so nothing is packed.
//
//   for each row of outputs, each pixel:  out[c] = bias[c] + Σ_taps in[pixel of the tap][c] · w[tap][c]
//
// Three taps in a row, next to each other, go another way. There a vector of four channels slides along the row: each input
// is loaded once for the three outputs that it meets, and the filter stays in registers.
//
//   for some columns, each vector of channels:
//     for each column t:   out[t - 2] = p1 + x[t] · w[2]    p1 = p0 + x[t] · w[1]    p0 = bias + x[t] · w[0]
//
// (x · w being the sum over the rows of taps). Columns are as many as the first cache holds with the rows that they meet.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { multiplyAdd } from "../multiply-add.ts";
import { FLOAT, MEMORY_GRAIN, whileAtLeast } from "../stream.ts";
import { clipTaps } from "./direct.ts";
import type { AxisPhase, Correlation } from "./geometry.ts";
import { integers } from "./integers.ts";
import { loadLanes, storeLanes } from "./lanes.ts";
import { BLOCK, repeat } from "./register-tile.ts";
import type { Operands, Range, Steps } from "./steps.ts";

type I32 = Local<"i32">;
type V128 = Local<"v128">;

/** Rows of taps whose filter fits into registers together with the sums. */
const MOST_ROWS = 3;
/** Columns that slide at once, times channels: with four rows they fill half of the first cache. */
const SLIDING = 2048;
const [FEWEST_COLUMNS, MOST_COLUMNS] = [8, 64];

/** What the code is made for. */
interface Code {
  /** Of one channel; its filter's steps are those of the whole. */
  readonly correlation: Correlation;
  readonly channels: number;
  readonly hasBias: boolean;
  readonly relaxed: boolean;
}

/** Channels that share their code: `count` blocks from `first` on, vectors at these places of each. */
interface Block {
  readonly first: number;
  readonly count: number;
  readonly vectors: readonly number[];
  readonly lanes: number;
}

/** Blocks of 16, then what is left: its last vector overlaps the one before rather than being cut. */
export function blocksOfChannels(channels: number): Block[] {
  const count = Math.floor(channels / BLOCK);
  const rest = channels % BLOCK;
  const vectors = Math.ceil(rest / 4);
  const whole = { first: 0, count, vectors: [0, 4, 8, 12], lanes: 4 };
  const places = Array.from({ length: vectors }, (_, v) => 4 * v);
  const first = count > 0 ? channels - 4 * vectors : 0;
  const last = count > 0 ? places : places.map((place) => Math.max(0, Math.min(place, channels - 4)));
  return [whole, { first, count: vectors > 0 ? 1 : 0, vectors: last, lanes: Math.min(4, channels) }].filter(
    ({ count }) => count > 0,
  );
}

const slides = ({ correlation: { rows, columns }, channels }: Code): boolean =>
  channels >= 4 &&
  columns.phases.length === 1 &&
  columns.step === 1 &&
  columns.phases[0].taps === 3 &&
  columns.phases[0].spacing === 1 &&
  rows.phases.length === 1 &&
  rows.phases[0].taps <= MOST_ROWS;

/** The phases of a correlation of each channel with its own filter. */
export function depthwiseSteps(
  correlation: Correlation,
  channels: number,
  hasBias: boolean,
  relaxed: boolean,
): Steps {
  const code = { correlation, channels, hasBias, relaxed };
  const { N, rows, columns } = correlation;
  return {
    tile: `depthwise_${slides(code) ? "sliding" : "taps"}_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: 0,
    ownBytes: 0,
    steps: [
      {
        items: N * rows.phases[0].outputs,
        grain: Math.ceil(MEMORY_GRAIN / (4 * columns.outSize * channels)),
        write: (f, range, operands) => writeRows(f, range, operands, code),
      },
    ],
  };
}

interface RowLocals {
  /** The input row of the first tap that lies in the image, at the first pixel's first tap. */
  readonly x: I32;
  readonly y: I32;
  /** The filter at the first row of taps that lies in the image, at its first column. */
  readonly w: I32;
  readonly bias: I32 | undefined;
  /** Rows of taps that lie in the image. */
  readonly taps: I32;
}

/** Computes the rows `from` … `to - 1` of the outputs of all images, each in all phases. */
function writeRows(f: FunctionBuilder, { from, to }: Range, operands: Operands, code: Code): void {
  const { i32 } = f;
  const { channels } = code;
  const { rows, columns, filter } = code.correlation;
  const { item, n, j, iy, firstTap, taps } = integers(f, "item", "n", "j", "iy", "firstTap", "taps");
  const { x, y, w, line } = integers(f, "x", "y", "w", "line");
  const writeRow = slides(code) ? sliding(f, code) : tapByTap(f, code);
  f.forRange(item, { from, to }, () => {
    f.set(n, i32.div_u(item, rows.phases[0].outputs));
    f.set(j, i32.sub(item, i32.mul(n, rows.phases[0].outputs)));
    rows.phases.forEach((rowPhase, row) => {
      const write = () => {
        f.set(iy, i32.add(i32.mul(j, rows.step), rowPhase.start));
        clipTaps(f, iy, rows.inSize, rowPhase, firstTap, taps);
        f.set(iy, i32.add(iy, i32.mul(firstTap, rowPhase.spacing)));
        columns.phases.forEach((columnPhase, column) => {
          f.set(x, i32.mul(i32.add(iy, i32.mul(n, rows.inSize)), columns.inSize));
          f.set(x, i32.mul(i32.add(x, columnPhase.start), channels * FLOAT));
          f.set(x, i32.add(operands.input, x));
          f.set(line, i32.add(i32.mul(j, rows.phases.length), row));
          f.set(line, i32.add(i32.mul(n, rows.outSize), line));
          f.set(line, i32.add(i32.mul(line, columns.outSize), column));
          f.set(y, i32.add(operands.output, i32.mul(line, channels * FLOAT)));
          f.set(w, i32.add(i32.mul(firstTap, rowPhase.tapStep), rowPhase.firstTap));
          f.set(w, i32.add(i32.mul(w, filter.row), columnPhase.firstTap * filter.column));
          f.set(w, i32.add(operands.filter, i32.mul(w, FLOAT)));
          writeRow({ x, y, w, bias: operands.bias, taps }, rowPhase, columnPhase);
        });
      };
      if (rowPhase.outputs === rows.phases[0].outputs) write();
      else f.if(i32.lt_s(j, rowPhase.outputs), write);
    });
  });
}

type RowWriter = (row: RowLocals, rowPhase: AxisPhase, columnPhase: AxisPhase) => void;

/** Prepares a row pixel by pixel, over the taps that lie in the image. */
function tapByTap(f: FunctionBuilder, { correlation, channels, hasBias, relaxed }: Code): RowWriter {
  const { i32, v128 } = f;
  const { columns, filter } = correlation;
  const madd = multiplyAdd(f, relaxed);
  const { pixel, ix, first, count, m, k } = integers(f, "pixel", "ix", "first", "count", "m", "k");
  const { x, xRow, xTap, wFirst, wRow, wTap, y, at } = integers(
    f,
    ...(["x", "xRow", "xTap", "wFirst", "wRow", "wTap", "y", "at"] as const),
  );
  const [sums, xs, weights] = ["sum", "x", "weight"].map((name) => f.locals(name, "v128", 4));
  return (row, rowPhase, { taps, start, spacing, tapStep, outputs }) => {
    const step = columns.phases.length;
    f.set(y, row.y);
    f.forRange(pixel, { to: outputs }, () => {
      f.set(ix, i32.add(i32.mul(pixel, columns.step), start));
      clipTaps(f, ix, columns.inSize, { taps, spacing } as AxisPhase, first, count);
      f.set(x, i32.add(i32.mul(pixel, columns.step), i32.mul(first, spacing)));
      f.set(x, i32.add(row.x, i32.mul(x, channels * FLOAT)));
      f.set(wFirst, i32.add(row.w, i32.mul(first, tapStep * filter.column * FLOAT)));
      for (const { first: channel, count: blocks, vectors, lanes } of blocksOfChannels(channels)) {
        f.set(at, channel * FLOAT);
        repeat(f, "block", blocks, () => {
          vectors.forEach((place, v) => {
            if (!hasBias || row.bias === undefined) f.set(sums[v], v128.const("f32x4", 0));
            else {
              f.set(xTap, i32.add(row.bias, at));
              f.set(sums[v], loadLanes(f, xTap, lanes, place * FLOAT));
            }
          });
          f.set(xRow, i32.add(x, at));
          f.set(wRow, i32.add(wFirst, at));
          f.forRange(m, { to: row.taps }, () => {
            f.set(xTap, xRow);
            f.set(wTap, wRow);
            f.forRange(k, { to: count }, () => {
              vectors.forEach((place, v) => {
                f.set(xs[v], loadLanes(f, xTap, lanes, place * FLOAT));
                f.set(weights[v], loadLanes(f, wTap, lanes, place * FLOAT));
              });
              vectors.forEach((_, v) => {
                f.set(sums[v], madd(sums[v], xs[v], weights[v]));
              });
              f.advance(xTap, spacing * channels * FLOAT);
              f.advance(wTap, tapStep * filter.column * FLOAT);
            });
            f.advance(xRow, rowPhase.spacing * columns.inSize * channels * FLOAT);
            f.advance(wRow, rowPhase.tapStep * filter.row * FLOAT);
          });
          f.set(xTap, i32.add(y, at));
          vectors.forEach((place, v) => {
            storeLanes(f, xTap, sums[v], lanes, place * FLOAT);
          });
          f.advance(at, BLOCK * FLOAT);
        });
      }
      f.advance(y, step * channels * FLOAT);
    });
  };
}

/** Prepares a row along which vectors of channels slide. */
function sliding(f: FunctionBuilder, { correlation, channels, hasBias, relaxed }: Code): RowWriter {
  const { i32, v128 } = f;
  const { columns, filter } = correlation;
  const madd = multiplyAdd(f, relaxed);
  const { end, ix, x, y, at, w, firstColumn } = integers(
    f,
    ...(["end", "ix", "x", "y", "at", "w", "firstColumn"] as const),
  );
  const { left, whole, inside } = integers(f, "left", "whole", "inside");
  const weights = Array.from({ length: MOST_ROWS }, (_, m) => f.locals(`weight${m}_`, "v128", 3));
  const xs = f.locals("x", "v128", MOST_ROWS);
  const [bias, p0, p1, done] = f.locals("sum", "v128", 4) as [V128, V128, V128, V128];
  const pixelBytes = channels * FLOAT;
  const chunk = Math.max(FEWEST_COLUMNS, Math.min(MOST_COLUMNS, Math.floor(SLIDING / channels)));
  return (row, rowPhase, { start, tapStep, outputs }) => {
    const rowBytes = rowPhase.spacing * columns.inSize * pixelBytes;
    /** One vector along some columns, over so many rows of taps. */
    const slide = (rows: number, place: number) => {
      f.set(w, i32.add(row.w, at));
      for (let m = 0; m < rows; m++) {
        for (let k = 0; k < 3; k++) {
          f.set(weights[m][k], v128.load(w, { offset: place * FLOAT, align: FLOAT }));
          f.advance(w, tapStep * filter.column * FLOAT);
        }
        f.advance(w, (rowPhase.tapStep * filter.row - 3 * tapStep * filter.column) * FLOAT);
      }
      f.set(x, i32.add(i32.add(row.x, at), i32.mul(firstColumn, pixelBytes)));
      f.set(y, i32.add(i32.add(row.y, at), i32.mul(firstColumn, pixelBytes)));
      f.set(ix, i32.add(firstColumn, start));
      f.set(p0, bias);
      f.set(p1, bias);
      const shift = () => {
        f.set(done, p1);
        f.set(p1, p0);
        f.set(p0, bias);
      };
      const meet = () => {
        for (let m = 0; m < rows; m++)
          f.set(xs[m], v128.load(x, { offset: m * rowBytes + place * FLOAT, align: FLOAT }));
        shift();
        for (let m = 0; m < rows; m++) {
          f.set(done, madd(done, xs[m], weights[m][2]));
          f.set(p1, madd(p1, xs[m], weights[m][1]));
          f.set(p0, madd(p0, xs[m], weights[m][0]));
        }
      };
      const put = () => {
        v128.store(y, done, { offset: place * FLOAT, align: FLOAT });
        f.advance(y, pixelBytes);
      };
      const go = () => {
        f.advance(x, pixelBytes);
        f.advance(ix, 1);
        f.set(left, i32.sub(left, 1));
      };
      f.set(left, i32.sub(end, firstColumn));
      f.set(whole, i32.sub(left, 2));
      // Up to the second column that is inside: the first output is whole with the third.
      f.block((started) => {
        f.loop((again) => {
          f.brIf(started, i32.or(i32.eqz(left), i32.and(i32.le_s(left, whole), i32.ge_s(ix, 0))));
          f.if(i32.lt_u(ix, columns.inSize), meet, shift);
          f.if(i32.le_s(left, whole), put);
          go();
          f.br(again);
        });
      });
      // Inside, without a question; the rest lies beyond the right border.
      f.set(inside, i32.sub(columns.inSize, ix));
      f.set(inside, f.select(inside, left, i32.lt_s(inside, left)));
      whileAtLeast(f, inside, 1, () => {
        meet();
        put();
        go();
      });
      whileAtLeast(f, left, 1, () => {
        shift();
        put();
      });
    };
    f.forRange(firstColumn, { to: outputs, step: chunk }, () => {
      f.set(end, i32.add(firstColumn, chunk));
      f.set(end, f.select(end, outputs, i32.lt_s(end, outputs)));
      f.advance(end, 2);
      for (const { first, count, vectors } of blocksOfChannels(channels)) {
        f.set(at, first * FLOAT);
        repeat(f, "block", count, () => {
          for (const place of vectors) {
            if (!hasBias || row.bias === undefined) f.set(bias, v128.const("f32x4", 0));
            else {
              f.set(w, i32.add(row.bias, at));
              f.set(bias, v128.load(w, { offset: place * FLOAT, align: FLOAT }));
            }
            // Rows at the upper and lower border meet fewer rows of taps.
            for (let rows = 0; rows <= rowPhase.taps; rows++)
              f.if(i32.eq(row.taps, rows), () => slide(rows, place));
          }
          f.advance(at, BLOCK * FLOAT);
        });
      }
    });
  };
}
