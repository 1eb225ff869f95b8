// Which algorithm a convolution runs with, and with which tile: a pure function of its integers.
//
// Costs are in cycles of one core. Their constants were fitted to the layers of SA-UNetv2 (592x592 with 16 channels to
// 74x74 with 64; Node 20 and 26, strict, AMD EPYC at 3.9 GHz, 128-bit peak 8 multiply-adds a cycle).

import type { Axis, Correlation } from "@saunet/core/kernels";
import type { Convolutions } from "../../plan.ts";
import { algorithmsFor } from "./axis-algorithm.ts";
import type { Matrix } from "./bilinear.ts";
import { linearMap } from "./linear-map.ts";
import { isPlanar } from "./planar.ts";
import { type Algorithms, pairsOf, type StripAlgorithms, tilesOf } from "./tiled-image.ts";

/** A choice. */
export type Choice =
  | ({ readonly algorithm: "winograd" } & StripAlgorithms)
  | { readonly algorithm: "planar" | "direct" };

/** What decides, within what the user wishes; tests put in their own. */
export type Choose = (c: Correlation, wish: Convolutions | undefined) => Choice;

/** Which of an axis's algorithms, the one with the larger tiles first, a wish allows. */
const ALLOWED: Readonly<Record<Convolutions, readonly number[]>> = {
  fastest: [0, 1],
  winograd6: [0],
  winograd4: [1],
  direct: [],
};

/** Multiply-adds a cycle: of transformed values, over the taps themselves, and of outer products. */
const PRODUCTS = 7;
const DIRECT = 7.3;
const DIRECT_GRADIENT = 5.5;

/** Cycles an instruction that adds or stores: of four floats in the transforms, of two doubles in the filter's. */
const TRANSFORM = 0.67;
const FILTER = 0.8;
/** Cycles of clearing the parts of a filter gradient's sum and adding them up, for each point and pair of channels. */
const ADDING = 3.9;

/** Strips of 14 to 40 tiles took the same time; shorter ones repeat the loads of the filter too often. */
const STRIPS = [14, 16, 18, 20, 22, 24];
/** A strip's products are added to sums in memory: 20 tiles took up to 10 % longer, 60 were no faster. */
const GRADIENT_STRIP = 40;

/** Chooses for a convolution or its adjoint. */
export const chooseCorrelation: Choose = (c, wish) => {
  if (isPlanar(c)) return { algorithm: "planar" };
  const cost = (c.N * taps(c.rows) * taps(c.columns) * c.I * ceil4(c.O)) / DIRECT;
  // The transforms read four numbers of a row of pixels at a time.
  const found = c.I < 4 ? undefined : cheapest(c, wish, cost, 0);
  return found
    ? { algorithm: "winograd", ...found, stripTiles: chooseStrip(tilesOf(c, found)) }
    : { algorithm: "direct" };
};

/** Chooses for the gradient of a filter. */
export const chooseGradient: Choose = (c, wish) => {
  const cost = (c.N * taps(c.rows) * taps(c.columns) * c.I * c.O) / DIRECT_GRADIENT;
  const found = Math.min(c.I, c.O) < 4 ? undefined : cheapest(c, wish, cost, ADDING);
  return found ? { algorithm: "winograd", ...found, stripTiles: GRADIENT_STRIP } : { algorithm: "direct" };
};

/**
 * The algorithms that cost least: less than `direct`, unless they are what the user wishes.
 *
 * @param once what is added for each point and pair of channels
 */
function cheapest(
  c: Correlation,
  wish: Convolutions = "fastest",
  direct: number,
  once: number,
): Algorithms | undefined {
  let [least, found] = [wish === "fastest" ? direct : Infinity, undefined as Algorithms | undefined];
  const [allRows, allColumns] = [c.rows, c.columns].map((axis) =>
    algorithmsFor(axis).filter((_, i) => ALLOWED[wish].includes(i)),
  );
  for (const rows of allRows)
    for (const columns of allColumns) {
      const algorithms = { rows, columns };
      const cost = costOf(c, algorithms, once);
      if (cost < least) [least, found] = [cost, algorithms];
    }
  return found;
}

function costOf(c: Correlation, algorithms: Algorithms, once: number): number {
  const { rows, columns } = algorithms;
  const [I, O] = [ceil4(c.I), ceil4(c.O)];
  const products = (pairsOf(algorithms) * c.I * O) / PRODUCTS;
  // Columns of pixels that neighbouring tiles share are transformed once.
  const forth = operations(rows.input) * columns.advance + operations(columns.input) * rows.points;
  const back = operations(rows.output) * columns.points + operations(columns.output) * rows.outputs;
  const filter = operations(rows.filter) * columns.taps + operations(columns.filter) * rows.points;
  return (
    tilesOf(c, algorithms) * (products + TRANSFORM * (forth * (I / 4) + back * (O / 4))) +
    (FILTER * (filter / 2) + once * pairsOf(algorithms)) * c.I * O
  );
}

/** Additions and stores of a transform along one axis. */
const operations = (matrix: Matrix): number =>
  linearMap(matrix).sums.reduce((sum, terms) => sum + terms.length - 1, matrix.length);

const ceil4 = (count: number): number => 4 * Math.ceil(count / 4);

/** Taps of all outputs along an axis. */
const taps = ({ phases }: Axis): number =>
  phases.reduce((sum, phase) => sum + phase.taps.length * phase.outputs, 0);

/** The strip that shares out the tiles most evenly among two to four threads. */
function chooseStrip(tiles: number): number {
  const unevenness = (strip: number): number => {
    const strips = Math.ceil(tiles / strip);
    return [2, 3, 4].reduce(
      (sum, threads) => sum + (Math.ceil(strips / threads) * strip * threads) / tiles,
      0,
    );
  };
  return STRIPS.reduce((best, strip) => (unevenness(strip) < unevenness(best) ? strip : best));
}
