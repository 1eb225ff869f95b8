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

import type { FunctionBuilder } from "../../asm/index.ts";
import { FLOAT, type I32, type V128, VECTOR } from "../stream.ts";
import { pixelAddress } from "./rows.ts";
import { mapWriters, type PointLayout, type Strip, type TiledImage, tileCursor } from "./tiled-image.ts";

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

interface ToPoints {
  readonly image: TiledImage;
  readonly values: PointLayout;
  readonly relaxed: boolean;
}

/** Where the image begins: whole, or its first channels, the others, and the numbers that those are multiplied by. */
export interface Source {
  readonly input: I32;
  readonly gated?: { readonly features: I32; readonly gate: I32; readonly channels: number } | undefined;
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
  { image, values, relaxed }: ToPoints,
  source: Source,
  scratch: I32,
  target: I32,
): (strip: Strip) => void {
  const { i32, v128, memory } = f;
  const { channels, rows, columns } = image;
  const line = lineBytes(image);
  const pixelBytes = channels * FLOAT;
  const [height, width] = [rows.map[0].length, columns.map[0].length];
  const [down, across] = mapWriters(f, rows.map, columns.map, relaxed);
  const inputs = f.locals("in", "v128", Math.max(height, width));
  memory.fill(scratch, 0, line);
  const lines = f.let("lines", i32.add(scratch, line));
  const cursor = tileCursor(f, image);
  const { y, x, left, right, pixels } = f.declare("i32");
  const { tile, length, from, at, bytes, last } = f.declare("i32");
  const { to, r, t, c } = f.declare("i32");

  const size = { height: rows.size, width: columns.size };
  /** Where each row of the stretch begins in an array of so many numbers per pixel. */
  const rowsIn = (start: I32, numbers: number) => {
    const pointers = f.locals("row", "i32", height);
    return {
      pointers,
      set: () => {
        f.set(at, pixelAddress(f, { ...size, channels: numbers }, start, { n: cursor.n, y, x }));
        pointers.forEach((pointer, i) => {
          f.set(pointer, i32.add(at, i * columns.size * numbers * FLOAT));
          f.set(pointer, f.select(pointer, scratch, i32.lt_u(i32.add(y, i), rows.size)));
        });
      },
    };
  };
  const { gated } = source;
  const plain = rowsIn(source.input, channels - (gated?.channels ?? 0));
  const factors = gated && rowsIn(gated.gate, 1);
  const featured = gated && rowsIn(gated.features, gated.channels);

  /** Brings the numbers at `at` of all rows down to the points, and stores them in the lines from `store` on. */
  const evaluate = (pointers: readonly I32[], at: I32, store: I32, gates?: readonly V128[]) => {
    pointers.forEach((pointer, i) => {
      const numbers = v128.load(i32.add(pointer, at), { align: FLOAT });
      f.set(inputs[i], gates === undefined ? numbers : f.f32x4.mul(numbers, gates[i]));
    });
    down(inputs, (i, value) => v128.store(store, value, { offset: i * line, align: FLOAT }));
  };

  /** All numbers of the stretch's rows, which lie side by side: `bytes` of them. */
  const evaluatePlain = () => {
    f.set(last, i32.sub(bytes, VECTOR));
    f.set(at, 0);
    f.loop((again) => {
      evaluate(plain.pointers, at, f.let("store", i32.add(to, at)));
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

  /** Pixel by pixel, the channels of the one array and then those of the other. */
  const evaluateGated = (channelsOfSecond: number) => {
    const gates = f.locals("gate", "v128", height);
    const { first, second, pixel, end } = f.declare("i32");
    const store = f.let("store", to);
    f.set(first, 0);
    f.set(second, 0);
    f.set(end, i32.mul(i32.sub(right, left), FLOAT));
    f.forRange(pixel, { to: end, step: FLOAT }, () => {
      f.forRange(c, { to: (channels - channelsOfSecond) / 4 }, () => {
        evaluate(plain.pointers, first, store);
        f.advance(first, VECTOR);
        f.advance(store, VECTOR);
      });
      factors!.pointers.forEach((pointer, i) => {
        f.set(gates[i], v128.load32_splat(i32.add(pointer, pixel)));
      });
      f.forRange(c, { to: channelsOfSecond / 4 }, () => {
        evaluate(featured!.pointers, second, store, gates);
        f.advance(second, VECTOR);
        f.advance(store, VECTOR);
      });
    });
  };

  /** The lines of the stretch's pixels: `pixels` columns from `x`, those from `left` to before `right` in the image. */
  const evaluateRows = () => {
    f.set(from, i32.mul(left, pixelBytes));
    f.set(bytes, i32.sub(i32.mul(right, pixelBytes), from));
    f.set(x, i32.add(x, left));
    for (const array of [plain, factors, featured]) array?.set();
    f.set(to, i32.add(lines, from));
    f.if(bytes, () => (gated === undefined ? evaluatePlain() : evaluateGated(gated.channels)));
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
    f.set(to, f.at(target, tile, values.tileStep));
    f.forRange(r, { to: rows.map.length }, () => {
      f.set(at, from);
      f.set(last, to);
      f.forRange(t, { to: length }, () => {
        f.forRange(c, { to: values.tileStep / VECTOR }, () => {
          for (let i = 0; i < width; i++)
            f.set(inputs[i], v128.load(at, { offset: i * pixelBytes, align: FLOAT }));
          across(inputs, (i, value) => v128.store(last, value, { offset: i * values.pointStep }));
          f.advance(at, VECTOR);
          f.advance(last, VECTOR);
        });
        f.advance(at, columns.advance * pixelBytes - values.tileStep);
      });
      f.advance(from, line);
      f.advance(to, columns.map.length * values.pointStep);
    });
  };

  return ({ first, count }) => {
    cursor.start(first);
    f.set(tile, 0);
    f.loop((again) => {
      f.set(length, f.min(i32.sub(count, tile), STRETCH));
      f.set(length, f.min(i32.sub(columns.tiles, cursor.tx), length));
      f.set(y, f.at(rows.start, cursor.ty, rows.advance));
      f.set(x, f.at(columns.start, cursor.tx, columns.advance));
      f.set(pixels, f.at(width - columns.advance, length, columns.advance));
      f.set(left, f.min(f.max(i32.sub(0, x), 0), pixels));
      f.set(right, f.max(f.min(i32.sub(columns.size, x), pixels), left));
      evaluateRows();
      evaluateColumns();
      f.advance(tile, length);
      cursor.next(length);
      f.brIf(again, i32.lt_s(tile, count));
    });
  };
}
