// Brings strips of tiles back from the points of a bilinear algorithm, on both axes.
//
//   for each tile and vector of four channels:
//     for each column of points:  half[0 … ] = map · (the products of that column)
//     for each row of outputs:          out = map · half + bias
//
// Outputs outside of the image are not computed.
//
// Where a tally is wanted, each tile's outputs are summed up on the way: 36 numbers in registers at a time, as distances
// from the strip's first, so that a mean that is large beside the deviation costs no digits.

import { FLOAT, type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import { transpose } from "./bilinear.ts";
import { mapWriters } from "./linear-map.ts";
import { pixelAddress } from "./rows.ts";
import { tallyPlaces } from "./tally.ts";
import { placeOfTile, type Strip, type TiledImage, type Transformed } from "./tiled-image.ts";

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
 * @param tally where the strip's sums go (see tally.ts), if they are wanted; the channels are a multiple of 4 then
 */
export function pointsToTiles(
  f: FunctionBuilder,
  { image, layout, relaxed }: Transformed,
  source: I32,
  scratch: I32,
  target: I32,
  bias: I32 | undefined,
  tally?: I32,
): (strip: Strip) => void {
  const { i32, v128, f32x4 } = f;
  const { channels, rows, columns } = image;
  const pixelBytes = channels * FLOAT;
  const [down, across] = mapWriters(f, rows.map, columns.map, { lanes: "f32x4", relaxed });
  const [height, width] = [rows.map[0].length, columns.map[0].length];
  const inputs = f.locals("in", "v128", Math.max(height, width));
  const { from, half, half0, to, out, q, c, t, rows: inside } = f.declare("i32");
  const addend = f.local("bias", "v128");
  const place = placeOfTile(f, image);
  const { y, x } = f.declare("i32");
  // A point that counts fully in every output: what is added there is added to all of them.
  const everywhere = transpose(columns.map).findIndex((column) => column.every((value) => value === 1));
  const edge = columns.size % columns.advance;
  const [pivot, sum, square, distance, rowSum, rowSquare] = f.locals("tally", "v128", 6);
  const { sumsAt, area } = f.declare("i32");
  const places = tallyPlaces(channels);
  const madd = f.multiplyAdd(relaxed);

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
        f.storeLanes(out, value, lanes, i * pixelBytes);
      });
      f.advance(half, width * VECTOR);
      f.advance(out, columns.size * pixelBytes);
    });
  };

  /** Writes the code for tiles that lie in the image and for those at its right edge: so many pixels of a row. */
  const byWidth = (body: (pixels: number) => void) => {
    const whole = () => body(columns.advance);
    if (edge === 0) whole();
    else f.if(i32.eq(place.tx, columns.tiles - 1), () => body(edge), whole);
  };

  /** Sums up what {@link writeRows} has written: in a loop of its own, where all that it needs stays in registers. */
  const sumRows = (pixels: number) =>
    f.forRange(q, { to: inside }, () => {
      // A chain of additions through all rows would take longer than the rest together: each row has its own.
      for (let i = 0; i < pixels; i++) {
        f.set(distance, f32x4.sub(v128.load(out, { offset: i * pixelBytes, align: FLOAT }), pivot));
        f.set(rowSum, i === 0 ? distance : f32x4.add(rowSum, distance));
        f.set(rowSquare, i === 0 ? f32x4.mul(distance, distance) : madd(rowSquare, distance, distance));
      }
      f.set(sum, f32x4.add(sum, rowSum));
      f.set(square, f32x4.add(square, rowSquare));
      f.advance(out, columns.size * pixelBytes);
    });

  /** Adds the tile's four channels to the strip's sums; the first tile begins them, with its first output as pivot. */
  const addToTally = (at: I32) => {
    f.set(sumsAt, f.at(at, c, VECTOR));
    f.if(
      i32.eqz(t),
      () => {
        f.set(pivot, v128.load(to, { align: FLOAT }));
        v128.store(sumsAt, pivot, { offset: places.pivot });
        for (const each of [sum, square]) f.set(each, v128.const("f32x4", 0));
      },
      () => {
        f.set(pivot, v128.load(sumsAt, { offset: places.pivot }));
        f.set(sum, v128.load(sumsAt, { offset: places.sum }));
        f.set(square, v128.load(sumsAt, { offset: places.square }));
      },
    );
    f.set(out, to);
    byWidth(sumRows);
    v128.store(sumsAt, sum, { offset: places.sum });
    v128.store(sumsAt, square, { offset: places.square });
  };

  const writeVector = (lanes: number) => {
    f.set(half0, scratch);
    f.forRange(q, { to: width }, () => {
      for (let i = 0; i < height; i++)
        f.set(inputs[i], v128.load(from, { offset: i * width * layout.pointStep }));
      down(inputs, (i, value) => v128.store(half0, value, { offset: i * width * VECTOR }));
      f.advance(half0, VECTOR);
      f.advance(from, layout.pointStep);
    });
    f.advance(from, VECTOR - width * layout.pointStep);
    if (bias !== undefined) {
      f.set(addend, f.loadLanes(f.let("biasAt", f.at(bias, c, VECTOR)), lanes));
    }
    byWidth((pixels) => writeRows(pixels, lanes));
    if (tally) addToTally(tally);
    f.advance(to, VECTOR);
  };

  return ({ first, count }) => {
    f.set(area, 0);
    f.forRange(t, { to: count }, () => {
      place.find(f.let("number", i32.add(first, t)));
      f.set(y, i32.mul(place.ty, rows.advance));
      f.set(x, i32.mul(place.tx, columns.advance));
      f.set(inside, f.min(i32.sub(rows.size, y), rows.advance));
      if (tally) f.advance(area, i32.mul(inside, f.min(i32.sub(columns.size, x), columns.advance)));
      f.set(
        to,
        pixelAddress(f, { height: rows.size, width: columns.size, channels }, target, { n: place.n, y, x }),
      );
      f.set(from, f.at(source, t, layout.tileStep));
      f.forRange(c, { to: Math.floor(channels / 4) }, () => writeVector(4));
      if (channels % 4 > 0) writeVector(channels % 4);
    });
    if (tally) i32.store(tally, area, { offset: places.area });
  };
}
