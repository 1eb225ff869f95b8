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

import type { Axis, AxisPhase, Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import { MEMORY_GRAIN } from "../stream.ts";
import { anyBatch, forEachRow, type Row, tapBytes } from "./rows.ts";
import type { StepLocals, Steps } from "./steps.ts";

/** Outputs of a tile, and the vectors that its sums, inputs and filter may take of the 16 registers. */
const MOST_OUTPUTS = 4;
const REGISTERS = 14;
/** Bytes of a cache line, and of an image that does not come from a core's share of the third cache. */
const LINE = 64;
const LARGE_IMAGE = 2 ** 23;
/** Tiles at the borders of one row, each of which is code of its own. */
const MOST_BORDER_TILES = 8;

/** What the code is made for. */
interface Code {
  /** Of all channels, in and out; an output meets one of them. */
  readonly correlation: Correlation;
  readonly relaxed: boolean;
}

/** Inputs that some outputs meet in one row, from the first tap of the first of them. */
function inputsOf(outputs: number, step: number, { taps, spacing }: AxisPhase): number[] {
  const all = Array.from({ length: outputs }, (_, p) => taps.map((_, k) => p * step + k * spacing));
  return [...new Set(all.flat())];
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

/** Cuts a row into tiles. */
function cutOf({ inSize, step }: Axis, phase: AxisPhase): Cut {
  const { taps, spacing, start } = phase;
  const registers = (outputs: number) => outputs + inputsOf(outputs, step, phase).length + taps.length;
  // Where not even two fit, three wait less for each other: 7x7 on 14x14x384 takes 0.20 ms, with two 0.23.
  const outputs = [MOST_OUTPUTS, 3, 2].find((count) => registers(count) <= REGISTERS) ?? 3;
  const left = Math.max(0, Math.ceil(-start / step));
  const end = Math.floor((inSize - 1 - start - (taps.length - 1) * spacing) / step) + 1;
  const inside = Math.ceil(left / outputs) * outputs;
  const count = Math.max(0, Math.floor((Math.min(end, phase.outputs) - inside) / outputs));
  const borders: number[] = [];
  for (let first = 0; first < phase.outputs; first += outputs)
    if (first < inside || first >= inside + count * outputs) borders.push(first);
  return { outputs, inside, count, borders };
}

/** The phases of a correlation of each channel with its own filter; `undefined` where borders would take too much code. */
export function depthwiseSteps(correlation: Correlation, relaxed: boolean): Steps | undefined {
  const { N, I, rows, columns } = correlation;
  const cuts = columns.phases.map((phase) => cutOf(columns, phase));
  if (cuts.some(({ borders }) => borders.length > MOST_BORDER_TILES)) return undefined;
  const [{ outputs }] = cuts;
  return {
    tile: `depthwise_1x${outputs}_${relaxed ? "relaxed" : "simd"}`,
    key: [anyBatch(correlation), relaxed],
    steps: [
      {
        items: N * rows.phases[0].outputs,
        grain: Math.ceil(MEMORY_GRAIN / (4 * columns.outSize * I)),
        write: (f, locals) => writeRows(f, locals, { correlation, relaxed }),
      },
    ],
  };
}

/** Computes the rows `from` … `to - 1` of the outputs of all images, each in all phases. */
function writeRows(f: FunctionBuilder, locals: StepLocals, code: Code): void {
  const { rows, columns } = code.correlation;
  const w = f.local("w", "i32");
  const writeRow = rowWriter(f, locals, code);
  forEachRow(f, locals, code.correlation, (row, r, c) => {
    const taps = tapBytes(code.correlation, rows.phases[r], columns.phases[c]);
    f.set(w, f.at(f.i32.add(locals.filter, taps.origin), row.firstTap, taps.row));
    writeRow(row, w, r, c);
  });
}

/** Prepares a row tile by tile. */
function rowWriter(f: FunctionBuilder, { bias }: StepLocals, { correlation, relaxed }: Code) {
  const { i32, v128 } = f;
  const { I: channels, rows, columns } = correlation;
  const madd = f.multiplyAdd(relaxed);
  const { x, y, at, xRow, wRow, yAt, left, tile } = f.declare("i32");
  const sums = f.locals("sum", "v128", MOST_OUTPUTS);
  const weight = f.local("weight", "v128");
  const pixelBytes = channels * FLOAT;
  const rowBytes = columns.inSize * pixelBytes;
  const outputBytes = columns.phases.length * pixelBytes;
  const lanes = Math.min(4, channels);
  /** Where the last vector begins: it overlaps the one before rather than being cut. */
  const lastVector = Math.max(0, channels - 4) * FLOAT;
  return (row: Row, w: I32, r: number, c: number): void => {
    const [rowPhase, phase] = [rows.phases[r], columns.phases[c]];
    const { taps, spacing, start } = phase;
    const cut = cutOf(columns, phase);
    const xs = f.locals("x", "v128", inputsOf(cut.outputs, columns.step, phase).length);
    const tap = tapBytes(correlation, rowPhase, phase);
    /** The filter's lowest address, from its first tap. */
    const lowest = Math.min(0, (taps.length - 1) * tap.column);
    /** One tile; `x` and `y` are those of its first output, and `isMet` says which inputs lie in the image. */
    const writeTile = (outputs: number, isMet: (input: number) => boolean) => {
      const inputs = inputsOf(outputs, columns.step, phase).filter(isMet);
      const lowestX = inputs.length === 0 ? 0 : Math.min(...inputs) * pixelBytes;
      const tileSums = sums.slice(0, outputs);
      const writeVector = () => {
        for (const sum of tileSums) {
          if (bias === undefined) f.set(sum, v128.const("f32x4", 0));
          else {
            f.set(xRow, i32.add(bias, at));
            f.set(sum, f.loadLanes(xRow, lanes));
          }
        }
        f.set(xRow, i32.add(i32.add(x, lowestX), at));
        f.set(wRow, i32.add(i32.add(w, lowest), at));
        f.set(left, row.taps);
        f.whileAtLeast(left, 1, () => {
          inputs.forEach((input, i) => {
            f.set(xs[i], f.loadLanes(xRow, lanes, input * pixelBytes - lowestX));
          });
          taps.forEach((_, k) => {
            const met = tileSums.map(
              (sum, p) => [sum, inputs.indexOf(p * columns.step + k * spacing)] as const,
            );
            if (met.every(([, i]) => i < 0)) return;
            f.set(weight, f.loadLanes(wRow, lanes, k * tap.column - lowest));
            for (const [sum, i] of met) if (i >= 0) f.set(sum, madd(sum, xs[i], weight));
          });
          f.advance(xRow, rowPhase.spacing * rowBytes);
          f.advance(wRow, tap.row);
        });
        f.set(yAt, i32.add(y, at));
        tileSums.forEach((sum, p) => {
          f.storeLanes(yAt, sum, lanes, p * outputBytes);
        });
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
     * follow tiles of pixels of several lines (592x592x64: 15.7 ms without, 11.2 ms with it; 592x592x16: 4.3 and 4.6 ms).
     */
    const readRows = () => {
      const fresh = Math.min(rows.step, rowPhase.taps.length);
      f.set(left, i32.sub(row.taps, fresh));
      f.set(left, f.max(left, 0));
      f.set(x, f.at(i32.sub(row.x, start * pixelBytes), left, rowPhase.spacing * rowBytes));
      f.set(left, i32.sub(row.taps, left));
      f.whileAtLeast(left, 1, () => {
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
    if (pixelBytes > LINE && rows.inSize * rowBytes > LARGE_IMAGE) readRows();
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
