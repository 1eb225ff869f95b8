// Brings strips of tiles to the points of a bilinear algorithm and back, on both axes. A strip is a run of tiles in
// the order of (image, row, column); at the points it stands as one matrix [tile][channel] for each pair of points.
//
//   to the points, for each stretch of tiles in one row of tiles:
//     for each number of the rows that the stretch reads:       lines[0 … ] = map · (one number from each row)
//     for each line, tile and vector of four channels:  values[line, 0 … ] = map · (the tile's pixels of the line)
//   and back, for each tile and vector of four channels:
//     for each column of points:  half[0 … ] = map · (the products of that column)
//     for each row of outputs:          out = map · half + bias
//
// Neighbouring tiles share pixels: in lines these are computed once. Rows outside of the image are read from zeros,
// columns outside become zeros in the lines. Outputs outside are not computed.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { FLOAT, VECTOR } from "../stream.ts";
import type { AxisAlgorithm } from "./axis-algorithm.ts";
import { type Matrix, transpose } from "./bilinear.ts";
import type { Axis, Correlation } from "./geometry.ts";
import { integers } from "./integers.ts";
import { loadLanes, storeLanes } from "./lanes.ts";
import { linearMap, mapWriter } from "./linear-map.ts";

type I32 = Local<"i32">;

/** One axis of an image that is cut into tiles. */
export interface TiledAxis {
  readonly size: number;
  readonly tiles: number;
  /** The first pixel of tile 0, which may lie outside, and how much further that of the next is. */
  readonly start: number;
  readonly advance: number;
  /** From the pixels of a tile to the points, or from the points to the pixels. */
  readonly map: Matrix;
}

/** An image cut into tiles. */
export interface TiledImage {
  readonly channels: number;
  readonly rows: TiledAxis;
  readonly columns: TiledAxis;
}

/** The algorithms of both axes. */
export interface Algorithms {
  readonly rows: AxisAlgorithm;
  readonly columns: AxisAlgorithm;
}

/** Pairs of points. */
export const pairsOf = ({ rows, columns }: Algorithms): number => rows.points * columns.points;

/** Tiles of all images. */
export const tilesOf = ({ N, rows, columns }: Correlation, algorithms: Algorithms): number =>
  N *
  Math.ceil(rows.outSize / algorithms.rows.outputs) *
  Math.ceil(columns.outSize / algorithms.columns.outputs);

/**
 * How algorithms cut the images of a correlation: the inputs to be brought to the points, the outputs to be brought
 * back, or the gradients of the outputs to be brought to the points by the adjoint of that.
 */
export function tiledImage(
  c: Correlation,
  algorithms: Algorithms,
  side: "inputs" | "outputs" | "gradients",
): TiledImage {
  const tiled = ({ inSize, outSize }: Axis, { start, advance, outputs, input, output }: AxisAlgorithm) => {
    const tiles = Math.ceil(outSize / outputs);
    if (side === "inputs") return { size: inSize, tiles, start, advance, map: input };
    const map = side === "outputs" ? output : transpose(output);
    return { size: outSize, tiles, start: 0, advance: outputs, map };
  };
  return {
    channels: side === "inputs" ? c.I : c.O,
    rows: tiled(c.rows, algorithms.rows),
    columns: tiled(c.columns, algorithms.columns),
  };
}

/** Values of a strip: at each pair of points a matrix [tile][channel]. */
export interface PointLayout {
  /** Bytes from tile to tile, a multiple of a vector, and from one pair of points to the next. */
  readonly tileStep: number;
  readonly pointStep: number;
}

/** How the values of strips of so many tiles lie. */
export function pointLayout(tiles: number, channels: number): PointLayout {
  const tileStep = Math.ceil(channels / 4) * VECTOR;
  return { tileStep, pointStep: oddLines(tiles * tileStep) };
}

/**
 * Bytes rounded up to an odd number of cache lines: streams that lie so far apart do not compete for the same places
 * in a cache.
 */
export function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / 64);
  return 64 * (lines + 1 - (lines % 2));
}

/** Bytes of one line of {@link tilesToPoints}, for stretches of so many tiles: whole cache lines, with room behind. */
function lineBytes({ channels, columns }: TiledImage, stretch: number): number {
  const pixels = (stretch - 1) * columns.advance + columns.map[0].length;
  return Math.ceil((pixels * channels * FLOAT + VECTOR) / 64) * 64;
}

/** Bytes of the scratch memory of {@link tilesToPoints}: a line of zeros, then a line for each point of the rows. */
export function scratchOfTilesToPoints(image: TiledImage, stretch: number): number {
  return (1 + image.rows.map.length) * lineBytes(image, stretch);
}

/** Where a strip lies: tile `first` and the `count - 1` tiles behind it. */
export interface Strip {
  readonly first: I32;
  readonly count: I32;
}

/** The place of a tile, counted on by `next`. */
function tileCursor(f: FunctionBuilder, { rows, columns }: TiledImage) {
  const { i32 } = f;
  const { n, ty, tx } = integers(f, "n", "ty", "tx");
  return {
    n,
    ty,
    tx,
    start: (tile: I32) => {
      f.set(ty, i32.div_u(tile, columns.tiles));
      f.set(tx, i32.sub(tile, i32.mul(ty, columns.tiles)));
      f.set(n, i32.div_u(ty, rows.tiles));
      f.set(ty, i32.sub(ty, i32.mul(n, rows.tiles)));
    },
    /** `count` tiles further, at most to the start of the next row. */
    next: (count: I32 | number) => {
      f.advance(tx, count);
      f.if(i32.eq(tx, columns.tiles), () => {
        f.set(tx, 0);
        f.advance(ty, 1);
        f.if(i32.eq(ty, rows.tiles), () => {
          f.set(ty, 0);
          f.advance(n, 1);
        });
      });
    },
  };
}

/** `base + ((n · height + y) · width + x) · channels`, in floats. */
function pixelAddress(
  f: FunctionBuilder,
  { channels, rows, columns }: TiledImage,
  base: I32,
  { n, y, x }: { readonly n: I32; readonly y: I32; readonly x: I32 },
) {
  const { i32 } = f;
  const row = () => i32.add(i32.mul(n, rows.size), y);
  return i32.add(base, i32.mul(i32.add(i32.mul(row(), columns.size), x), channels * FLOAT));
}

interface ToPoints {
  readonly image: TiledImage;
  readonly values: PointLayout;
  /** Longest stretch of tiles that is brought to the points at once. */
  readonly stretch: number;
  readonly relaxed: boolean;
}

/**
 * Prepares the way to the points; what it returns writes the code for one strip.
 *
 * @param source where the image begins
 * @param scratch memory of {@link scratchOfTilesToPoints} bytes; its zeros are written here
 * @param target where the strip's values go
 */
export function tilesToPoints(
  f: FunctionBuilder,
  { image, values, stretch, relaxed }: ToPoints,
  source: I32,
  scratch: I32,
  target: I32,
): (strip: Strip) => void {
  const { i32, v128, memory } = f;
  const { channels, rows, columns } = image;
  const line = lineBytes(image, stretch);
  const pixelBytes = channels * FLOAT;
  const [height, width] = [rows.map[0].length, columns.map[0].length];
  const [down, across] = mapWriters(f, rows.map, columns.map, relaxed);
  const inputs = f.locals("in", "v128", Math.max(height, width));
  memory.fill(scratch, 0, line);
  const lines = f.let("lines", i32.add(scratch, line));
  const cursor = tileCursor(f, image);
  const { y, x, left, right, pixels } = integers(f, "y", "x", "left", "right", "pixels");
  const { tile, length, from, at, bytes, last } = integers(
    f,
    "tile",
    "length",
    "from",
    "at",
    "bytes",
    "last",
  );
  const pointers = f.locals("row", "i32", height);
  const { to, r, t, c } = integers(f, "to", "r", "t", "c");

  /** The lines of the stretch's pixels: `pixels` columns from `x`, those from `left` to before `right` in the image. */
  const evaluateRows = () => {
    f.set(from, i32.mul(left, pixelBytes));
    f.set(bytes, i32.sub(i32.mul(right, pixelBytes), from));
    f.set(x, i32.add(x, left));
    f.set(at, pixelAddress(f, image, source, { n: cursor.n, y, x }));
    pointers.forEach((pointer, i) => {
      f.set(pointer, i32.add(at, i * columns.size * pixelBytes));
      f.set(pointer, f.select(pointer, scratch, i32.lt_u(i32.add(y, i), rows.size)));
    });
    f.set(last, i32.sub(bytes, VECTOR));
    f.set(to, i32.add(lines, from));
    f.set(at, 0);
    f.if(bytes, () => {
      f.loop((again) => {
        pointers.forEach((pointer, i) => {
          f.set(inputs[i], v128.load(i32.add(pointer, at), { align: FLOAT }));
        });
        const store = f.let("store", i32.add(to, at));
        down(inputs, (i, value) => v128.store(store, value, { offset: i * line, align: FLOAT }));
        if (channels % 4 === 0) {
          f.advance(at, VECTOR);
          f.brIf(again, i32.le_s(at, last));
        } else {
          // The last vector ends with the last pixel: it overlaps the one before.
          const done = f.let("done", i32.eq(at, last));
          f.advance(at, VECTOR);
          f.set(at, f.select(at, last, i32.lt_s(at, last)));
          f.brIf(again, i32.eqz(done));
        }
      });
    });
    const zero = (start: I32, end: I32) => {
      f.if(i32.gt_s(end, start), () => {
        f.set(bytes, i32.mul(i32.sub(end, start), pixelBytes));
        f.set(at, i32.add(lines, i32.mul(start, pixelBytes)));
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
    f.set(to, i32.add(target, i32.mul(tile, values.tileStep)));
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
      f.set(length, i32.sub(columns.tiles, cursor.tx));
      f.set(length, least(f, length, f.let("rest", i32.sub(count, tile))));
      f.set(length, least(f, length, stretch));
      f.set(y, i32.add(i32.mul(cursor.ty, rows.advance), rows.start));
      f.set(x, i32.add(i32.mul(cursor.tx, columns.advance), columns.start));
      f.set(pixels, i32.add(i32.mul(length, columns.advance), width - columns.advance));
      f.set(left, i32.sub(0, x));
      f.set(left, f.select(left, 0, i32.gt_s(left, 0)));
      f.set(left, least(f, left, pixels));
      f.set(right, i32.sub(columns.size, x));
      f.set(right, least(f, right, pixels));
      f.set(right, f.select(right, left, i32.gt_s(right, left)));
      evaluateRows();
      evaluateColumns();
      f.advance(tile, length);
      cursor.next(length);
      f.brIf(again, i32.lt_s(tile, count));
    });
  };
}

const least = (f: FunctionBuilder, a: I32, b: I32 | number) => f.select(a, b, f.i32.lt_s(a, b));

function mapWriters(f: FunctionBuilder, rows: Matrix, columns: Matrix, relaxed: boolean) {
  const down = mapWriter(f, linearMap(rows), { lanes: "f32x4", relaxed });
  return [
    down,
    String(rows) === String(columns) ? down : mapWriter(f, linearMap(columns), { lanes: "f32x4", relaxed }),
  ] as const;
}

interface FromPoints {
  readonly image: TiledImage;
  readonly products: PointLayout;
  readonly relaxed: boolean;
}

/** Bytes of the scratch memory of {@link pointsToTiles}. */
export function scratchOfPointsToTiles({ rows, columns }: TiledImage): number {
  return rows.map.length * columns.map[0].length * VECTOR;
}

/**
 * Prepares the way back from the points; what it returns writes the code for one strip.
 *
 * @param source where the strip's products lie
 * @param scratch memory of {@link scratchOfPointsToTiles} bytes
 * @param target where the image begins
 * @param bias one number a channel, if there is a bias
 */
export function pointsToTiles(
  f: FunctionBuilder,
  { image, products, relaxed }: FromPoints,
  source: I32,
  scratch: I32,
  target: I32,
  bias: I32 | undefined,
): (strip: Strip) => void {
  const { i32, v128, f32x4 } = f;
  const { channels, rows, columns } = image;
  const pixelBytes = channels * FLOAT;
  const [down, across] = mapWriters(f, rows.map, columns.map, relaxed);
  const [height, width] = [rows.map[0].length, columns.map[0].length];
  const inputs = f.locals("in", "v128", Math.max(height, width));
  const {
    from,
    half,
    half0,
    to,
    out,
    q,
    c,
    t,
    rows: inside,
  } = integers(f, "from", "half", "half0", "to", "out", "q", "c", "t", "rows");
  const addend = f.local("bias", "v128");
  const cursor = tileCursor(f, image);
  const { y, x } = integers(f, "y", "x");
  // A point that counts fully in every output: what is added there is added to all of them.
  const everywhere = transpose(columns.map).findIndex((column) => column.every((value) => value === 1));
  const edge = columns.size % columns.advance;

  /** The rows of one tile, four channels; `pixels` of them and `lanes` channels lie in the image. */
  const writeRows = (pixels: number, lanes: number) => {
    f.set(half, scratch);
    f.set(out, to);
    f.forRange(q, { to: inside }, () => {
      for (let i = 0; i < width; i++) f.set(inputs[i], v128.load(half, { offset: i * VECTOR }));
      if (bias !== undefined && everywhere >= 0)
        f.set(inputs[everywhere], f32x4.add(inputs[everywhere], addend));
      across(inputs, (i, value) => {
        if (i >= pixels) return;
        if (bias !== undefined && everywhere < 0) f.set(value, f32x4.add(value, addend));
        storeLanes(f, out, value, lanes, i * pixelBytes);
      });
      f.advance(half, width * VECTOR);
      f.advance(out, columns.size * pixelBytes);
    });
  };

  const writeVector = (lanes: number) => {
    f.set(half0, scratch);
    f.forRange(q, { to: width }, () => {
      for (let i = 0; i < height; i++)
        f.set(inputs[i], v128.load(from, { offset: i * width * products.pointStep }));
      down(inputs, (i, value) => v128.store(half0, value, { offset: i * width * VECTOR }));
      f.advance(half0, VECTOR);
      f.advance(from, products.pointStep);
    });
    f.advance(from, VECTOR - width * products.pointStep);
    if (bias !== undefined) {
      f.set(addend, loadLanes(f, f.let("biasAt", i32.add(bias, i32.mul(c, VECTOR))), lanes));
    }
    const whole = () => writeRows(columns.advance, lanes);
    if (edge === 0) whole();
    else f.if(i32.eq(cursor.tx, columns.tiles - 1), () => writeRows(edge, lanes), whole);
    f.advance(to, VECTOR);
  };

  return ({ first, count }) => {
    cursor.start(first);
    f.forRange(t, { to: count }, () => {
      f.set(y, i32.mul(cursor.ty, rows.advance));
      f.set(x, i32.mul(cursor.tx, columns.advance));
      f.set(inside, i32.sub(rows.size, y));
      f.set(inside, least(f, inside, rows.advance));
      f.set(to, pixelAddress(f, image, target, { n: cursor.n, y, x }));
      f.set(from, i32.add(source, i32.mul(t, products.tileStep)));
      f.forRange(c, { to: Math.floor(channels / 4) }, () => writeVector(4));
      if (channels % 4 > 0) writeVector(channels % 4);
      cursor.next(1);
    });
  };
}
