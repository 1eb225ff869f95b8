// Brings strips of tiles to the points of a bilinear algorithm, on both axes.
//
//   for each stretch of tiles in one row of tiles:
//     for each number of the rows that the stretch reads:       lines[0 … ] = map · (one number from each row)
//     for each line, tile and vector of four channels:  values[line, 0 … ] = map · (the tile's pixels of the line)
//
// Neighbouring tiles share pixels: in lines these are computed once. Rows outside of the image are read from zeros,
// columns outside become zeros in the lines.
//
// The channels may come from two arrays, those of the second multiplied by one number a pixel: a gated skip connection,
// read where it lies instead of from a concatenation.

import { FLOAT, type FunctionBuilder, type I32, type Operand, type Value, VECTOR } from "../../asm/index.ts";
import { mapWriters } from "./linear-map.ts";
import { pixelAddress } from "./rows.ts";
import { placeOfTile, type Strip, type TiledImage, type Transformed } from "./tiled-image.ts";

/** Tiles of a stretch, at most: 4 to 40 took the same time. */
const STRETCH = 10;

/** Bytes of one line of {@link tilesToPoints}: whole cache lines, with room after them. */
function lineBytes({ channels, columns }: TiledImage): number {
  const pixels = (STRETCH - 1) * columns.advance + columns.map[0].length;
  return Math.ceil((pixels * channels * FLOAT + VECTOR) / 64) * 64;
}

/** Bytes of the scratch memory of {@link tilesToPoints}: a line of zeros, then a line for each point of the rows. */
export function scratchOfTilesToPoints(image: TiledImage): number {
  return (1 + image.rows.map.length) * lineBytes(image);
}

/** Where the image begins: whole, or its first channels, the others, and the numbers that those are multiplied by. */
export interface Source {
  readonly input: I32;
  readonly gated?: { readonly features: I32; readonly gate: I32; readonly channels: number } | undefined;
}

/** The rows that a stretch reads. */
interface Rows {
  /** Sets where they begin. */
  readonly find: () => void;
  /**
   * What loads numbers of a row, `at` bytes from where each begins. Where all are inside of the image, they lie equally far
   * apart: eight loads from one address instead of as many sums of a pointer and `at`.
   */
  readonly from: (at: I32, areInside: boolean) => (row: number) => Value<"v128">;
}

/**
 * Prepares the way to the points; what it returns writes the code for one strip.
 *
 * @param source where the image lies
 * @param scratch memory of {@link scratchOfTilesToPoints} bytes; its zeros are written here
 * @param target where the strip's values go
 */
export function tilesToPoints(
  f: FunctionBuilder,
  { image, layout, relaxed }: Transformed,
  source: Source,
  scratch: I32,
  target: I32,
): (strip: Strip) => void {
  const { i32, v128, memory } = f;
  const { channels, rows, columns } = image;
  const line = lineBytes(image);
  const pixelBytes = channels * FLOAT;
  const [height, width] = [rows.map[0].length, columns.map[0].length];
  const [down, across] = mapWriters(f, rows.map, columns.map, { lanes: "f32x4", relaxed });
  const inputs = f.locals("in", "v128", Math.max(height, width));
  memory.fill(scratch, 0, line);
  const lines = f.let("lines", i32.add(scratch, line));
  const { n, ty, tx, find } = placeOfTile(f, image);
  const { y, x, left, right, pixels } = f.declare("i32");
  const { tile, length, from, at, bytes, last } = f.declare("i32");
  const { to, r, t, c } = f.declare("i32");

  const size = { height: rows.size, width: columns.size };
  const four = (address: Operand<"i32">, offset = 0) => v128.load(address, { offset, align: FLOAT });
  const splat = (address: Operand<"i32">, offset = 0) => v128.load32_splat(address, { offset });
  /** The stretch's rows in an array of so many numbers per pixel. */
  const rowsIn = (start: I32, numbers: number, load: typeof four): Rows => {
    const pointers = f.locals("row", "i32", height);
    const { top, place } = f.declare("i32");
    const rowBytes = columns.size * numbers * FLOAT;
    return {
      find: () => {
        f.set(top, pixelAddress(f, { ...size, channels: numbers }, start, { n, y, x }));
        pointers.forEach((pointer, i) => {
          f.set(pointer, i32.add(top, i * rowBytes));
          f.set(pointer, f.select(pointer, scratch, i32.lt_u(i32.add(y, i), rows.size)));
        });
      },
      from: (at, areInside) => {
        if (areInside) f.set(place, i32.add(top, at));
        return (i) => (areInside ? load(place, i * rowBytes) : load(i32.add(pointers[i], at)));
      },
    };
  };
  const { gated } = source;
  const plain = rowsIn(source.input, channels - (gated?.channels ?? 0), four);
  const factors = gated && rowsIn(gated.gate, 1, splat);
  const featured = gated && rowsIn(gated.features, gated.channels, four);

  /** Brings numbers of all rows, times those of a gate, down to the points, and stores them in the lines from `store` on. */
  const evaluate = (numbers: ReturnType<Rows["from"]>, store: I32, gates?: ReturnType<Rows["from"]>) => {
    for (let i = 0; i < height; i++)
      f.set(inputs[i], gates === undefined ? numbers(i) : f.f32x4.mul(numbers(i), gates(i)));
    down(inputs, (i, value) => v128.store(store, value, { offset: i * line, align: FLOAT }));
  };

  /** All numbers of the stretch's rows, which lie side by side: `bytes` of them. */
  const evaluatePlain = (areInside: boolean) => {
    f.set(last, i32.sub(bytes, VECTOR));
    f.set(at, 0);
    f.loop((again) => {
      evaluate(plain.from(at, areInside), f.let("store", i32.add(to, at)));
      if (channels % 4 === 0) {
        f.advance(at, VECTOR);
        f.brIf(again, i32.le_s(at, last));
      } else {
        // The last vector ends with the last pixel: it overlaps the one before.
        const done = f.let("done", i32.eq(at, last));
        f.set(at, f.min(i32.add(at, VECTOR), last));
        f.brIf(again, i32.eqz(done));
      }
    });
  };

  /** The channels of the one array and then those of the other: rows of both at once are too many streams of memory. */
  const evaluateGated = (areInside: boolean, channelsOfSecond: number) => {
    const { pixel, end, store } = f.declare("i32");
    f.set(end, i32.mul(i32.sub(right, left), FLOAT));
    const evaluatePart = (array: Rows, first: number, count: number, gates?: Rows) => {
      f.set(at, 0);
      f.set(store, i32.add(to, first * FLOAT));
      f.forRange(pixel, { to: end, step: FLOAT }, () => {
        f.forRange(c, { to: count / 4 }, () => {
          evaluate(array.from(at, areInside), store, gates?.from(pixel, areInside));
          f.advance(at, VECTOR);
          f.advance(store, VECTOR);
        });
        f.advance(store, (channels - count) * FLOAT);
      });
    };
    evaluatePart(plain, 0, channels - channelsOfSecond);
    evaluatePart(featured!, channels - channelsOfSecond, channelsOfSecond, factors);
  };

  /** The lines of the stretch's pixels: `pixels` columns from `x`, those from `left` to before `right` in the image. */
  const evaluateRows = () => {
    f.set(from, i32.mul(left, pixelBytes));
    f.set(bytes, i32.sub(i32.mul(right, pixelBytes), from));
    f.set(x, i32.add(x, left));
    for (const array of [plain, factors, featured]) array?.find();
    f.set(to, i32.add(lines, from));
    const evaluateAll = (areInside: boolean) =>
      gated === undefined ? evaluatePlain(areInside) : evaluateGated(areInside, gated.channels);
    f.if(bytes, () => {
      const areInside = i32.and(i32.ge_s(y, 0), i32.le_s(y, rows.size - height));
      f.if(
        areInside,
        () => evaluateAll(true),
        () => evaluateAll(false),
      );
    });
    const zero = (start: I32, end: I32) => {
      f.if(i32.gt_s(end, start), () => {
        f.set(bytes, i32.mul(i32.sub(end, start), pixelBytes));
        f.set(at, f.at(lines, start, pixelBytes));
        f.forRange(r, { to: rows.map.length }, () => {
          memory.fill(at, 0, bytes);
          f.advance(at, line);
        });
      });
    };
    f.set(from, 0);
    zero(from, left);
    zero(right, pixels);
  };

  /** From the lines to the values of the tiles `tile` … `tile + length - 1` of the strip. */
  const evaluateColumns = () => {
    f.set(from, lines);
    f.set(to, f.at(target, tile, layout.tileStep));
    f.forRange(r, { to: rows.map.length }, () => {
      f.set(at, from);
      f.set(last, to);
      f.forRange(t, { to: length }, () => {
        f.forRange(c, { to: layout.tileStep / VECTOR }, () => {
          for (let i = 0; i < width; i++) f.set(inputs[i], four(at, i * pixelBytes));
          across(inputs, (i, value) => v128.store(last, value, { offset: i * layout.pointStep }));
          f.advance(at, VECTOR);
          f.advance(last, VECTOR);
        });
        f.advance(at, columns.advance * pixelBytes - layout.tileStep);
      });
      f.advance(from, line);
      f.advance(to, columns.map.length * layout.pointStep);
    });
  };

  return ({ first, count }) => {
    f.set(tile, 0);
    f.loop((again) => {
      find(f.let("number", i32.add(first, tile)));
      f.set(length, f.min(i32.sub(count, tile), STRETCH));
      f.set(length, f.min(i32.sub(columns.tiles, tx), length));
      f.set(y, f.at(rows.start, ty, rows.advance));
      f.set(x, f.at(columns.start, tx, columns.advance));
      f.set(pixels, f.at(width - columns.advance, length, columns.advance));
      f.set(left, f.min(f.max(i32.sub(0, x), 0), pixels));
      f.set(right, f.max(f.min(i32.sub(columns.size, x), pixels), left));
      evaluateRows();
      evaluateColumns();
      f.advance(tile, length);
      f.brIf(again, i32.lt_s(tile, count));
    });
  };
}
