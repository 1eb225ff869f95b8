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
// The parts are the same for any number of threads, and so is the order in which they are added up.

import type { FunctionBuilder, Local } from "../../asm/index.ts";
import { FLOAT, VECTOR } from "../stream.ts";
import { transpose } from "./bilinear.ts";
import type { Correlation } from "./geometry.ts";
import { linearMap, mapWriter } from "./linear-map.ts";
import { blocksOf, registerTile, repeat, rowsOf } from "./register-tile.ts";
import type { Range, Steps } from "./steps.ts";
import {
  type Algorithms,
  oddLines,
  type PointLayout,
  pairsOf,
  pointLayout,
  type Strip,
  tiledImage,
  tilesOf,
} from "./tiled-image.ts";
import { scratchOfTilesToPoints, tilesToPoints } from "./tiles-to-points.ts";

type I32 = Local<"i32">;

/** Parts that are summed up each for itself: as many threads share the work. */
export const PARTS = 8;

/** What the code is made for. */
interface Code {
  readonly correlation: Correlation;
  readonly algorithms: Algorithms;
  readonly relaxed: boolean;
  readonly parts: number;
  /** Bytes from row to row of the sums, from one pair of points to the next, and from part to part. */
  readonly rowBytes: number;
  readonly pointBytes: number;
  readonly partBytes: number;
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
  const rowBytes = Math.ceil(O / 4) * VECTOR;
  const pointBytes = oddLines(rows * rowBytes);
  const parts = Math.min(PARTS, strips);
  const code = {
    correlation,
    algorithms,
    relaxed,
    parts,
    rowBytes,
    pointBytes,
    partBytes: pairs * pointBytes,
  };
  const { vectors } = blocks[0];
  return {
    tile: `winograd${algorithms.columns.outputs}_${rowsOf(vectors)}x${4 * vectors}_${relaxed ? "relaxed" : "simd"}`,
    sharedBytes: parts * code.partBytes,
    ownBytes: gradientScratch + scratchOfTilesToPoints(gradient),
    steps: [
      {
        items: parts,
        write: (f, { from, to, shared, own }, operands) => {
          const { i32, memory } = f;
          const gradientsAt = f.let("gradients", i32.add(own, gradientsStart));
          const at = (name: string, offset: number) => f.let(name, i32.add(own, offset));
          const prepare = (
            image: typeof input,
            layout: PointLayout,
            source: I32,
            scratch: I32,
            target: I32,
          ) => tilesToPoints(f, { image, values: layout, relaxed }, { input: source }, scratch, target);
          const inputToPoints = prepare(input, values, operands.input, at("scratchX", inputScratch), own);
          const gradientToPoints = prepare(
            gradient,
            gradients,
            operands.output,
            at("scratchGy", gradientScratch),
            gradientsAt,
          );
          const addProducts = outerProducts(f, code, { values, gradients });
          const { item, strip, end, sums, first, count } = f.declare("i32");
          f.forRange(item, { from, to }, () => {
            f.set(sums, f.at(shared, item, code.partBytes));
            memory.fill(sums, 0, code.partBytes);
            f.set(end, i32.div_u(i32.mul(i32.add(item, 1), strips), parts));
            f.forRange(strip, { from: i32.div_u(i32.mul(item, strips), parts), to: end }, () => {
              f.set(first, i32.mul(strip, stripTiles));
              f.set(count, i32.sub(tiles, first));
              f.set(count, f.min(count, stripTiles));
              inputToPoints({ first, count });
              gradientToPoints({ first, count });
              addProducts({ first, count }, { values: own, gradients: gradientsAt, sums });
            });
          });
        },
      },
      { items: parts === 1 ? 0 : pairs, write: (f, range) => writeSum(f, range, code) },
      { items: I, write: (f, range, operands) => writeFilter(f, range, operands.filter, code) },
    ],
  };
}

/** Prepares the products of a strip; what it returns writes the code that adds them up. */
function outerProducts(
  f: FunctionBuilder,
  { correlation, algorithms, relaxed, rowBytes, pointBytes }: Code,
  layout: { readonly values: PointLayout; readonly gradients: PointLayout },
): (strip: Strip, at: { readonly values: I32; readonly gradients: I32; readonly sums: I32 }) => void {
  const { i32, v128, f32x4 } = f;
  const { I, O } = correlation;
  const { values, gradients } = layout;
  const groups = blocksOf(O).map((blocks) => {
    return { ...blocks, tile: registerTile(f, rowsOf(blocks.vectors), blocks.vectors, relaxed) };
  });
  const { point, v, g, sum, column, row } = f.declare("i32");
  const { x, end, w, out, bytes, i } = f.declare("i32");
  return ({ count }, at) => {
    f.set(bytes, i32.mul(count, values.tileStep));
    f.set(v, at.values);
    f.set(g, at.gradients);
    f.set(sum, at.sums);
    f.forRange(point, { to: pairsOf(algorithms) }, () => {
      f.set(column, g);
      f.set(out, sum);
      for (const { count, channels, tile } of groups) {
        repeat(f, "block", count, () => {
          f.set(row, out);
          f.forRange(i, { to: I, step: tile.sums.length }, () => {
            f.set(x, f.at(v, i, FLOAT));
            f.set(end, i32.add(x, bytes));
            f.set(w, column);
            tile.clear();
            tile.accumulate(x, end, w, { row: FLOAT, x: values.tileStep, w: gradients.tileStep });
            tile.sums.forEach((vectors, p) => {
              vectors.forEach((value, v) => {
                const offset = p * rowBytes + v * VECTOR;
                v128.store(row, f32x4.add(value, v128.load(row, { offset })), { offset });
              });
            });
            f.advance(row, tile.sums.length * rowBytes);
          });
          f.advance(column, channels * FLOAT);
          f.advance(out, channels * FLOAT);
        });
      }
      f.advance(v, values.pointStep);
      f.advance(g, gradients.pointStep);
      f.advance(sum, pointBytes);
    });
  };
}

/** Adds the other parts to the first, at the pairs of points `from` … `to - 1`. */
function writeSum(
  f: FunctionBuilder,
  { from, to, shared }: Range,
  { parts, partBytes, pointBytes }: Code,
): void {
  const { v128, f32x4 } = f;
  const { at, end } = f.declare("i32");
  const sum = f.local("sum", "v128");
  f.set(end, f.at(shared, to, pointBytes));
  f.forRange(at, { from: f.at(shared, from, pointBytes), to: end, step: VECTOR }, () => {
    f.set(sum, v128.load(at));
    for (let part = 1; part < parts; part++)
      f.set(sum, f32x4.add(sum, v128.load(at, { offset: part * partBytes })));
    v128.store(at, sum);
  });
}

/** Brings the sums of input channels `from` … `to - 1` back to the taps, two output channels at a time. */
function writeFilter(f: FunctionBuilder, { from, to, shared }: Range, gw: I32, code: Code): void {
  const { v128, f64x2, f32x4 } = f;
  const { correlation, algorithms, rowBytes, pointBytes } = code;
  const { O, filter } = correlation;
  const { rows, columns } = algorithms;
  const lanes = { lanes: "f64x2", relaxed: false } as const;
  const [up, across] = [rows, columns].map((axis) => mapWriter(f, linearMap(transpose(axis.filter)), lanes));
  const sums = f.locals("sum", "v128", rows.points);
  const half = Array.from({ length: rows.taps }, () => f.locals("half", "v128", columns.points));
  const rounded = f.local("rounded", "v128");
  const { i, o, source, target } = f.declare("i32");
  const pair = (channels: number) => {
    for (let q = 0; q < columns.points; q++) {
      sums.forEach((sum, p) => {
        const offset = (p * columns.points + q) * pointBytes;
        f.set(sum, f64x2.promote_low_f32x4(v128.load64_zero(source, { offset })));
      });
      up(sums, (ky, value) => f.set(half[ky][q], value));
    }
    half.forEach((row, ky) => {
      across(row, (kx, value) => {
        f.set(rounded, f32x4.demote_f64x2_zero(value));
        const offset = (ky * filter.row + kx * filter.column) * FLOAT;
        if (channels === 2) v128.store64_lane(target, rounded, 0, { offset, align: FLOAT });
        else v128.store32_lane(target, rounded, 0, { offset });
      });
    });
  };
  f.forRange(i, { from, to }, () => {
    f.set(source, f.at(shared, i, rowBytes));
    f.set(target, f.at(gw, i, filter.input * FLOAT));
    f.forRange(o, { to: Math.floor(O / 2) }, () => {
      pair(2);
      f.advance(source, 2 * FLOAT);
      f.advance(target, 2 * FLOAT);
    });
    if (O % 2 > 0) pair(1);
  });
}
