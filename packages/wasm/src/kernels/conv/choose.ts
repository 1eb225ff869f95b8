// Which algorithm a convolution runs with, and with which tile: a pure function of its integers.
//
// Costs are in cycles of one core. Their constants were fitted to the layers of SA-UNetv2 (592x592 with 16 channels to
// 74x74 with 64; Node 20 and 26, strict, AMD EPYC at 3.9 GHz, 128-bit peak 8 multiply-adds a cycle).

import { type Bilinear, F4, F6 } from "./bilinear.ts";
import type { Axis, Correlation } from "./geometry.ts";
import { isPlanar } from "./planar.ts";

/** A choice. */
export type Choice =
  | {
      readonly algorithm: "winograd";
      readonly bilinear: Bilinear;
      /** Tiles of a strip, which is worked on at once; even. */
      readonly stripTiles: number;
    }
  | { readonly algorithm: "planar" }
  | { readonly algorithm: "direct" };

/** What decides; tests put in their own. */
export type Choose = (c: Correlation) => Choice;

/** Multiply-adds a cycle: of transformed values, over the taps themselves, and of outer products. */
const PRODUCTS = 7;
const DIRECT = 7.3;
const DIRECT_GRADIENT = 5.5;

interface Candidate {
  readonly bilinear: Bilinear;
  /** Cycles of bringing a tile to the points or back, for each four channels. */
  readonly tile: number;
  /** Cycles of transforming the filter or adding up its gradient, for each pair of channels. */
  readonly filter: number;
  readonly gradient: number;
}

const CANDIDATES: readonly Candidate[] = [
  { bilinear: F6, tile: 300, filter: 84, gradient: 333 },
  { bilinear: F4, tile: 120, filter: 50, gradient: 190 },
];

/** Strips of 14 to 40 tiles took the same time; shorter ones repeat the loads of the filter too often. */
const STRIPS = [14, 16, 18, 20, 22, 24];
/** A strip's products are added to sums in memory: 20 tiles took up to 10 % longer, 60 were no faster. */
const GRADIENT_STRIP = 40;

/** Chooses for a convolution or its adjoint. */
export const chooseCorrelation: Choose = (c) => {
  if (isPlanar(c)) return { algorithm: "planar" };
  const cost = (c.N * taps(c.rows) * taps(c.columns) * c.I * ceil4(c.O)) / DIRECT;
  // The transforms read four numbers of a row of pixels at a time.
  const found = c.I < 4 ? undefined : cheapest(c, cost, "filter");
  return found
    ? { algorithm: "winograd", bilinear: found.bilinear, stripTiles: chooseStrip(found.tiles) }
    : { algorithm: "direct" };
};

/** Chooses for the gradient of a filter. */
export const chooseGradient: Choose = (c) => {
  const cost = (c.N * taps(c.rows) * taps(c.columns) * c.I * c.O) / DIRECT_GRADIENT;
  const found = Math.min(c.I, c.O) < 4 ? undefined : cheapest(c, cost, "gradient");
  return found
    ? { algorithm: "winograd", bilinear: found.bilinear, stripTiles: GRADIENT_STRIP }
    : { algorithm: "direct" };
};

/** The algorithm that costs least, if there is one that costs less than `limit`. */
function cheapest({ N, I, O, rows, columns }: Correlation, limit: number, once: "filter" | "gradient") {
  if (!hasThreeTaps(rows) || !hasThreeTaps(columns)) return undefined;
  const options = CANDIDATES.map(({ bilinear, tile, [once]: filter }) => {
    const tilesOf = ({ outSize }: Axis) => Math.ceil(outSize / bilinear.outputs);
    const tiles = N * tilesOf(rows) * tilesOf(columns);
    const products = (bilinear.points ** 2 * I * ceil4(O)) / PRODUCTS;
    const transforms = (tile * (ceil4(I) + ceil4(O))) / 4;
    return { bilinear, tiles, cost: tiles * (products + transforms) + filter * I * ceil4(O) };
  });
  return options.filter(({ cost }) => cost < limit).sort((a, b) => a.cost - b.cost)[0];
}

const ceil4 = (count: number): number => 4 * Math.ceil(count / 4);

/** Taps of all outputs along an axis. */
const taps = ({ phases }: Axis): number => phases.reduce((sum, phase) => sum + phase.taps * phase.outputs, 0);

/** Whether every output meets three neighbouring inputs. */
function hasThreeTaps({ step, phases: [phase, ...others] }: Axis): boolean {
  return step === 1 && others.length === 0 && phase.taps === 3 && phase.spacing === 1;
}

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
