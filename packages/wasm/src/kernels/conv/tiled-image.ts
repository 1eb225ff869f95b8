// Images cut into tiles, and what a strip of tiles is at the points of a bilinear algorithm. A strip is a run of tiles in
// the order of (image, row, column); at the points it stands as one matrix [tile][channel] for each pair of points.

import type { Axis, Correlation } from "@saunet/core/kernels";
import { type FunctionBuilder, type I32, VECTOR } from "../../asm/index.ts";
import type { AxisAlgorithm } from "./axis-algorithm.ts";
import { type Matrix, transpose } from "./bilinear.ts";

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

/** Those, and how many tiles a strip has, which is worked on at once; even. */
export interface StripAlgorithms extends Algorithms {
  readonly stripTiles: number;
}

/** Pairs of points. */
export const pairsOf = ({ rows, columns }: Algorithms): number => rows.points * columns.points;

/** Tiles of all images. */
export const tilesOf = ({ N, rows, columns }: Correlation, algorithms: Algorithms): number =>
  N *
  Math.ceil(rows.outSize / algorithms.rows.outputs) *
  Math.ceil(columns.outSize / algorithms.columns.outputs);

/** Values of a strip: at each pair of points a matrix [tile][channel]. */
export interface PointLayout {
  /** Bytes from tile to tile, a multiple of a vector, and from one pair of points to the next. */
  readonly tileStep: number;
  readonly pointStep: number;
}

/** An image and its values at the points. */
export interface Transformed {
  readonly image: TiledImage;
  readonly layout: PointLayout;
  readonly relaxed: boolean;
}

/**
 * How algorithms cut the images of a correlation into strips of so many tiles: the inputs to be brought to the points, the
 * outputs to be brought back, or the gradients of the outputs to be brought to the points by the adjoint of that.
 */
export function transformed(
  c: Correlation,
  { stripTiles, ...algorithms }: StripAlgorithms,
  side: "inputs" | "outputs" | "gradients",
  relaxed: boolean,
): Transformed {
  const tiled = ({ inSize, outSize }: Axis, { start, advance, outputs, input, output }: AxisAlgorithm) => {
    const tiles = Math.ceil(outSize / outputs);
    if (side === "inputs") return { size: inSize, tiles, start, advance, map: input };
    const map = side === "outputs" ? output : transpose(output);
    return { size: outSize, tiles, start: 0, advance: outputs, map };
  };
  const channels = side === "inputs" ? c.I : c.O;
  const tileStep = Math.ceil(channels / 4) * VECTOR;
  return {
    image: { channels, rows: tiled(c.rows, algorithms.rows), columns: tiled(c.columns, algorithms.columns) },
    layout: { tileStep, pointStep: oddLines(stripTiles * tileStep) },
    relaxed,
  };
}

/**
 * Bytes rounded up to an odd number of cache lines: streams that lie so far apart do not compete for the same places
 * in a cache.
 */
export function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / 64);
  return 64 * (lines + 1 - (lines % 2));
}

/** Where a strip lies: tile `first` and the `count - 1` tiles after it. */
export interface Strip {
  readonly first: I32;
  readonly count: I32;
}

/** Sets the strip of that number among all. */
export function setStrip(
  f: FunctionBuilder,
  { first, count }: Strip,
  number: I32,
  stripTiles: number,
  tiles: number,
): void {
  f.set(first, f.i32.mul(number, stripTiles));
  f.cut(count, first, tiles, stripTiles);
}

/** Declares the image, row and column of a tile; what is returned with them sets them for a tile's number. */
export function placeOfTile(f: FunctionBuilder, { rows, columns }: TiledImage) {
  const { n, ty, tx } = f.declare("i32");
  const find = (tile: I32) => f.unravel(tile, [n, ty, tx], [rows.tiles, columns.tiles]);
  return { n, ty, tx, find };
}
