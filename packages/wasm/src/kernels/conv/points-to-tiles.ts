// Brings strips of tiles back from the points of a bilinear algorithm, on both axes.
//
//   for each tile and vector of four channels:
//     for each column of points:  half[0 … ] = map · (the products of that column)
//     for each row of outputs:          out = map · half + bias
//
// Outputs outside of the image are not computed.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { FLOAT, VECTOR } from "../stream.ts";
import { transpose } from "./bilinear.ts";
import { integers } from "./integers.ts";
import { loadLanes, storeLanes } from "./lanes.ts";
import {
  least,
  mapWriters,
  type PointLayout,
  pixelAddress,
  type Strip,
  type TiledImage,
  tileCursor,
} from "./tiled-image.ts";

type I32 = Local<"i32">;

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
