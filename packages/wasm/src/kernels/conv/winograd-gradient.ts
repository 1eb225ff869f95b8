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
import { linearMap, mapWriter } from "./linear-map.ts";
import { bytesOf, forEachTerm, type Parts, partsOf } from "./parts.ts";
import { productWriter } from "./product.ts";
import { blocksOf, rowsOf } from "./register-tile.ts";
import type { StepLocals, Steps } from "./steps.ts";
import {
  type Algorithms,
  oddLines,
  pairsOf,
  pointLayout,
  setStrip,
  tiledImage,
  tilesOf,
} from "./tiled-image.ts";
import { scratchOfTilesToPoints, tilesToPoints } from "./tiles-to-points.ts";

/** How the sums of a part lie: at each pair of points a matrix [i][o]. */
interface Sums {
  readonly parts: Parts;
  /** Bytes from row to row, and from one pair of points to the next. */
  readonly row: number;
  readonly point: number;
}

/** The phases of the gradient of a correlation's filter; `output` is the gradient that is given. */
export function winogradGradientSteps(
  correlation: Correlation,
  { stripTiles, ...algorithms }: Algorithms & { readonly stripTiles: number },
  relaxed: boolean,
): Steps {
  const { I, O } = correlation;
  const pairs = pairsOf(algorithms);
  const input = tiledImage(correlation, algorithms, "inputs");
  const gradient = tiledImage(correlation, algorithms, "gradients");
  const tiles = tilesOf(correlation, algorithms);
  const strips = Math.ceil(tiles / stripTiles);
  const [values, gradients] = [pointLayout(stripTiles, I), pointLayout(stripTiles, O)];
  const gradientsStart = pairs * values.pointStep;
  const inputScratch = gradientsStart + pairs * gradients.pointStep;
  const gradientScratch = inputScratch + scratchOfTilesToPoints(input);
  const blocks = blocksOf(O);
  const rows = Math.max(...blocks.map(({ vectors }) => rowsOf(vectors) * Math.ceil(I / rowsOf(vectors))));
  const row = Math.ceil(O / 4) * VECTOR;
  const point = oddLines(rows * row);
  const sums = { parts: partsOf(strips, pairs * point), row, point };
  const [{ vectors }] = blocks;
  return {
    tile: `winograd${algorithms.columns.outputs}_${rowsOf(vectors)}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    key: [correlation, algorithms, stripTiles, relaxed],
    sharedBytes: bytesOf(sums.parts),
    ownBytes: gradientScratch + scratchOfTilesToPoints(gradient),
    steps: [
      {
        items: sums.parts.count,
        write: (f, locals) => {
          const { i32 } = f;
          const { own } = locals;
          const at = (name: string, offset: number) => f.let(name, i32.add(own, offset));
          const gradientsAt = at("gradients", gradientsStart);
          const inputToPoints = tilesToPoints(
            f,
            { image: input, values, relaxed },
            { input: locals.input },
            at("scratchX", inputScratch),
            own,
          );
          const gradientToPoints = tilesToPoints(
            f,
            { image: gradient, values: gradients, relaxed },
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
          forEachTerm(f, locals, sums.parts, (strip, partSums) => {
            setStrip(f, { first, count }, strip, stripTiles, tiles);
            inputToPoints({ first, count });
            gradientToPoints({ first, count });
            f.set(terms, i32.mul(count, values.tileStep));
            multiply({ x: own, w: gradientsAt, y: partSums, rows: I, terms });
          });
        },
      },
      { items: sums.parts.count === 1 ? 0 : pairs, write: (f, locals) => writeSum(f, locals, sums) },
      { items: I, write: (f, locals) => writeFilter(f, locals, correlation, algorithms, sums) },
    ],
  };
}

/** Adds the other parts to the first, at the pairs of points `from` … `to - 1`. */
function writeSum(f: FunctionBuilder, { from, to, shared }: StepLocals, { parts, point }: Sums): void {
  const { v128, f32x4 } = f;
  const { at, end } = f.declare("i32");
  const sum = f.local("sum", "v128");
  f.set(end, f.at(shared, to, point));
  f.forRange(at, { from: f.at(shared, from, point), to: end, step: VECTOR }, () => {
    f.set(sum, v128.load(at));
    for (let part = 1; part < parts.count; part++)
      f.set(sum, f32x4.add(sum, v128.load(at, { offset: part * parts.bytes })));
    v128.store(at, sum);
  });
}

/** Brings the sums of input channels `from` … `to - 1` back to the taps, two output channels at a time. */
function writeFilter(
  f: FunctionBuilder,
  { from, to, shared, filter: gw }: StepLocals,
  { O, filter }: Correlation,
  { rows, columns }: Algorithms,
  { row: rowBytes, point }: Sums,
): void {
  const { v128, f64x2, f32x4 } = f;
  const lanes = { lanes: "f64x2", relaxed: false } as const;
  const [up, across] = [rows, columns].map((axis) => mapWriter(f, linearMap(transpose(axis.filter)), lanes));
  const sums = f.locals("sum", "v128", rows.points);
  const half = Array.from({ length: rows.taps }, () => f.locals("half", "v128", columns.points));
  const rounded = f.local("rounded", "v128");
  const { i, o, source, target } = f.declare("i32");
  const pair = (channels: number) => {
    for (let q = 0; q < columns.points; q++) {
      sums.forEach((sum, p) => {
        const offset = (p * columns.points + q) * point;
        f.set(sum, f64x2.promote_low_f32x4(v128.load64_zero(source, { offset })));
      });
      up(sums, (ky, value) => f.set(half[ky][q], value));
    }
    half.forEach((row, ky) => {
      across(row, (kx, value) => {
        f.set(rounded, f32x4.demote_f64x2_zero(value));
        const offset = (ky * filter.ky + kx * filter.kx) * FLOAT;
        if (channels === 2) v128.store64_lane(target, rounded, 0, { offset, align: FLOAT });
        else v128.store32_lane(target, rounded, 0, { offset });
      });
    });
  };
  f.forRange(i, { from, to }, () => {
    f.set(source, f.at(shared, i, rowBytes));
    f.set(target, f.at(gw, i, filter.i * FLOAT));
    f.forRange(o, { to: Math.floor(O / 2) }, () => {
      pair(2);
      f.advance(source, 2 * FLOAT);
      f.advance(target, 2 * FLOAT);
    });
    if (O % 2 > 0) pair(1);
  });
}
