// Convolutions through bilinear algorithms (bilinear.ts derives them): fewer products than outputs times taps.
//
//   once:            filter[points][block][i][16] = G · w · Gᵀ     for each pair of channels, in double
//   for each strip:  values[points][tile][i]      = the tiles of the input, brought to the points
//                    products[points][tile][o]    = Σ_i values · filter, a product of matrices at each pair of points
//                    out                          = the products brought back, plus the bias
//
// A strip is small enough for values and products to stay in the second cache. Tiles that reach over the border are
// cut: what they read outside counts as zero, and nothing is written there.

import type { Correlation, GroupNormDims } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, VECTOR } from "../../asm/index.ts";
import { MEMORY_GRAIN } from "../stream.ts";
import { filterPairWriter } from "./linear-map.ts";
import { panelRow } from "./panels.ts";
import { pointsToTiles, scratchOfPointsToTiles } from "./points-to-tiles.ts";
import { productWriter } from "./product.ts";
import { BLOCK, blocksOf } from "./register-tile.ts";
import type { Step, StepLocals, Steps } from "./steps.ts";
import { tallyBytes, writeStatistics } from "./tally.ts";
import {
  type Algorithms,
  oddLines,
  pairsOf,
  type StripAlgorithms,
  setStrip,
  tilesOf,
  transformed,
} from "./tiled-image.ts";
import { scratchOfTilesToPoints, tilesToPoints } from "./tiles-to-points.ts";

/** Rows of a register tile; strips are padded to a multiple. */
const ROWS = 2;

/** What is done beside the convolution. */
export interface Joined {
  /** How many of the input's channels, the last ones, are gated (see tiles-to-points.ts). */
  readonly gatedChannels: number;
  /** The groups of the output's channels whose mean and variance are wanted; of one image. */
  readonly norm: GroupNormDims | undefined;
}

const ALONE: Joined = { gatedChannels: 0, norm: undefined };

/** The phases of a correlation. */
export function winogradSteps(
  correlation: Correlation,
  algorithms: StripAlgorithms,
  relaxed: boolean,
  { gatedChannels, norm }: Joined = ALONE,
): Steps {
  const { I, O } = correlation;
  const { stripTiles } = algorithms;
  const pairs = pairsOf(algorithms);
  const input = transformed(correlation, algorithms, "inputs", relaxed);
  const output = transformed(correlation, algorithms, "outputs", relaxed);
  const [values, products] = [input.layout, output.layout];
  const tiles = tilesOf(correlation, algorithms);
  const strips = Math.ceil(tiles / stripTiles);
  /** Sums of the strips lie after the filter. */
  const sumsStart = pairs * filterStep(I, O);
  const productsStart = pairs * values.pointStep;
  const scratchStart = productsStart + pairs * products.pointStep;
  const halfStart = scratchStart + scratchOfTilesToPoints(input.image);
  return {
    tile: `winograd${algorithms.columns.outputs}_${ROWS}x${blocksOf(O)[0].vectors * 4}_${relaxed ? "relaxed" : "simd"}`,
    key: [correlation, algorithms, relaxed, gatedChannels, norm],
    sharedBytes: sumsStart + (norm ? strips * tallyBytes(O) : 0),
    ownBytes: halfStart + scratchOfPointsToTiles(output.image),
    steps: [
      {
        items: Math.ceil(O / 4) * 2,
        reads: ["filter"],
        write: (f, locals) => writeFilter(f, locals, correlation, algorithms),
      },
      {
        items: strips,
        write: (f, { from, to, shared, own, ...operands }) => {
          const { i32 } = f;
          const productsAt = f.let("products", i32.add(own, productsStart));
          const scratchAt = f.let("scratch", i32.add(own, scratchStart));
          const { gated: features, gate } = operands;
          const gated = features && gate && { features, gate, channels: gatedChannels };
          const source = { input: operands.input, gated };
          const toPoints = tilesToPoints(f, input, source, scratchAt, own);
          const multiply = productWriter(f, {
            columns: O,
            tileRows: () => ROWS,
            x: { row: values.tileStep, term: FLOAT },
            w: (blocks) => ({ term: panelRow(blocks), block: I * panelRow(blocks) }),
            y: products.tileStep,
            batch: { count: pairs, x: values.pointStep, w: filterStep(I, O), y: products.pointStep },
            adds: false,
            relaxed,
          });
          const tally = f.local("tally", "i32");
          const back = pointsToTiles(
            f,
            output,
            productsAt,
            f.let("half", i32.add(own, halfStart)),
            operands.output,
            operands.bias,
            norm && tally,
          );
          const { item, first, count } = f.declare("i32");
          f.forRange(item, { from, to }, () => {
            setStrip(f, { first, count }, item, stripTiles, tiles);
            toPoints({ first, count });
            multiply({ x: own, w: shared, y: productsAt, rows: count, terms: I * FLOAT });
            if (norm) f.set(tally, f.at(i32.add(shared, sumsStart), item, tallyBytes(O)));
            back({ first, count });
          });
        },
      },
      ...(norm ? [statisticsStep(norm, strips, sumsStart)] : []),
    ],
  };
}

function statisticsStep(norm: GroupNormDims, strips: number, sumsStart: number): Step {
  return {
    items: norm.G,
    // Each strip's sums of a channel take as long as some ten elements.
    grain: Math.ceil(MEMORY_GRAIN / (10 * norm.D * strips)),
    write: (f, { from, to, shared, mean, variance }) => {
      if (mean === undefined || variance === undefined) throw new Error("statistics without their arrays");
      const sums = f.let("sums", f.i32.add(shared, sumsStart));
      writeStatistics(f, norm, strips, { from, to, sums }, { mean, variance });
    },
  };
}

/** Bytes from one pair of points to the next of the transformed filter, which at each is blocks of [i][o]. */
const filterStep = (I: number, O: number): number => oddLines(I * Math.ceil(O / 4) * VECTOR);

/** Brings the filter to the points, two output channels at a time: items are pairs of these. */
function writeFilter(
  f: FunctionBuilder,
  { from, to, shared, own, filter: w }: StepLocals,
  { I, O, filter }: Correlation,
  { rows, columns }: Algorithms,
): void {
  const { i32, v128 } = f;
  const toPoints = filterPairWriter(f, rows.filter, columns.filter, own);
  const whole = O - (O % BLOCK);
  const restBytes = Math.ceil((O - whole) / 4) * VECTOR;
  const { pair, i, channel, first, second, target, rowBytes, points } = f.declare("i32");
  // Channels after the last are its copies: their products are computed, and never stored.
  const address = () => f.at(w, f.min(channel, O - 1), filter.o * FLOAT);
  f.forRange(pair, { from, to }, () => {
    f.set(channel, i32.mul(pair, 2));
    f.set(first, address());
    f.set(target, f.at(shared, i32.div_u(channel, BLOCK), I * BLOCK * FLOAT));
    f.set(target, f.at(target, i32.rem_u(channel, BLOCK), FLOAT));
    f.set(rowBytes, i32.const(BLOCK * FLOAT));
    if (restBytes > 0) f.set(rowBytes, f.select(restBytes, rowBytes, i32.ge_s(channel, whole)));
    f.advance(channel, 1);
    f.set(second, address());
    f.forRange(i, { to: I }, () => {
      f.set(points, target);
      toPoints({
        load: (ky) => {
          const offset = ky * filter.ky * FLOAT;
          return v128.load32_lane(second, v128.load32_zero(first, { offset }), 1, { offset });
        },
        nextColumn: () => {
          for (const pointer of [first, second]) f.advance(pointer, filter.kx * FLOAT);
        },
        store: (q, both) =>
          v128.store64_lane(points, both, 0, { offset: q * filterStep(I, O), align: FLOAT }),
        nextRow: () => f.advance(points, columns.points * filterStep(I, O)),
      });
      for (const pointer of [first, second])
        f.advance(pointer, (filter.i - columns.taps * filter.kx) * FLOAT);
      f.advance(target, rowBytes);
    });
  });
}
