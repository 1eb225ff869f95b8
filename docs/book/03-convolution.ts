// The numbers and figures of chapter 3.

import { conv2d, tensor } from "@saunet/core";
import { inspectNetwork, saUNetV2 } from "@saunet/model";
import { type Figure, figure, grid, line, text } from "../../scripts/book/svg.ts";
import { patch } from "./eye.ts";

const values = patch();
const taps = [
  [1, -2, 1],
  [1, -2, 1],
  [1, -2, 1],
];
const x = tensor(values.flat(), [1, 5, 5, 1]);
const w = tensor(taps.flat(), [3, 3, 1, 1]);
const rowsOf = (data: Float32Array, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, y) => [...data.subarray(y * width, (y + 1) * width)]);
const valid = rowsOf(conv2d(x, w, undefined, { padding: "valid" }).data, 3);
const same = rowsOf(conv2d(x, w).data, 5);

/** `1·58 - 2·45 + 1·42` for each row of a window. */
const products = (column: number): string =>
  [0, 1, 2]
    .map((row) => {
      const [a, b, c] = values[row].slice(column, column + 3);
      return `(${a} - 2 \\cdot ${b} + ${c})`;
    })
    .join(" + ");

const { layers } = inspectNetwork(saUNetV2, { height: 592, width: 592 });
const second = layers.find(({ layer }) => layer === "encoder1.conv2")!;

export const numbers = {
  first: valid[0][0],
  firstSum: products(0),
  second: valid[0][1],
  secondSum: products(1),
  third: valid[0][2],
  corner: same[0][0],
  cornerLeft: `(-2 \\cdot ${values[0][0]} + ${values[0][1]}) + (-2 \\cdot ${values[1][0]} + ${values[1][1]})`,
  products: ((592 * 592 * 16 * 3 * 3 * 16) / 1e6).toFixed(0),
  layers: layers.filter(({ layer, op }) => op === "conv2d" && /\.conv\d$/.test(layer)).length,
  flops: (second.flops / 1e9).toFixed(2),
};

const inWindow = (row: number, column: number) => (row < 3 && column < 3 ? ("accent" as const) : undefined);

export const figures: Record<string, Figure> = {
  convolution: figure(
    {
      height: 210,
      title: "One output of a convolution",
      description: `The window of three by three pixels at the upper left of the patch, times the filter with rows 1, -2, 1, gives ${valid[0][0]}. The filter moves to all nine places and gives the rows ${valid.map((row) => row.join(" ")).join("; ")}.`,
    },
    [
      text(4, 14, "x: 5×5 greens", { ink: "soft" }),
      grid(4, 22, values, { cell: 26, ink: inWindow }),
      text(144, 62, "·", { size: 18 }),
      text(152, 14, "w: 3×3 filter", { ink: "soft" }),
      grid(156, 22, taps, { cell: 26, ink: () => "accent" }),
      text(242, 62, "=", { size: 16 }),
      text(262, 14, "y: 3×3 sums", { ink: "soft" }),
      grid(262, 22, valid, {
        cell: 30,
        tall: 26,
        ink: (r, c) => (r === 0 && c === 0 ? "accent" : undefined),
      }),
      line([180, 130], [180, 108], { ink: "accent", arrow: true }),
      text(156, 146, "nine products, one sum,", { ink: "accent" }),
      text(156, 162, "then one step to the right", { ink: "accent" }),
      text(4, 196, "Large where the middle column is darker than both sides.", { ink: "soft" }),
    ],
  ),
  padding: figure(
    {
      height: 248,
      title: "Padding",
      description: `The patch with a border of zeros. At the corner the window lies partly on zeros. The result has five by five numbers: ${same.map((row) => row.join(" ")).join("; ")}.`,
    },
    [
      text(4, 14, "x with a border of zeros", { ink: "soft" }),
      grid(
        4,
        22,
        [new Array<number>(7).fill(0), ...values.map((row) => [0, ...row, 0]), new Array<number>(7).fill(0)],
        {
          cell: 24,
          ink: (r, c) =>
            r < 3 && c < 3 ? "accent" : r === 0 || c === 0 || r === 6 || c === 6 ? "soft" : undefined,
        },
      ),
      text(186, 14, 'y, padding "same": 5×5', { ink: "soft" }),
      grid(186, 46, same, { cell: 34, tall: 24, ink: (r, c) => (r === 0 && c === 0 ? "accent" : undefined) }),
      text(4, 216, "The border sees an edge to black that is not in the eye:", { ink: "soft" }),
      text(4, 232, "outputs there are computed, but mean less.", { ink: "soft" }),
    ],
  ),
};
