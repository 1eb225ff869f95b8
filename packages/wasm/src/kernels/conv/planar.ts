// Convolutions with few channels, such as the 7x7 filter of spatial attention: there the vectors lie along the row, and
// what is repeated in all lanes are the weights.
//
//   for each row of outputs, each stretch of 4·V pixels:
//     sums[o][v] = bias[o]
//     for each row of taps that lies in the image, each input channel i, each kx:
//       sums[o][v] += w[ky][kx][i][o] · plane[i][4v + kx … 4v + kx + 3]
//     out = sums, channels side by side again
//
// A plane is one channel of an input row, with zeros at its sides. The planes of as many rows as there are taps are
// kept in a ring, so each input row is taken apart once. The last stretch of a row overlaps the one before.

import type { Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import { registerTile, rowsOf } from "./register-tile.ts";
import { anyBatch, clipTaps, inputOf, pixelAddress, tapBytes } from "./rows.ts";
import type { StepLocals, Steps } from "./steps.ts";

const EVEN = [0, 2, 4, 6] as const;
const ODD = [1, 3, 5, 7] as const;
const ZIPPED_LOW = [0, 4, 1, 5] as const;
const ZIPPED_HIGH = [2, 6, 3, 7] as const;

/** Whether a correlation is of this kind. */
export function isPlanar(c: Correlation): boolean {
  const { I, O, rows, columns } = c;
  const isClose = [rows, columns].every(
    ({ phases: [{ taps, spacing }, ...others] }) => others.length === 0 && taps.length > 0 && spacing === 1,
  );
  return isClose && columns.step === 1 && I <= 2 && O <= 2 && columns.outSize >= 4 && visible(c).count >= 4;
}

/** The phases of a correlation for which {@link isPlanar} holds. */
export function planarSteps(correlation: Correlation, relaxed: boolean): Steps {
  const { N, I, O, rows, columns } = correlation;
  const [height, width] = tapsOf(correlation);
  // As many vectors as fit beside O rows, and no more than a row of outputs has.
  const most = [1, 2, 3, 4, 5, 6].filter((vectors) => rowsOf(vectors) >= O).at(-1)!;
  const vectors = Math.min(most, Math.floor(columns.outSize / 4));
  const planeBytes = Math.ceil(((columns.outSize + width - 1) * FLOAT) / 64) * 64;
  const code = { correlation, relaxed, vectors, planeBytes };
  return {
    tile: `planar_${O}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    key: [anyBatch(correlation), relaxed],
    ownBytes: height * I * planeBytes,
    steps: [{ items: N * rows.outSize, write: (f, locals) => writeRows(f, locals, code) }],
  };
}

/** Taps along both axes. */
const tapsOf = ({ rows, columns }: Correlation) =>
  [rows, columns].map(({ phases: [{ taps }] }) => taps.length) as [number, number];

interface Code {
  readonly correlation: Correlation;
  readonly relaxed: boolean;
  readonly vectors: number;
  readonly planeBytes: number;
}

/** Computes the rows `from` … `to - 1` of the outputs of all images. */
function writeRows(
  f: FunctionBuilder,
  { from, to, own, input, output, filter: weights, bias }: StepLocals,
  code: Code,
): void {
  const { i32, v128, memory } = f;
  const { correlation, relaxed, vectors, planeBytes } = code;
  const { I, O, rows, columns, filter } = correlation;
  const [rowPhase] = rows.phases;
  const [height, width] = tapsOf(correlation);
  const tap = tapBytes(correlation, rowPhase, columns.phases[0]);
  const tile = registerTile(f, O, vectors, relaxed);
  const { item, n, j, iy, loaded, firstTap, taps } = f.declare("i32");
  const { first, ring, end, slot, w, wRow, wEnd, x, y, m, i, pixel, line } = f.declare("i32");
  const biases = bias && f.locals("bias", "v128", O);
  biases?.forEach((value, o) => {
    f.set(value, v128.load32_splat(bias!, { offset: o * FLOAT }));
  });
  const loadRow = rowLoader(f, input, code);
  /** Sets `slot` to the place of a row of the input in the ring. */
  const setSlot = (row: I32) => f.set(slot, f.at(own, i32.rem_u(row, height), I * planeBytes));

  memory.fill(own, 0, height * I * planeBytes);
  f.set(ring, i32.add(own, height * I * planeBytes));
  f.forRange(item, { from, to }, () => {
    f.unravel(item, [n, j], [rows.outSize]);
    f.set(iy, f.at(rowPhase.start, j, rows.step));
    clipTaps(f, iy, rows.inSize, rowPhase, firstTap, taps);
    // The ring holds the rows up to before `loaded`; a new image begins anew.
    f.set(first, i32.add(iy, firstTap));
    f.set(end, i32.add(first, taps));
    f.if(i32.or(i32.eq(item, from), i32.eqz(j)), () => f.set(loaded, first));
    f.set(loaded, f.max(loaded, first));
    f.forRange(loaded, { from: loaded, to: end }, () => {
      setSlot(loaded);
      loadRow(n, loaded, slot);
    });
    setSlot(first);
    f.set(wRow, f.at(i32.add(weights, tap.origin), firstTap, tap.row));
    f.set(y, f.at(output, item, columns.outSize * O * FLOAT));

    f.set(pixel, 0);
    f.loop((again) => {
      if (biases === undefined) tile.clear();
      else
        tile.sums.forEach((row, o) => {
          for (const sum of row) f.set(sum, biases[o]);
        });
      f.set(w, wRow);
      f.set(line, slot);
      f.forRange(m, { to: taps }, () => {
        f.set(x, f.at(line, pixel, FLOAT));
        f.forRange(i, { to: I }, () => {
          f.set(wEnd, i32.add(w, width * tap.column));
          tile.accumulate(w, wEnd, x, { row: filter.o * FLOAT, x: tap.column, w: FLOAT });
          f.advance(w, filter.i * FLOAT - width * tap.column);
          f.advance(x, planeBytes - width * FLOAT);
        });
        f.advance(w, tap.row - I * filter.i * FLOAT);
        f.advance(line, I * planeBytes);
        f.set(line, f.select(own, line, i32.eq(line, ring)));
      });
      f.set(x, f.at(y, pixel, O * FLOAT));
      if (O === 1) tile.store(x, 0);
      else {
        const [evens, odds] = tile.sums;
        evens.forEach((even, v) => {
          [ZIPPED_LOW, ZIPPED_HIGH].forEach((lanes, half) => {
            const offset = (2 * v + half) * VECTOR;
            v128.store(x, f.pick(even, odds[v], lanes), { offset, align: FLOAT });
          });
        });
      }
      // The next stretch, but not past the end; none after the last.
      const last = columns.outSize - 4 * vectors;
      f.set(m, i32.ne(pixel, last));
      f.set(pixel, f.min(i32.add(pixel, 4 * vectors), last));
      f.brIf(again, m);
    });
  });
}

/** The pixels of an input row that outputs meet: so many, from the column `first` on, `left` pixels into the plane. */
function visible(c: Correlation) {
  const { columns } = c;
  const [{ start }] = columns.phases;
  const [, width] = tapsOf(c);
  const left = Math.max(0, -start);
  const end = Math.min(columns.outSize + width - 1, columns.inSize - start);
  return { first: start + left, left, count: end - left };
}

/** Prepares the loading of a row; what it returns writes the code that brings row `y` of image `n` into a slot. */
function rowLoader(f: FunctionBuilder, input: I32, { correlation, planeBytes }: Code) {
  const { i32, v128, memory } = f;
  const { first, left, count } = visible(correlation);
  const { source, target, pixel } = f.declare("i32");
  const [a, b] = f.locals("pair", "v128", 2);
  const fourPixels = () => {
    f.set(a, v128.load(source, { align: FLOAT }));
    f.set(b, v128.load(source, { offset: VECTOR, align: FLOAT }));
    v128.store(target, f.pick(a, b, EVEN), { align: FLOAT });
    v128.store(target, f.pick(a, b, ODD), { offset: planeBytes, align: FLOAT });
  };
  const advance = (pixels: number) => {
    f.advance(source, 2 * pixels * FLOAT);
    f.advance(target, pixels * FLOAT);
  };
  return (n: I32, y: I32, slot: I32): void => {
    f.set(source, pixelAddress(f, inputOf(correlation), input, { n, y, x: first }));
    f.set(target, i32.add(slot, left * FLOAT));
    if (correlation.I === 1) {
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
