// The rows of outputs of a correlation, and what they read.

import type { AxisPhase, Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type Operand, type Value } from "../../asm/index.ts";
import type { StepLocals } from "./steps.ts";

/** A row of outputs in one phase. */
export interface Row {
  /** What its first pixel's first tap reads in the first row of taps that lies in the image. */
  readonly x: I32;
  /** Its first pixel. */
  readonly y: I32;
  /** The rows of taps that lie in the image: `taps` of them from `firstTap` on. */
  readonly firstTap: I32;
  readonly taps: I32;
}

/** What code that goes row by row depends on: whatever image a row is of, it is the same. */
export const anyBatch = (correlation: Correlation): Correlation => ({ ...correlation, N: 0 });

/** An array of pixels, and the integers of its shape. */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The images that a correlation reads and writes. */
export const inputOf = ({ I, rows, columns }: Correlation): Image => ({
  height: rows.inSize,
  width: columns.inSize,
  channels: I,
});
export const outputOf = ({ O, rows, columns }: Correlation): Image => ({
  height: rows.outSize,
  width: columns.outSize,
  channels: O,
});

/** `base + ((n · height + y) · width + x) · channels`, in floats. */
export function pixelAddress(
  f: FunctionBuilder,
  { height, width, channels }: Image,
  base: I32,
  { n, y, x }: { readonly n: I32; readonly y: Operand<"i32">; readonly x: I32 | number },
): Value<"i32"> {
  return f.at(base, f.at(x, f.at(y, n, height), width), channels * FLOAT);
}

/**
 * Goes through rows of outputs of all images, the items `from` … `to - 1`: one of each phase is an item.
 *
 * @param body writes the code for a row of that phase along each axis
 */
export function forEachRow(
  f: FunctionBuilder,
  { from, to, input, output }: StepLocals,
  correlation: Correlation,
  body: (row: Row, rowPhase: number, columnPhase: number) => void,
): void {
  const { rows, columns } = correlation;
  const [{ outputs }] = rows.phases;
  const { item, n, j, iy, line, firstTap, taps, x, y } = f.declare("i32");
  f.forRange(item, { from, to }, () => {
    f.unravel(item, [n, j], [outputs]);
    rows.phases.forEach((phase, r) => {
      const write = () => {
        // Row j reads the input row iy and those `spacing` apart.
        f.set(iy, f.at(phase.start, j, rows.step));
        clipTaps(f, iy, rows.inSize, phase, firstTap, taps);
        f.set(iy, f.at(iy, firstTap, phase.spacing));
        f.set(line, f.at(r, j, rows.phases.length));
        columns.phases.forEach(({ start }, c) => {
          f.set(x, pixelAddress(f, inputOf(correlation), input, { n, y: iy, x: start }));
          f.set(y, pixelAddress(f, outputOf(correlation), output, { n, y: line, x: c }));
          body({ x, y, firstTap, taps }, r, c);
        });
      };
      if (phase.outputs === outputs) write();
      else f.if(f.i32.lt_s(j, phase.outputs), write);
    });
  });
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
  f.set(first, f.max(ceilDivide(i32.sub(0, at)), 0));
  f.set(count, f.min(ceilDivide(i32.sub(size, at)), taps.length));
  f.set(count, f.max(i32.sub(count, first), 0));
}

/** Where in a filter the taps of two phases lie: the first of them, and how far it is along both axes, in bytes. */
export function tapBytes({ filter }: Correlation, rows: AxisPhase, columns: AxisPhase) {
  const step = ({ taps: [first = 0, second = first] }: AxisPhase) => second - first;
  const [
    {
      taps: [top = 0],
    },
    {
      taps: [left = 0],
    },
  ] = [rows, columns];
  return {
    origin: (top * filter.ky + left * filter.kx) * FLOAT,
    row: step(rows) * filter.ky * FLOAT,
    column: step(columns) * filter.kx * FLOAT,
  };
}
