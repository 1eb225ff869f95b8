// The filter gradient through bilinear algorithms: the adjoint of winograd.ts in the filter.
//
//   for each part of the strips:
//     sums[points][i][o] = 0
//     for each strip:   values    = the tiles of the input, brought to the points
//                       gradients = the tiles of the output's gradient, brought to the points by the adjoint of the
//                                   outputs' way back
//                       sums     += Σ_tile values[tile][i] · gradients[tile][o]     at each pair of points
//   then add up the parts, and for each pair of channels   gw = Gᵀ · sums · G   in double
//
// The parts are added up in the same order for any number of threads (parts.ts).

import type { Correlation } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, VECTOR } from "../../asm/index.ts";
import { transpose } from "./bilinear.ts";
import { filterPairWriter } from "./linear-map.ts";
import { addingParts, bytesOf, forEachTerm, partsOf } from "./parts.ts";
import { productWriter } from "./product.ts";
import { blocksOf, rowsOf } from "./register-tile.ts";
import type { StepLocals, Steps } from "./steps.ts";
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

/** The phases of the gradient of a correlation's filter; `output` is the gradient that is given. */
export function winogradGradientSteps(
  correlation: Correlation,
  algorithms: StripAlgorithms,
  relaxed: boolean,
): Steps {
  const { I, O } = correlation;
  const { stripTiles } = algorithms;
  const pairs = pairsOf(algorithms);
  const input = transformed(correlation, algorithms, "inputs", relaxed);
  const gradient = transformed(correlation, algorithms, "gradients", relaxed);
  const tiles = tilesOf(correlation, algorithms);
  const strips = Math.ceil(tiles / stripTiles);
  const [values, gradients] = [input.layout, gradient.layout];
  const gradientsStart = pairs * values.pointStep;
  const inputScratch = gradientsStart + pairs * gradients.pointStep;
  const gradientScratch = inputScratch + scratchOfTilesToPoints(input.image);
  const blocks = blocksOf(O);
  const rows = Math.max(...blocks.map(({ vectors }) => rowsOf(vectors) * Math.ceil(I / rowsOf(vectors))));
  /** A part's sums lie as a matrix [i][o] at each pair of points: bytes from row to row, and from pair to pair. */
  const row = Math.ceil(O / 4) * VECTOR;
  const point = oddLines(rows * row);
  const parts = partsOf(strips, pairs * point);
  const [{ vectors }] = blocks;
  return {
    tile: `winograd${algorithms.columns.outputs}_${rowsOf(vectors)}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    key: [correlation, algorithms, relaxed],
    sharedBytes: bytesOf(parts),
    ownBytes: gradientScratch + scratchOfTilesToPoints(gradient.image),
    steps: [
      {
        items: parts.count,
        write: (f, locals) => {
          const { i32 } = f;
          const { own } = locals;
          const at = (name: string, offset: number) => f.let(name, i32.add(own, offset));
          const gradientsAt = at("gradients", gradientsStart);
          const inputToPoints = tilesToPoints(
            f,
            input,
            { input: locals.input },
            at("scratchX", inputScratch),
            own,
          );
          const gradientToPoints = tilesToPoints(
            f,
            gradient,
            { input: locals.output },
            at("scratchGy", gradientScratch),
            gradientsAt,
          );
          const multiply = productWriter(f, {
            columns: O,
            tileRows: rowsOf,
            x: { row: FLOAT, term: values.tileStep },
            w: ({ channels }) => ({ term: gradients.tileStep, block: channels * FLOAT }),
            y: row,
            batch: { count: pairs, x: values.pointStep, w: gradients.pointStep, y: point },
            adds: true,
            relaxed,
          });
          const { first, count, terms } = f.declare("i32");
          forEachTerm(f, locals, parts, (strip, partSums) => {
            setStrip(f, { first, count }, strip, stripTiles, tiles);
            inputToPoints({ first, count });
            gradientToPoints({ first, count });
            f.set(terms, i32.mul(count, values.tileStep));
            multiply({ x: own, w: gradientsAt, y: partSums, rows: I, terms });
          });
        },
      },
      ...addingParts(parts),
      { items: I, write: (f, locals) => writeFilter(f, locals, correlation, algorithms, { row, point }) },
    ],
  };
}

/** Brings the sums of input channels `from` … `to - 1` back to the taps, two output channels at a time. */
function writeFilter(
  f: FunctionBuilder,
  { from, to, shared, own, filter: gw }: StepLocals,
  { O, filter }: Correlation,
  { rows, columns }: Algorithms,
  sums: { readonly row: number; readonly point: number },
): void {
  const { v128 } = f;
  const toTaps = filterPairWriter(f, transpose(rows.filter), transpose(columns.filter), own);
  const { i, o, source, target, point, taps } = f.declare("i32");
  const pair = (channels: number) => {
    f.set(point, source);
    f.set(taps, target);
    toTaps({
      load: (p) => v128.load64_zero(point, { offset: p * columns.points * sums.point }),
      nextColumn: () => f.advance(point, sums.point),
      store: (kx, both) => {
        const offset = kx * filter.kx * FLOAT;
        if (channels === 2) v128.store64_lane(taps, both, 0, { offset, align: FLOAT });
        else v128.store32_lane(taps, both, 0, { offset });
      },
      nextRow: () => f.advance(taps, filter.ky * FLOAT),
    });
  };
  f.forRange(i, { from, to }, () => {
    f.set(source, f.at(shared, i, sums.row));
    f.set(target, f.at(gw, i, filter.i * FLOAT));
    f.forRange(o, { to: Math.floor(O / 2) }, () => {
      pair(2);
      f.advance(source, 2 * FLOAT);
      f.advance(target, 2 * FLOAT);
    });
    if (O % 2 > 0) pair(1);
  });
}
