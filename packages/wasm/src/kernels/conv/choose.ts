// Which algorithm a convolution runs with, and with which tile: a pure function of its integers.
//
// Costs are in cycles of one core. Their constants were fitted to the layers of SA-UNetv2 (592x592 with 16 channels to
// 74x74 with 64; Node 20 and 26, strict, AMD EPYC at 3.9 GHz, 128-bit peak 8 multiply-adds a cycle).

import { type Bilinear, F4, F6 } from "./bilinear.ts";
import type { Axis, Correlation } from "./geometry.ts";

/** A choice. */
export type Choice =
  | {
      readonly algorithm: "winograd";
      readonly bilinear: Bilinear;
      /** Tiles of a strip: an item. */
      readonly stripTiles: number;
    }
  | { readonly algorithm: "direct" };

/** Multiply-adds a cycle in the products of the transformed values. */
const PRODUCTS = 7;
/** The same over the taps themselves. */
const DIRECT = 7.3;

interface Candidate {
  readonly bilinear: Bilinear;
  /** Cycles of bringing a tile to the points or back, for each four channels. */
  readonly tile: number;
  /** Cycles of transforming the filter, for each pair of channels. */
  readonly filter: number;
}

const CANDIDATES: readonly Candidate[] = [
  { bilinear: F6, tile: 300, filter: 84 },
  { bilinear: F4, tile: 120, filter: 50 },
];

/** Strips of 14 to 40 tiles took the same time; shorter ones repeat the loads of the filter too often. */
const STRIPS = [14, 16, 18, 20, 22, 24];

/** Chooses for a convolution or its adjoint. */
export function chooseCorrelation(c: Correlation): Choice {
  const { N, I, O, rows, columns } = c;
  const taps = (axis: Axis) => axis.phases.reduce((sum, phase) => sum + phase.taps * phase.outputs, 0);
  let best = {
    cost: (N * taps(rows) * taps(columns) * I * ceil4(O)) / DIRECT,
    choice: { algorithm: "direct" } as Choice,
  };
  // The transforms read four numbers of a row of pixels at a time.
  if (!hasThreeTaps(rows) || !hasThreeTaps(columns) || I < 4) return best.choice;
  for (const { bilinear, tile, filter } of CANDIDATES) {
    const tiles =
      N * Math.ceil(rows.outSize / bilinear.outputs) * Math.ceil(columns.outSize / bilinear.outputs);
    const products = (bilinear.points ** 2 * I * ceil4(O)) / PRODUCTS;
    const cost = tiles * (products + (tile * (ceil4(I) + ceil4(O))) / 4) + filter * I * ceil4(O);
    if (cost < best.cost) {
      best = { cost, choice: { algorithm: "winograd", bilinear, stripTiles: chooseStrip(tiles) } };
    }
  }
  return best.choice;
}

const ceil4 = (count: number): number => 4 * Math.ceil(count / 4);

/** Whether every output meets three neighbouring inputs. */
function hasThreeTaps({ step, phases }: Axis): boolean {
  const [phase] = phases;
  return step === 1 && phases.length === 1 && phase.taps === 3 && phase.spacing === 1;
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
