// The filter gradient of a convolution with one filter for each channel: gw[tap][c] = Σ x[pixel of the tap][c] · gy[pixel][c].
//
//   for each part of the output rows:
//     for each row of them, some of its columns, each row of taps that lies in the image, each vector or two of channels:
//       sums[kx] += x[pixel of the tap] · gy[pixel]   in registers, then added to those of the part
//   then add up the parts, in double
//
// The parts are the same for any number of threads, and so is the order in which they are added up.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { multiplyAdd } from "../multiply-add.ts";
import { FLOAT, VECTOR } from "../stream.ts";
import type { Correlation } from "./geometry.ts";
import { loadLanes } from "./lanes.ts";
import { repeat } from "./register-tile.ts";
import type { Operands, Range, Steps } from "./steps.ts";
import { PARTS } from "./winograd-gradient.ts";

/** Columns of taps whose sums stay in registers, with the numbers that they are made of. */
const MOST_TAPS = 6;
const REGISTERS = 14;
/** Columns times channels that the first cache holds twice. */
const COLUMNS = 2048;

interface Code {
  readonly correlation: Correlation;
  readonly channels: number;
  readonly relaxed: boolean;
  readonly parts: number;
  /** Bytes of a tap's sums, and of a part's. */
  readonly tapBytes: number;
  readonly partBytes: number;
}

/** The phases; `correlation` is that of one channel, `output` the gradient that is given. */
export function depthwiseGradientSteps(correlation: Correlation, channels: number, relaxed: boolean): Steps {
  const { N, rows, columns } = correlation;
  const parts = Math.min(PARTS, N * rows.outSize);
  const tapBytes = Math.ceil(channels / 4) * VECTOR;
  const taps = rows.phases[0].taps * columns.phases[0].taps;
  const code = { correlation, channels, relaxed, parts, tapBytes, partBytes: taps * tapBytes };
  return {
    tile: `depthwise_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: parts * code.partBytes,
    ownBytes: 0,
    steps: [
      { items: parts, write: (f, range, operands) => writeParts(f, range, operands, code) },
      { items: taps, write: (f, range, operands) => writeSum(f, range, operands.filter, code) },
    ],
  };
}

/** Sums up the parts `from` … `to - 1`. */
function writeParts(f: FunctionBuilder, { from, to, shared }: Range, operands: Operands, code: Code): void {
  const { i32, memory } = f;
  const { correlation, channels, parts, tapBytes, partBytes } = code;
  const { N, rows, columns } = correlation;
  const [{ taps: rowTaps, spacing: rowSpacing, start: rowStart }] = rows.phases;
  const [{ taps, start }] = columns.phases;
  const { item, row, end, n, iy, m, sums, tapSums } = f.declare("i32");
  const { gy, x, column, last, channel } = f.declare("i32");
  const pixelBytes = channels * FLOAT;
  const chunk = Math.max(8, Math.floor(COLUMNS / channels));
  const groups = Array.from({ length: Math.ceil(taps / MOST_TAPS) }, (_, g) => ({
    first: g * MOST_TAPS,
    count: Math.min(MOST_TAPS, taps - g * MOST_TAPS),
  }));
  const writers = groups.map(({ first, count }) => {
    const vectors = Math.max(1, Math.min(4, Math.floor(REGISTERS / (2 * count + 1))));
    return {
      vectors,
      whole: sumsOfTaps(f, code, first, count, vectors, 4),
      one: sumsOfTaps(f, code, first, count, 1, 4),
      rest: sumsOfTaps(f, code, first, count, 1, channels % 4),
    };
  });
  f.forRange(item, { from, to }, () => {
    f.set(sums, f.at(shared, item, partBytes));
    memory.fill(sums, 0, partBytes);
    f.set(end, i32.div_u(i32.mul(i32.add(item, 1), N * rows.outSize), parts));
    f.forRange(row, { from: i32.div_u(i32.mul(item, N * rows.outSize), parts), to: end }, () => {
      f.set(n, i32.div_u(row, rows.outSize));
      f.forRange(column, { to: columns.outSize, step: chunk }, () => {
        f.set(last, i32.add(column, chunk));
        f.set(last, f.min(last, columns.outSize));
        f.set(iy, i32.sub(row, i32.mul(n, rows.outSize)));
        f.set(iy, f.at(rowStart, iy, rows.step));
        f.set(tapSums, sums);
        f.forRange(m, { to: rowTaps }, () => {
          f.if(i32.lt_u(iy, rows.inSize), () => {
            f.set(gy, f.at(column, row, columns.outSize));
            f.set(gy, f.at(operands.output, gy, pixelBytes));
            f.set(x, i32.mul(f.at(iy, n, rows.inSize), columns.inSize));
            f.set(x, i32.add(x, f.at(start, column, columns.step)));
            f.set(x, f.at(operands.input, x, pixelBytes));
            const place = { gy, x, sums: tapSums, column, last, channel };
            for (const { vectors, whole, one, rest } of writers) {
              const blocks = Math.floor(channels / (4 * vectors));
              f.set(channel, 0);
              const each = (count: number, bytes: number, write: typeof whole) => {
                if (count > 0)
                  repeat(f, "block", count, () => {
                    write(place);
                    f.advance(channel, bytes);
                  });
              };
              each(blocks, vectors * VECTOR, whole);
              each(Math.floor(channels / 4) - blocks * vectors, VECTOR, one);
              if (channels % 4 > 0) rest(place);
            }
          });
          f.advance(iy, rowSpacing);
          f.advance(tapSums, taps * tapBytes);
        });
      });
    });
  });
}

/** Prepares the sums of some taps of a row, along some columns: what it returns writes the code that adds them to the part's. */
function sumsOfTaps(
  f: FunctionBuilder,
  { correlation: { columns }, channels, relaxed, tapBytes }: Code,
  firstTap: number,
  count: number,
  vectors: number,
  lanes: number,
) {
  const { i32, v128, f32x4 } = f;
  const [{ taps, spacing, start }] = columns.phases;
  const madd = multiplyAdd(f, relaxed);
  const { g, xk, at, pixel, ix } = f.declare("i32");
  const sums = Array.from({ length: count }, (_, k) => f.locals(`sum${k}_`, "v128", vectors));
  const gys = f.locals("gy", "v128", vectors);
  const value = f.local("x", "v128");
  const pixelBytes = channels * FLOAT;
  return (
    place: Readonly<Record<"gy" | "x" | "sums" | "column" | "last" | "channel", Local<"i32">>>,
  ): void => {
    for (const sum of sums.flat()) f.set(sum, v128.const("f32x4", 0));
    f.set(g, i32.add(place.gy, place.channel));
    f.set(xk, i32.add(place.x, place.channel));
    f.set(ix, f.at(start, place.column, columns.step));
    const addTap = (k: number) => {
      sums[k].forEach((sum, v) => {
        const offset = v * VECTOR;
        f.set(at, i32.add(xk, (firstTap + k) * spacing * pixelBytes));
        f.set(value, loadLanes(f, at, lanes, offset));
        f.set(sum, madd(sum, value, gys[v]));
      });
    };
    f.forRange(pixel, { from: place.column, to: place.last }, () => {
      gys.forEach((gy, v) => {
        f.set(gy, loadLanes(f, g, lanes, v * VECTOR));
      });
      const reach = columns.inSize - (taps - 1) * spacing;
      const all = () => {
        sums.forEach((_, k) => {
          addTap(k);
        });
      };
      const some = () =>
        sums.forEach((_, k) => {
          f.if(i32.lt_u(i32.add(ix, (firstTap + k) * spacing), columns.inSize), () => addTap(k));
        });
      if (reach > 0) f.if(i32.lt_u(ix, reach), all, some);
      else some();
      f.advance(ix, columns.step);
      f.advance(g, pixelBytes);
      f.advance(xk, columns.step * pixelBytes);
    });
    sums.forEach((tap, k) => {
      tap.forEach((sum, v) => {
        const offset = (firstTap + k) * tapBytes + v * VECTOR;
        f.set(at, i32.add(place.sums, place.channel));
        v128.store(at, f32x4.add(sum, v128.load(at, { offset })), { offset });
      });
    });
  };
}

/** Adds up the parts and writes the taps `from` … `to - 1`. */
function writeSum(f: FunctionBuilder, { from, to, shared }: Range, gw: Local<"i32">, code: Code): void {
  const { f32, f64 } = f;
  const { channels, parts, tapBytes, partBytes } = code;
  const { tap, c, part, at, source, target } = f.declare("i32");
  const sum = f.local("sum", "f64");
  f.set(target, f.at(gw, from, channels * FLOAT));
  f.forRange(tap, { from, to }, () => {
    f.set(source, f.at(shared, tap, tapBytes));
    f.forRange(c, { to: channels }, () => {
      f.set(sum, 0);
      f.set(at, source);
      f.forRange(part, { to: parts }, () => {
        f.set(sum, f64.add(sum, f64.promote_f32(f32.load(at))));
        f.advance(at, partBytes);
      });
      f32.store(target, f32.demote_f64(sum));
      f.advance(source, FLOAT);
      f.advance(target, FLOAT);
    });
  });
}
