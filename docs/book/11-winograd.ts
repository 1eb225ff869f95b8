// The numbers and figures of chapter 11.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parameter, type Tensor, tensor } from "@saunet/core";
import { conv2dDims, conv2dForward } from "@saunet/core/kernels";
import { forward, loadSegmenter } from "@saunet/model";
import { directTile } from "../../bench/lab/12-wasm-tile.ts";
import type { Attempt, Operands } from "../../bench/lab/attempt.ts";
import { wasmWinograd } from "../../bench/lab/wasm-winograd.ts";
import { makeOperands } from "../../bench/operands.ts";
import {
  type Bilinear,
  type Matrix,
  transpose,
  winograd,
} from "../../packages/wasm/src/kernels/conv/bilinear.ts";
import { linearMap } from "../../packages/wasm/src/kernels/conv/linear-map.ts";
import { box, type Figure, figure, grid, type Ink, line, text } from "../../scripts/book/svg.ts";
import { root } from "../../scripts/workspace.mjs";
import { eye, patch } from "./eye.ts";

const greens = patch();
const taps = [1, -2, 1];
const [d0, d1, d2, d3] = greens[0];
const m = [
  (d0 - d2) * taps[0],
  ((d1 + d2) * (taps[0] + taps[1] + taps[2])) / 2,
  ((d2 - d1) * (taps[0] - taps[1] + taps[2])) / 2,
  (d3 - d1) * taps[2],
];
const direct = [0, 1].map((p) => taps.reduce((sum, tap, i) => sum + tap * greens[0][p + i], 0));

const F2 = winograd(2, 3, [0, 1, -1]);
const F4 = winograd(4, 3, [0, 1, -1, 2, -2]);
const F6 = winograd(6, 3, [0, 1, -1, 2, -2, 1 / 2, -1 / 2]);

/** Products for one output of two axes, with one channel. */
const productsOf = ({ points, outputs }: Bilinear): number => points ** 2 / outputs ** 2;
const CHANNELS = 16;
/** Operations of a transform along one axis: an addition for every further term, a multiplication for every coefficient. */
const operationsOf = (matrix: Matrix): number =>
  linearMap(matrix).sums.reduce(
    (sum, terms) =>
      sum + terms.length - 1 + terms.filter(({ coefficient }) => Math.abs(coefficient) !== 1).length,
    0,
  );
/** Operations for one output of a layer of 16 channels: the transforms', and the products'. */
function costOf({ input, output, points, outputs }: Bilinear): { transforms: number; all: number } {
  const forth = 2 * points * operationsOf(input);
  const back = (points + outputs) * operationsOf(output);
  const transforms = (forth + back) / outputs ** 2;
  return { transforms, all: transforms + 2 * CHANNELS * productsOf({ points, outputs } as Bilinear) };
}
const costs = [F2, F4, F6].map(costOf);
const rowSum = (matrix: Matrix): number =>
  Math.max(...matrix.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
/** Signs of whole rows are free, so the size is what counts. */
const growthOf = ({ input, filter, output }: Bilinear): string =>
  (rowSum(input) * rowSum(filter) * rowSum(output)).toFixed(0);

/** What encoder1.conv2 sees of a part of the eye, and its trained filter. */
const [TOP, LEFT, SIDE] = [340, 250, 144];
const { image } = eye;
const crop = Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
  const [y, x] = [Math.floor(i / (SIDE * 3)), i % (SIDE * 3)];
  return image.data[((TOP + y) * image.width + LEFT) * 3 + x] / 255;
});
const { parameters, config } = await loadSegmenter();
const learning = Object.fromEntries(
  Object.entries(parameters).map(([name, each]) => [name, parameter(each)]),
);
const found = new Set<Tensor>([forward(config, learning, tensor(crop, [1, SIDE, SIDE, 3]))]);
for (const { history } of found)
  for (const each of history!.inputs) if (each.history !== undefined) found.add(each);
const [seen] = [...found]
  .filter(({ history }) => history!.op === "silu")
  .sort((a, b) => a.history!.order - b.history!.order);
const dims = conv2dDims("book", [1, SIDE, SIDE, CHANNELS], [3, 3, CHANNELS, CHANNELS]);
const ofTheEye = {
  x: seen.data,
  w: parameters["encoder1.conv2.filter"].data,
  b: parameters["encoder1.conv2.bias"].data,
};

/** The largest error of each form of the laboratory, of the largest output. */
function errorsOf({ x, w, b }: Operands, attempts: readonly Attempt[]): number[] {
  const exact = new Float64Array(SIDE * SIDE * CHANNELS);
  const [x64, w64, b64] = [x, w, b].map((array) => Float64Array.from(array));
  conv2dForward.reference({ y: exact, x: x64, w: w64, b: b64 }, dims);
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return attempts.map((attempt) => {
    const prepared = attempt.prepare(dims, { x, w, b });
    prepared.run();
    return prepared.y().reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]) / largest), 0);
  });
}
const inFloats = (name: string, { outputs, input, filter, output }: Bilinear): Attempt =>
  wasmWinograd(0, name, { m: outputs, G: filter, Bt: input, At: output });
const tileForm = directTile(0, "direct", { pixels: 2, vectors: 4, unroll: 1, relaxed: false }, () => true);
const compared = [tileForm, inFloats("F(2,3)", F2), inFloats("F(4,3)", F4), inFloats("F(6,3)", F6)];
const [eyeErrors, randomErrors] = [ofTheEye, makeOperands(dims)].map((each) => errorsOf(each, compared));

/** Recorded runs. */
interface Recorded {
  readonly machine: { readonly date: string };
  readonly results: readonly {
    readonly name: string;
    readonly shape: string;
    readonly median_ms: number;
    readonly max_abs_diff: number;
  }[];
}
const recorded = (name: string): Recorded =>
  JSON.parse(readFileSync(join(root, `bench/results/${name}.json`), "utf8")) as Recorded;
const inLab = (number: number): number =>
  recorded("lab").results.find(
    ({ name, shape }) => shape === "encoder1.conv2" && name.startsWith(String(number)),
  )!.median_ms;
const onPhotographs = recorded("winograd");

/** A matrix as a formula; halves are the only fractions of F(2, 3). */
const formula = (matrix: Matrix): string => {
  const rows = matrix.map((row) =>
    row
      .map((value) => `${value < 0 ? "-" : ""}${Math.abs(value) === 0.5 ? "\\tfrac12" : Math.abs(value)}`)
      .join(" & "),
  );
  return `\\begin{pmatrix} ${rows.join(" \\\\ ")} \\end{pmatrix}`;
};

export const numbers = {
  matrixB: formula(F2.input),
  matrixG: formula(F2.filter),
  matrixA: formula(F2.output),
  d: greens[0].slice(0, 4).join(",\\ "),
  direct0: direct[0],
  direct1: direct[1],
  products: m.map((value, i) => `m_${i + 1} = ${value}`).join(",\\ "),
  y0: m[0] + m[1] + m[2],
  y1: m[1] - m[2] + m[3],
  f2: productsOf(F2).toFixed(2),
  f4: productsOf(F4).toFixed(2),
  f6: productsOf(F6).toFixed(2),
  f2Saved: (9 / productsOf(F2)).toFixed(2),
  f4Saved: (9 / productsOf(F4)).toFixed(0),
  f6Saved: (9 / productsOf(F6)).toFixed(2),
  tileMs: inLab(12).toFixed(2),
  f2Ms: inLab(15).toFixed(2),
  f4Ms: inLab(16).toFixed(2),
  f4Times: (inLab(12) / inLab(16)).toFixed(1),
  directOps: 2 * 9 * CHANNELS,
  ...Object.fromEntries(
    [2, 4, 6].flatMap((outputs, i) => [
      [`f${outputs}Ops`, costs[i].all.toFixed(0)],
      [`f${outputs}Transform`, costs[i].transforms.toFixed(0)],
    ]),
  ),
  f2Growth: growthOf(F2),
  f4Growth: growthOf(F4),
  f6Growth: growthOf(F6),
  f6Worse: (eyeErrors[3] / eyeErrors[0]).toFixed(1),
  f6Random: (randomErrors[3] / randomErrors[0]).toFixed(0),
  f6Error: randomErrors[3].toExponential(0),
  recordedDiff: Math.max(...onPhotographs.results.map((each) => each.max_abs_diff)).toPrecision(1),
  recordedDate: onPhotographs.machine.date.slice(0, 10),
};

const times = (a: Matrix, b2: Matrix): number[][] =>
  a.map((row) => b2[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b2[k][j], 0)));
const both = (matrix: Matrix, inside: Matrix): number[][] => times(times(matrix, inside), transpose(matrix));
const tile = greens.slice(0, 4).map((row) => row.slice(0, 4));
const V = both(F2.input, tile);
const U = both(F2.filter, [taps, taps, taps]);
const M = V.map((row, i) => row.map((value, j) => value * U[i][j]));
const y = both(F2.output, M);
const shown = (rows: readonly (readonly number[])[]): number[][] =>
  rows.map((row) => row.map((value) => value + 0));
const CELL = { cell: 34, tall: 24 };

export const figures: Record<string, Figure> = {
  tile: figure(
    {
      height: 352,
      title: "Winograd's transforms on a tile",
      description: `The tile ${tile.map((row) => row.join(" ")).join("; ")} becomes V = ${shown(V)
        .map((row) => row.join(" "))
        .join("; ")}. The filter becomes U = ${shown(U)
        .map((row) => row.join(" "))
        .join("; ")}. Their products, number by number, are ${shown(M)
        .map((row) => row.join(" "))
        .join("; ")}, and these become the four outputs ${y.flat().join(", ")}.`,
    },
    [
      text(4, 14, "d: 4×4 greens", { ink: "soft" }),
      grid(4, 20, tile, CELL),
      line([144, 68], [206, 68], { ink: "accent", arrow: true }),
      text(175, 60, "Bᵀ d B", { anchor: "middle", ink: "accent" }),
      text(212, 14, "V", { ink: "soft" }),
      grid(212, 20, shown(V), { ...CELL, ink: () => "accent" }),
      text(280, 136, "⊙", { anchor: "middle", size: 16 }),
      text(4, 140, "g: 3×3 taps", { ink: "soft" }),
      grid(4, 146, [taps, taps, taps], CELL),
      line([110, 182], [206, 194], { ink: "warm", arrow: true }),
      text(158, 174, "G g Gᵀ", { anchor: "middle", ink: "warm" }),
      text(212, 140, "U", { ink: "soft" }),
      grid(212, 146, shown(U), { ...CELL, ink: () => "warm" }),
      text(212, 262, "= M: 16 multiplications", { ink: "soft" }),
      grid(212, 268, shown(M), { ...CELL, tall: 20, ink: () => "cool" }),
      line([206, 308], [118, 308], { ink: "cool", arrow: true }),
      text(162, 300, "Aᵀ M A", { anchor: "middle", ink: "cool" }),
      text(42, 276, "y: 2×2", { ink: "soft" }),
      grid(42, 284, y, { ...CELL, ink: () => "accent" }),
    ],
  ),
  rounding: figure(
    {
      height: 30 + 46 * compared.length,
      title: "Rounding errors of the algorithms",
      description: compared
        .map(
          ({ name }, i) =>
            `${name}: ${eyeErrors[i].toExponential(1)} on the eye, ${randomErrors[i].toExponential(1)} on random numbers`,
        )
        .join("; "),
    },
    [
      ...compared.flatMap(({ name }, i) => {
        const top = 6 + 46 * i;
        const bar = (y: number, value: number, ink: Ink): string => {
          const wide = (236 * value) / randomErrors[3];
          return (
            box(58, y, wide, 15, { ink, filled: true }) +
            text(62 + wide, y + 12, value.toExponential(1), { size: 11 })
          );
        };
        return [
          text(4, top + 20, name, { bold: true }),
          bar(top, eyeErrors[i], "warm"),
          bar(top + 18, randomErrors[i], "cool"),
        ];
      }),
      text(58, 20 + 46 * compared.length, "map of the eye, trained filter", { ink: "warm", size: 11 }),
      text(230, 20 + 46 * compared.length, "random numbers", { ink: "cool", size: 11 }),
    ],
  ),
};
