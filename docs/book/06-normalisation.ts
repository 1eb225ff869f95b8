// The numbers and figures of chapter 6.

import { backward, groupNorm, ones, parameter, relu, silu, tensor, zeros } from "@saunet/core";
import { saUNetV2 } from "@saunet/model";
import { curve, type Figure, figure, grid, line, text } from "../../scripts/book/svg.ts";
import { patch } from "./eye.ts";

const row = patch()[0];
const x = parameter(tensor(row, [1, 5, 1]));
const y = groupNorm(x, ones([1]), zeros([1]), { groups: 1, epsilon: 0 });
const gy = [0, 0, 1, 0, 0];
backward(y, tensor(gy, [1, 5, 1]));
const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
const two = (values: ArrayLike<number>): string =>
  Array.from(values, (value) => value.toFixed(2)).join(",\\ ");

export const numbers = {
  row: row.join(",\\ "),
  mean,
  variance,
  normalised: two(y.data),
  gx: Array.from(x.grad!, (value) => value.toFixed(3)).join(",\\ "),
  groups: saUNetV2.groups,
};

const shown = [-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4];
const fine = Array.from({ length: 81 }, (_, i) => -4 + i / 10);
const place = (x0: number, value: number, height: number): [number, number] => [
  x0 + 19 * (value + 4),
  130 - 25 * height,
];
const plotted = (x0: number, points: readonly number[], of: typeof relu) =>
  points.map((value) => place(x0, value, of(tensor(value)).item()));
const slope = (of: typeof relu, value: number): number => {
  const leaf = parameter(tensor(value));
  backward(of(leaf));
  return leaf.grad![0];
};
const axes = (x0: number): string =>
  line([x0, 130], [x0 + 156, 130]) +
  line([x0 + 76, 20], [x0 + 76, 150]) +
  text(x0 + 82, 28, "4", { ink: "soft", size: 11 });

export const figures: Record<string, Figure> = {
  groups: figure(
    {
      height: 236,
      title: "Groups of a group normalisation",
      description:
        "A map of 8 channels and 6 positions as a table. Pairs of neighbouring channels form four groups of 12 numbers; each group has one mean and one variance over all of its channels and positions.",
    },
    [
      text(4, 14, "8 channels in 4 groups; each tint has a mean and", { ink: "soft" }),
      text(4, 30, "a variance of its own, over all positions", { ink: "soft" }),
      grid(
        72,
        56,
        Array.from({ length: 6 }, () => new Array<string>(8).fill("")),
        {
          cell: 34,
          tall: 24,
          ink: (_, c) => (["accent", "warm", "cool", "soft"] as const)[Math.floor(c / 2)],
        },
      ),
      text(72, 50, "channels →", { ink: "soft" }),
      text(4, 72, "positions", { ink: "soft" }),
      text(4, 88, "↓", { ink: "soft" }),
      ...[0, 1, 2, 3].map((g) => text(106 + 68 * g, 218, `μ, v`, { anchor: "middle" })),
    ],
  ),
  activations: figure(
    {
      height: 190,
      title: "ReLU and SiLU with their derivatives",
      description:
        "Left, ReLU: 0 for negative x, then x; its derivative jumps from 0 to 1. Right, SiLU: close to ReLU but smooth, with a dip of -0.28 near x = -1.28; its derivative rises smoothly, a little below 0 on the left and a little above 1 on the right.",
    },
    [
      axes(4),
      axes(196),
      curve(plotted(4, shown, relu)),
      curve(
        [-4, -0.01, 0.01, 4].map((value) => place(4, value, slope(relu, value))),
        "warm",
      ),
      curve(plotted(196, fine, silu)),
      curve(
        fine.map((value) => place(196, value, slope(silu, value))),
        "warm",
      ),
      text(8, 14, "ReLU", { bold: true }),
      text(200, 14, "SiLU", { bold: true }),
      text(8, 164, "-4", { ink: "soft", size: 11 }),
      text(150, 164, "4", { ink: "soft", size: 11 }),
      text(200, 164, "-4", { ink: "soft", size: 11 }),
      text(342, 164, "4", { ink: "soft", size: 11 }),
      text(8, 184, "the function", { ink: "accent" }),
      text(92, 184, "its derivative", { ink: "warm" }),
    ],
  ),
};
