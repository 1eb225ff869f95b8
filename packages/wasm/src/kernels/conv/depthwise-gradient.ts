// The filter gradient of a convolution with one filter for each channel: gw[tap][c] = Σ x[pixel of the tap][c] · gy[pixel][c].
//
//   for each part of the output rows:
//     for each row of them, some of its columns, each row of taps that lies in the image, each vector or two of channels:
//       sums[kx] += x[pixel of the tap] · gy[pixel]   in registers, then added to those of the part
//   then add up the parts
//
// The parts are added up in the same order for any number of threads (parts.ts).

import type { Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import {
  addingParts,
  bytesOf,
  forEachTapRow,
  forEachTerm,
  type Parts,
  partsOf,
  writingTaps,
} from "./parts.ts";
import { type Blocks, blocksOf } from "./register-tile.ts";
import { inputOf, outputOf, pixelAddress } from "./rows.ts";
import type { StepLocals, Steps } from "./steps.ts";

/** Vectors that the sums of a row of taps may take, with the numbers that they are made of. */
const REGISTERS = 14;
/** Columns times channels that the first cache holds twice. */
const COLUMNS = 2048;

interface Code {
  /** Of all channels, in and out; an output meets one of them. */
  readonly correlation: Correlation;
  readonly relaxed: boolean;
  readonly parts: Parts;
  /** Bytes of a tap's sums. */
  readonly tapBytes: number;
}

/** The phases; `output` is the gradient that is given. */
export function depthwiseGradientSteps(correlation: Correlation, relaxed: boolean): Steps {
  const { N, I, rows, columns } = correlation;
  const tapBytes = Math.ceil(I / 4) * VECTOR;
  const [down, across] = [rows, columns].map(({ phases: [{ taps }] }) => taps.length);
  const parts = partsOf(N * rows.outSize, down * across * tapBytes);
  const code = { correlation, relaxed, parts, tapBytes };
  return {
    tile: `depthwise_${relaxed ? "relaxed" : "simd"}`,
    key: [correlation, relaxed],
    sharedBytes: bytesOf(parts),
    steps: [
      { items: parts.count, write: (f, locals) => writeParts(f, locals, code) },
      ...addingParts(parts),
      writingTaps(
        { ...correlation, I: 1 },
        { row: across * tapBytes, tap: tapBytes, input: 0, output: FLOAT },
      ),
    ],
  };
}

/** Where some channels of a row's sums are made: the pixels of one row from `column` to before `last`. */
type Place = Readonly<Record<"gy" | "x" | "sums" | "column" | "last", I32>>;

/** Sums up the parts `from` … `to - 1`. */
function writeParts(f: FunctionBuilder, locals: StepLocals, code: Code): void {
  const { i32 } = f;
  const { correlation, parts, tapBytes } = code;
  const { I: channels, rows, columns } = correlation;
  const [{ taps, start }] = columns.phases;
  const { row, n, gy, x, sums, column, last } = f.declare("i32");
  const chunk = Math.max(8, Math.floor(COLUMNS / channels));
  const vectors = Math.max(1, Math.min(4, Math.floor(REGISTERS / (2 * taps.length + 1))));
  const writers = blocksOf(channels, 4 * vectors).map((blocks) => ({
    blocks,
    write: sumsOfTaps(f, code, blocks),
  }));
  forEachTerm(f, locals, parts, (term, partSums) => {
    f.unravel(term, [n, row], [rows.outSize]);
    f.forRange(column, { to: columns.outSize, step: chunk }, () => {
      f.set(last, i32.add(column, chunk));
      f.set(last, f.min(last, columns.outSize));
      const tapRows = { from: partSums, bytes: taps.length * tapBytes };
      forEachTapRow(f, correlation, row, tapRows, (y, tapSums) => {
        f.set(x, f.at(start, column, columns.step));
        f.set(x, pixelAddress(f, inputOf(correlation), locals.input, { n, y, x }));
        f.set(gy, pixelAddress(f, outputOf(correlation), locals.output, { n, y: row, x: column }));
        f.set(sums, tapSums);
        for (const { blocks, write } of writers)
          f.repeat("block", blocks.count, () => {
            write({ gy, x, sums, column, last });
            for (const pointer of [gy, x, sums]) f.advance(pointer, blocks.channels * FLOAT);
          });
      });
    });
  });
}

/** Prepares the sums of a row of taps: what it returns writes the code that adds them to the part's. */
function sumsOfTaps(
  f: FunctionBuilder,
  { correlation: { I, columns }, relaxed, tapBytes }: Code,
  { vectors, channels }: Blocks,
): (place: Place) => void {
  const { i32, v128, f32x4 } = f;
  const [{ taps, spacing, start }] = columns.phases;
  const madd = f.multiplyAdd(relaxed);
  const { g, xk, at, pixel, ix } = f.declare("i32");
  const sums = taps.map((_, k) => f.locals(`sum${k}_`, "v128", vectors));
  const gys = f.locals("gy", "v128", vectors);
  const value = f.local("x", "v128");
  const pixelBytes = I * FLOAT;
  const load = (from: I32, v: number) => f.loadLanes(from, Math.min(4, channels - 4 * v), v * VECTOR);
  return (place) => {
    for (const sum of sums.flat()) f.set(sum, v128.const("f32x4", 0));
    f.set(g, place.gy);
    f.set(xk, place.x);
    f.set(ix, f.at(start, place.column, columns.step));
    const addTap = (k: number) =>
      sums[k].forEach((sum, v) => {
        f.set(at, i32.add(xk, k * spacing * pixelBytes));
        f.set(value, load(at, v));
        f.set(sum, madd(sum, value, gys[v]));
      });
    f.forRange(pixel, { from: place.column, to: place.last }, () => {
      gys.forEach((gy, v) => {
        f.set(gy, load(g, v));
      });
      const reach = columns.inSize - (taps.length - 1) * spacing;
      const all = () => {
        for (const k of taps.keys()) addTap(k);
      };
      const some = () => {
        for (const k of taps.keys())
          f.if(i32.lt_u(i32.add(ix, k * spacing), columns.inSize), () => addTap(k));
      };
      if (reach > 0) f.if(i32.lt_u(ix, reach), all, some);
      else some();
      f.advance(ix, columns.step);
      f.advance(g, pixelBytes);
      f.advance(xk, columns.step * pixelBytes);
    });
    sums.forEach((tap, k) => {
      tap.forEach((sum, v) => {
        const offset = k * tapBytes + v * VECTOR;
        v128.store(place.sums, f32x4.add(sum, v128.load(place.sums, { offset })), { offset });
      });
    });
  };
}
