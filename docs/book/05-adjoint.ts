// The numbers and figures of chapter 5.

import { conv2d, convTranspose2d, mul, sum, tensor } from "@saunet/core";
import { type Figure, figure, grid, line, text } from "../../scripts/book/svg.ts";
import { patch } from "./eye.ts";

const x = patch()[0];
const w = [1, -2, 1];
const correlate = (values: readonly number[]): number[] => [
  ...conv2d(tensor([...values], [1, 1, 5, 1]), tensor(w, [1, 3, 1, 1]), undefined, { padding: "valid" }).data,
];
const back = (values: readonly number[]): number[] => [
  ...convTranspose2d(tensor([...values], [1, 1, 3, 1]), tensor(w, [1, 3, 1, 1]), undefined, {
    padding: "valid",
  }).data,
];
const y = correlate(x);
const gy = [1, 0.5, 0];
const gx = back(gy);
const product = (a: readonly number[], b: readonly number[]): number =>
  sum(mul(tensor([...a]), tensor([...b]))).item();

export const numbers = {
  x: x.join(",\\ "),
  y: y.join(",\\ "),
  gy: gy.join(",\\ "),
  gx: gx.join(",\\ "),
  left: product(y, gy),
  right: product(x, gx),
};

const matrix = Array.from({ length: 3 }, (_, p) => Array.from({ length: 5 }, (_, q) => w[q - p] ?? 0));
const transposed = matrix[0].map((_, q) => matrix.map((row) => row[q]));
const column = (values: readonly number[]) => values.map((value) => [value]);

export const figures: Record<string, Figure> = {
  matrices: figure(
    {
      height: 346,
      title: "A convolution as a matrix, and its transpose",
      description: `Above, a matrix with three rows and five columns, in which the taps 1, -2, 1 move one column to the right from row to row, times the column ${x.join(", ")} is the column ${y.join(", ")}. Below, the transposed matrix with five rows and three columns times the gradient ${gy.join(", ")} is ${gx.join(", ")}.`,
    },
    [
      text(4, 14, "forward: y = A x", { bold: true }),
      grid(4, 24, matrix, {
        cell: 32,
        tall: 26,
        ink: (p, q) => (q - p >= 0 && q - p < 3 ? "accent" : undefined),
      }),
      text(172, 66, "·", { size: 18 }),
      grid(186, 24, column(x), { cell: 34, tall: 24 }),
      text(232, 66, "=", { size: 16 }),
      grid(254, 24, column(y), { cell: 40, tall: 26, ink: () => "accent" }),
      text(4, 178, "backward: the gradient of x = Aᵀ (the gradient of y)", { bold: true }),
      grid(4, 190, transposed, {
        cell: 32,
        tall: 28,
        ink: (q, p) => (q - p >= 0 && q - p < 3 ? "warm" : undefined),
      }),
      text(108, 262, "·", { size: 18 }),
      grid(124, 218, column(gy), { cell: 40, tall: 28 }),
      text(176, 262, "=", { size: 16 }),
      grid(198, 190, column(gx), { cell: 46, tall: 28, ink: () => "warm" }),
    ],
  ),
  scatter: figure(
    {
      height: 262,
      title: "Gather and scatter",
      description:
        "On the left, three inputs send arrows to one output: the convolution gathers. On the right, one gradient of an output sends arrows to three inputs: its adjoint scatters along the same arrows, turned round.",
    },
    [
      text(10, 14, "forward: an output", { bold: true }),
      text(10, 30, "gathers three inputs", { ink: "soft" }),
      text(196, 14, "backward: its gradient", { bold: true }),
      text(196, 30, "goes to the same three", { ink: "soft" }),
      grid(4, 60, [x], { cell: 32, ink: (_, q) => (q < 3 ? "accent" : undefined) }),
      grid(36, 170, [y], { cell: 32, ink: (_, p) => (p === 0 ? "accent" : undefined) }),
      ...w.flatMap((tap, i) => [
        line([20 + 32 * i, 92], [52, 168], { ink: "accent", arrow: true }),
        text([6, 40, 82][i], 128, tap > 0 ? `+${tap}` : tap, { ink: "accent" }),
      ]),
      grid(192, 60, [["+1", "-2", "+1", "", ""]], { cell: 32, ink: (_, q) => (q < 3 ? "warm" : undefined) }),
      grid(224, 170, [["1", "", ""]], { cell: 32, ink: (_, p) => (p === 0 ? "warm" : undefined) }),
      ...w.map((_, i) => line([240, 168], [208 + 32 * i, 94], { ink: "warm", arrow: true })),
      text(4, 54, "x", { ink: "soft" }),
      text(36, 216, "y", { ink: "soft" }),
      text(192, 54, "share of the gradient of x", { ink: "soft" }),
      text(224, 216, "gradient of y", { ink: "soft" }),
      text(4, 248, "The same arrows, reversed. Inputs add what arrives.", { ink: "soft" }),
    ],
  ),
  stride: figure(
    {
      height: 178,
      title: "A transposed convolution with stride 2",
      description:
        "Three numbers below send arrows to seven places above, two places apart from each other, so a row of three becomes a row of seven; where two arrive, they are added.",
    },
    [
      text(4, 14, "3 numbers to 7: each spread by 3 taps, 2 apart", { ink: "soft" }),
      grid(32, 30, [["a", "a", "a+b", "b", "b+c", "c", "c"]], {
        cell: 42,
        tall: 32,
        ink: (_, q) => (q === 2 || q === 4 ? "accent" : undefined),
      }),
      grid(74, 128, [["a", "", "b", "", "c"]], {
        cell: 42,
        tall: 32,
        ink: (_, p) => (p % 2 === 0 ? "warm" : undefined),
      }),
      ...[0, 2, 4].flatMap((p) =>
        [0, 1, 2].map((i) => line([95 + 42 * p, 126], [53 + 42 * (p + i), 66], { ink: "warm", arrow: true })),
      ),
    ],
  ),
};
