// Convolutions with one filter for each channel, and their adjoints: lanes lie along the channels, in which arrays and
// filter are neighbours already, so nothing is packed.
//
//   for each row of outputs, each pixel:  out[c] = bias[c] + Σ_taps in[pixel of the tap][c] · w[tap][c]
//
// Outputs next to each other share inputs and filter. So a row is cut into tiles of up to four outputs, whose inputs are
// loaded once for all of them:
//
//   for each tile:  for each vector of channels:  for each row of taps:  inputs, filter, up to 4 · taps products
//
// A tile reads its pixels from the first channel to the last, so memory is read in order: a form that kept the filter in
// registers, and read one vector of many pixels at a time, took twice the time on 592x592x64 and on 14x14x512, where pixels
// lie 256 bytes and 2 KB apart. Tiles at the left and right border are code of their own, without the taps outside.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { multiplyAdd } from "../multiply-add.ts";
import { FLOAT, MEMORY_GRAIN, VECTOR, whileAtLeast } from "../stream.ts";
import { clipTaps } from "./direct.ts";
import type { Axis, AxisPhase, Correlation } from "./geometry.ts";
import { loadLanes, storeLanes } from "./lanes.ts";
import { BLOCK, repeat } from "./register-tile.ts";
import type { Operands, Range, Steps } from "./steps.ts";

type I32 = Local<"i32">;

/** Outputs of a tile, and the vectors that its sums, inputs and filter may take of the 16 registers. */
const MOST_OUTPUTS = 4;
const REGISTERS = 14;
/** Bytes of a cache line, and of an image that is larger than the second cache of one core. */
const LINE = 64;
const LARGE_IMAGE = 2 ** 20;
/** Tiles at the borders of one row; a row that has more goes tap by tap. */
const MOST_BORDER_TILES = 8;

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

/** Inputs that some outputs meet in one row, from the first tap of the first of them. */
function inputsOf(outputs: number, step: number, { taps, spacing }: AxisPhase): number[] {
  const all = Array.from({ length: outputs * taps }, (_, i) => {
    return Math.floor(i / taps) * step + (i % taps) * spacing;
  });
  return [...new Set(all)];
}

/** How a row is cut. */
interface Cut {
  /** Outputs of a tile. */
  readonly outputs: number;
  /** Where the tiles begin whose taps all lie in the image, and how many they are. */
  readonly inside: number;
  readonly count: number;
  /** Where the others begin. */
  readonly borders: readonly number[];
}

/** Cuts a row into tiles; `undefined` where tiles do not fit the registers, or nearly all would be at a border. */
function cutOf({ inSize, step }: Axis, phase: AxisPhase): Cut | undefined {
  const { taps, spacing, start } = phase;
  const outputs = [MOST_OUTPUTS, 3, 2].find(
    (count) => count + inputsOf(count, step, phase).length + taps <= REGISTERS,
  );
  if (outputs === undefined) return undefined;
  const left = Math.max(0, Math.ceil(-start / step));
  const end = Math.floor((inSize - 1 - start - (taps - 1) * spacing) / step) + 1;
  const inside = Math.ceil(left / outputs) * outputs;
  const count = Math.max(0, Math.floor((Math.min(end, phase.outputs) - inside) / outputs));
  const borders: number[] = [];
  for (let first = 0; first < phase.outputs; first += outputs)
    if (first < inside || first >= inside + count * outputs) borders.push(first);
  return borders.length > MOST_BORDER_TILES ? undefined : { outputs, inside, count, borders };
}

/** The phases of a correlation of each channel with its own filter. */
export function depthwiseSteps(
  correlation: Correlation,
  channels: number,
  hasBias: boolean,
  relaxed: boolean,
): Steps {
  const code = { correlation, channels, hasBias, relaxed };
  const { N, rows, columns } = correlation;
  const tiles = cutOf(columns, columns.phases[0]);
  return {
    tile: `depthwise_${tiles === undefined ? "taps" : `1x${tiles.outputs}`}_${relaxed ? "relaxed" : "simd"}`,
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
  const { item, n, j, iy, firstTap, taps } = f.declare("i32");
  const { x, y, w, line } = f.declare("i32");
  const byTaps = tapByTap(f, code);
  const inTiles = tileByTile(f, code);
  f.forRange(item, { from, to }, () => {
    f.set(n, i32.div_u(item, rows.phases[0].outputs));
    f.set(j, i32.sub(item, i32.mul(n, rows.phases[0].outputs)));
    rows.phases.forEach((rowPhase, row) => {
      const write = () => {
        f.set(iy, f.at(rowPhase.start, j, rows.step));
        clipTaps(f, iy, rows.inSize, rowPhase, firstTap, taps);
        f.set(iy, f.at(iy, firstTap, rowPhase.spacing));
        columns.phases.forEach((columnPhase, column) => {
          f.set(x, i32.mul(f.at(iy, n, rows.inSize), columns.inSize));
          f.set(x, i32.mul(i32.add(x, columnPhase.start), channels * FLOAT));
          f.set(x, i32.add(operands.input, x));
          f.set(line, f.at(row, j, rows.phases.length));
          f.set(line, f.at(line, n, rows.outSize));
          f.set(line, f.at(column, line, columns.outSize));
          f.set(y, f.at(operands.output, line, channels * FLOAT));
          f.set(w, f.at(rowPhase.firstTap, firstTap, rowPhase.tapStep));
          f.set(w, f.at(columnPhase.firstTap * filter.column, w, filter.row));
          f.set(w, f.at(operands.filter, w, FLOAT));
          const cut = cutOf(columns, columnPhase);
          const locals = { x, y, w, bias: operands.bias, taps };
          if (cut === undefined) byTaps(locals, rowPhase, columnPhase);
          else inTiles(locals, rowPhase, columnPhase, cut);
        });
      };
      if (rowPhase.outputs === rows.phases[0].outputs) write();
      else f.if(i32.lt_s(j, rowPhase.outputs), write);
    });
  });
}

/** Prepares a row pixel by pixel, over the taps that lie in the image. */
function tapByTap(f: FunctionBuilder, { correlation, channels, hasBias, relaxed }: Code) {
  const { i32, v128 } = f;
  const { columns, filter } = correlation;
  const madd = multiplyAdd(f, relaxed);
  const { pixel, ix, first, count, m, k } = f.declare("i32");
  const { x, xRow, xTap, wFirst, wRow, wTap, y, at } = f.declare("i32");
  const [sums, xs, weights] = ["sum", "x", "weight"].map((name) => f.locals(name, "v128", 4));
  return (
    row: RowLocals,
    rowPhase: AxisPhase,
    { taps, start, spacing, tapStep, outputs }: AxisPhase,
  ): void => {
    const step = columns.phases.length;
    f.set(y, row.y);
    f.forRange(pixel, { to: outputs }, () => {
      f.set(ix, f.at(start, pixel, columns.step));
      clipTaps(f, ix, columns.inSize, { taps, spacing } as AxisPhase, first, count);
      f.set(x, f.at(i32.mul(pixel, columns.step), first, spacing));
      f.set(x, f.at(row.x, x, channels * FLOAT));
      f.set(wFirst, f.at(row.w, first, tapStep * filter.column * FLOAT));
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

/** Prepares a row tile by tile. */
function tileByTile(f: FunctionBuilder, { correlation, channels, hasBias, relaxed }: Code) {
  const { i32, v128 } = f;
  const { columns, filter } = correlation;
  const madd = multiplyAdd(f, relaxed);
  const { x, y, at, xRow, wRow, yAt, left, tile } = f.declare("i32");
  const sums = f.locals("sum", "v128", MOST_OUTPUTS);
  const xs = f.locals("x", "v128", REGISTERS);
  const weights = f.locals("weight", "v128", REGISTERS);
  const pixelBytes = channels * FLOAT;
  const lanes = Math.min(4, channels);
  /** Where the last vector begins: it overlaps the one before rather than being cut. */
  const lastVector = Math.max(0, channels - 4) * FLOAT;
  return (row: RowLocals, rowPhase: AxisPhase, phase: AxisPhase, cut: Cut): void => {
    const { taps, spacing, start, tapStep } = phase;
    const tapBytes = tapStep * filter.column * FLOAT;
    /** The filter's lowest address, from its first tap. */
    const lowest = Math.min(0, (taps - 1) * tapBytes);
    const outputBytes = columns.phases.length * pixelBytes;
    /** One tile; `x` and `y` are those of its first output, and `isMet` says which inputs lie in the image. */
    const writeTile = (outputs: number, isMet: (input: number) => boolean) => {
      const inputs = inputsOf(outputs, columns.step, phase).filter(isMet);
      const first = Math.min(...inputs);
      const lowestX = Number.isFinite(first) ? first * pixelBytes : 0;
      const met = Array.from({ length: taps }, (_, k) => k).filter((k) =>
        sums.some((_, p) => p < outputs && isMet(p * columns.step + k * spacing)),
      );
      const writeVector = () => {
        for (const sum of sums.slice(0, outputs)) {
          if (!hasBias || row.bias === undefined) f.set(sum, v128.const("f32x4", 0));
          else {
            f.set(xRow, i32.add(row.bias, at));
            f.set(sum, loadLanes(f, xRow, lanes));
          }
        }
        f.set(xRow, i32.add(i32.add(x, lowestX), at));
        f.set(wRow, i32.add(i32.add(row.w, lowest), at));
        f.set(left, row.taps);
        whileAtLeast(f, left, 1, () => {
          inputs.forEach((input, i) => {
            f.set(xs[i], loadLanes(f, xRow, lanes, input * pixelBytes - lowestX));
          });
          for (const k of met) f.set(weights[k], loadLanes(f, wRow, lanes, k * tapBytes - lowest));
          for (const k of met)
            for (let p = 0; p < outputs; p++) {
              const i = inputs.indexOf(p * columns.step + k * spacing);
              if (i >= 0) f.set(sums[p], madd(sums[p], xs[i], weights[k]));
            }
          f.advance(xRow, rowPhase.spacing * columns.inSize * pixelBytes);
          f.advance(wRow, rowPhase.tapStep * filter.row * FLOAT);
        });
        f.set(yAt, i32.add(y, at));
        for (let p = 0; p < outputs; p++) storeLanes(f, yAt, sums[p], lanes, p * outputBytes);
      };
      f.set(at, 0);
      f.block((done) => {
        f.loop((again) => {
          writeVector();
          f.brIf(done, i32.eq(at, lastVector));
          f.advance(at, VECTOR);
          if (lastVector % VECTOR > 0) f.set(at, f.min(at, lastVector));
          f.br(again);
        });
      });
    };
    /**
     * Reads the rows that no output row before has met, in order: what prefetches memory follows that, and does not
     * follow tiles (592x592x64: 15.7 ms without, 11.2 ms with it).
     */
    const readRows = () => {
      const rowBytes = columns.inSize * pixelBytes;
      const fresh = Math.min(correlation.rows.step, rowPhase.taps);
      f.set(x, i32.sub(row.x, start * pixelBytes));
      f.set(left, i32.sub(row.taps, fresh));
      f.set(left, f.max(left, 0));
      f.set(x, f.at(x, left, rowPhase.spacing * rowBytes));
      f.set(left, i32.sub(row.taps, left));
      whileAtLeast(f, left, 1, () => {
        f.set(at, x);
        f.forRange(tile, { to: Math.floor(rowBytes / LINE) }, () => {
          f.drop(i32.load(at));
          f.advance(at, LINE);
        });
        f.advance(x, rowPhase.spacing * rowBytes);
      });
    };
    const goTo = (output: number) => {
      f.set(x, i32.add(row.x, output * columns.step * pixelBytes));
      f.set(y, i32.add(row.y, output * outputBytes));
    };
    if (columns.inSize * correlation.rows.inSize * pixelBytes > LARGE_IMAGE) readRows();
    for (const output of cut.borders) {
      goTo(output);
      writeTile(Math.min(cut.outputs, phase.outputs - output), (input) => {
        const at = output * columns.step + start + input;
        return at >= 0 && at < columns.inSize;
      });
    }
    if (cut.count === 0) return;
    goTo(cut.inside);
    f.forRange(tile, { to: cut.count }, () => {
      writeTile(cut.outputs, () => true);
      f.advance(x, cut.outputs * columns.step * pixelBytes);
      f.advance(y, cut.outputs * outputBytes);
    });
  };
}
