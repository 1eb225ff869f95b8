// Convolutions with few channels, such as the 7x7 filter of spatial attention: there the vectors lie along the row, and
// what is repeated in all lanes are the weights.
//
//   once:   weights = the filter as [ky][i][kx][o]
//   for each row of outputs, each stretch of 4·V pixels:
//     sums[o][v] = bias[o]
//     for each row of taps that lies in the image, each input channel i, each kx:
//       sums[o][v] += weights[ky][i][kx][o] · plane[i][4v + kx … 4v + kx + 3]
//     out = sums, channels side by side again
//
// A plane is one channel of an input row, with zeros at its sides. The planes of as many rows as there are taps are
// kept in a ring, so each input row is taken apart once. The last stretch of a row overlaps the one before.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { FLOAT, VECTOR } from "../stream.ts";
import { clipTaps } from "./direct.ts";
import type { Correlation } from "./geometry.ts";
import { numbers } from "./lanes.ts";
import { registerTile, rowsOf } from "./register-tile.ts";
import type { Operands, Range, Steps } from "./steps.ts";

type I32 = Local<"i32">;

const EVEN = numbers(0, 2, 4, 6);
const ODD = numbers(1, 3, 5, 7);
const ZIPPED_LOW = numbers(0, 4, 1, 5);
const ZIPPED_HIGH = numbers(2, 6, 3, 7);

/** Whether a correlation is of this kind. */
export function isPlanar(c: Correlation): boolean {
  const { I, O, rows, columns } = c;
  const single = rows.phases.length === 1 && columns.phases.length === 1;
  const close =
    columns.step === 1 &&
    rows.phases[0].taps > 0 &&
    columns.phases[0].taps > 0 &&
    rows.phases[0].spacing === 1 &&
    columns.phases[0].spacing === 1;
  return single && close && I <= 2 && O <= 2 && columns.outSize >= 4 && visible(c).count >= 4;
}

/** The phases of a correlation for which {@link isPlanar} holds. */
export function planarSteps(correlation: Correlation, relaxed: boolean): Steps {
  const { N, I, O, rows, columns } = correlation;
  const taps = rows.phases[0].taps * columns.phases[0].taps;
  // As many vectors as fit beside O rows, and no more than a row of outputs has.
  const most = [1, 2, 3, 4, 5, 6].filter((vectors) => rowsOf(vectors) >= O).at(-1)!;
  const vectors = Math.min(most, Math.floor(columns.outSize / 4));
  const planeBytes = Math.ceil(((columns.outSize + columns.phases[0].taps - 1) * FLOAT) / 64) * 64;
  const code = { correlation, relaxed, vectors, planeBytes };
  return {
    tile: `planar_${O}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: taps * I * O * FLOAT,
    ownBytes: rows.phases[0].taps * I * planeBytes,
    steps: [
      {
        items: rows.phases[0].taps,
        reads: ["filter"],
        write: (f, range, operands) => writePacking(f, range, operands.filter, correlation),
      },
      { items: N * rows.outSize, write: (f, range, operands) => writeRows(f, range, operands, code) },
    ],
  };
}

interface Code {
  readonly correlation: Correlation;
  readonly relaxed: boolean;
  readonly vectors: number;
  readonly planeBytes: number;
}

/** Packs the rows of taps `from` … `to - 1`. */
function writePacking(f: FunctionBuilder, { from, to, shared }: Range, w: I32, c: Correlation): void {
  const { i32, f32 } = f;
  const { I, O, filter, rows, columns } = c;
  const [rowPhase, phase] = [rows.phases[0], columns.phases[0]];
  const { m, k, source, target } = f.declare("i32");
  f.set(target, f.at(shared, from, I * phase.taps * O * FLOAT));
  f.forRange(m, { from, to }, () => {
    for (let i = 0; i < I; i++) {
      const origin = rowPhase.firstTap * filter.row + phase.firstTap * filter.column + i * filter.input;
      f.set(source, f.at(i32.add(w, origin * FLOAT), m, rowPhase.tapStep * filter.row * FLOAT));
      f.forRange(k, { to: phase.taps }, () => {
        for (let o = 0; o < O; o++)
          f32.store(target, f32.load(source, { offset: o * filter.output * FLOAT }), { offset: o * FLOAT });
        f.advance(source, phase.tapStep * filter.column * FLOAT);
        f.advance(target, O * FLOAT);
      });
    }
  });
}

/** Computes the rows `from` … `to - 1` of the outputs of all images. */
function writeRows(
  f: FunctionBuilder,
  { from, to, shared, own }: Range,
  operands: Operands,
  code: Code,
): void {
  const { i32, v128, i8x16, memory } = f;
  const { correlation, relaxed, vectors, planeBytes } = code;
  const { I, O, rows, columns } = correlation;
  const [rowPhase, phase] = [rows.phases[0], columns.phases[0]];
  const ringBytes = rowPhase.taps * I * planeBytes;
  const tile = registerTile(f, O, vectors, relaxed);
  const { item, n, j, iy, loaded, firstTap, taps } = f.declare("i32");
  const { first, ring, end, slot, w, wRow, wEnd, x, y, m, i } = f.declare("i32");
  const { pixel, line } = f.declare("i32");
  const biases = operands.bias === undefined ? undefined : f.locals("bias", "v128", O);
  biases?.forEach((bias, o) => {
    f.set(bias, v128.load32_splat(operands.bias!, { offset: o * FLOAT }));
  });
  const loadRow = rowLoader(f, operands.input, code);

  memory.fill(own, 0, ringBytes);
  f.set(ring, i32.add(own, ringBytes));
  f.forRange(item, { from, to }, () => {
    f.set(n, i32.div_u(item, rows.outSize));
    f.set(j, i32.sub(item, i32.mul(n, rows.outSize)));
    f.set(iy, f.at(rowPhase.start, j, rows.step));
    clipTaps(f, iy, rows.inSize, rowPhase, firstTap, taps);
    // The ring holds the rows up to before `loaded`; a new image begins anew.
    f.set(first, i32.add(iy, firstTap));
    f.set(end, i32.add(first, taps));
    f.if(i32.or(i32.eq(item, from), i32.eqz(j)), () => f.set(loaded, first));
    f.set(loaded, f.max(loaded, first));
    f.forRange(loaded, { from: loaded, to: end }, () => {
      f.set(slot, i32.mul(i32.rem_u(loaded, rowPhase.taps), I * planeBytes));
      f.set(slot, i32.add(own, slot));
      loadRow(n, loaded, slot);
    });
    f.set(slot, f.at(own, i32.rem_u(first, rowPhase.taps), I * planeBytes));
    f.set(wRow, f.at(shared, firstTap, I * phase.taps * O * FLOAT));
    f.set(y, f.at(operands.output, item, columns.outSize * O * FLOAT));

    f.set(pixel, 0);
    f.loop((again) => {
      tile.sums.forEach((row, o) => {
        for (const sum of row) f.set(sum, biases === undefined ? v128.const("f32x4", 0) : f.get(biases[o]));
      });
      f.set(w, wRow);
      f.set(line, slot);
      f.forRange(m, { to: taps }, () => {
        f.set(x, f.at(line, pixel, FLOAT));
        f.forRange(i, { to: I }, () => {
          f.set(wEnd, i32.add(w, phase.taps * O * FLOAT));
          tile.accumulate(w, wEnd, x, { row: FLOAT, x: O * FLOAT, w: FLOAT });
          f.advance(x, planeBytes - phase.taps * FLOAT);
        });
        f.advance(line, I * planeBytes);
        f.set(line, f.select(own, line, i32.eq(line, ring)));
      });
      f.set(x, f.at(y, pixel, O * FLOAT));
      const [sums, others] = tile.sums;
      sums.forEach((sum, v) => {
        const offset = v * O * VECTOR;
        if (O === 1) v128.store(x, sum, { offset, align: FLOAT });
        else {
          v128.store(x, i8x16.shuffle(sum, others[v], ZIPPED_LOW), { offset, align: FLOAT });
          v128.store(x, i8x16.shuffle(sum, others[v], ZIPPED_HIGH), {
            offset: offset + VECTOR,
            align: FLOAT,
          });
        }
      });
      // The next stretch, but not past the end; none after the last.
      f.set(m, i32.ne(pixel, columns.outSize - 4 * vectors));
      f.advance(pixel, 4 * vectors);
      f.set(pixel, f.min(pixel, columns.outSize - 4 * vectors));
      f.brIf(again, m);
    });
  });
}

/** The pixels of an input row that outputs meet: so many, from the column `first` on, `left` pixels into the plane. */
function visible({ columns }: Correlation) {
  const { start, taps } = columns.phases[0];
  const left = Math.max(0, -start);
  const end = Math.min(columns.outSize + taps - 1, columns.inSize - start);
  return { first: start + left, left, count: end - left };
}

/** Prepares the loading of a row; what it returns writes the code that brings row `y` of image `n` into a slot. */
function rowLoader(f: FunctionBuilder, input: I32, { correlation, planeBytes }: Code) {
  const { i32, v128, i8x16, memory } = f;
  const { I, rows, columns } = correlation;
  const { first, left, count } = visible(correlation);
  const { source, target, pixel } = f.declare("i32");
  const [a, b] = f.locals("pair", "v128", 2);
  const fourPixels = () => {
    f.set(a, v128.load(source, { align: FLOAT }));
    f.set(b, v128.load(source, { offset: VECTOR, align: FLOAT }));
    v128.store(target, i8x16.shuffle(a, b, EVEN), { align: FLOAT });
    v128.store(target, i8x16.shuffle(a, b, ODD), { offset: planeBytes, align: FLOAT });
  };
  const advance = (pixels: number) => {
    f.advance(source, 2 * pixels * FLOAT);
    f.advance(target, pixels * FLOAT);
  };
  return (n: I32, y: I32, slot: I32): void => {
    f.set(source, f.at(first, f.at(y, n, rows.inSize), columns.inSize));
    f.set(source, f.at(input, source, I * FLOAT));
    f.set(target, i32.add(slot, left * FLOAT));
    if (I === 1) {
      memory.copy(target, source, count * FLOAT);
      return;
    }
    f.forRange(pixel, { to: Math.floor(count / 4) }, () => {
      fourPixels();
      advance(4);
    });
    if (count % 4 === 0) return;
    // The last four overlap those before.
    advance((count % 4) - 4);
    fourPixels();
  };
}
