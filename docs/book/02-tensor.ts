// The numbers and figures of chapter 2.

import { saUNetV2 } from "@saunet/model";
import { type Figure, figure, grid, line, text } from "../../scripts/book/svg.ts";

export const numbers = { channels: saUNetV2.channels[0] };

const [rows, columns, channels] = [2, 3, 2];
const at = (y: number, x: number, c: number): number => (y * columns + x) * channels + c;
const flat = Array.from({ length: rows * columns * channels }, (_, i) => i);

export const figures: Record<string, Figure> = {
  layout: figure(
    {
      height: 232,
      title: "A tensor and its flat array",
      description:
        "A tensor of shape 2 by 3 by 2 as a grid of two rows and three columns with two numbers in each cell, and below it the flat array of 12 numbers. Row 1, column 2, channel 0 is at place 10.",
    },
    [
      text(60, 14, "shape [2, 3, 2]: each cell is [y, x, channel]", { ink: "soft" }),
      grid(
        60,
        24,
        Array.from({ length: rows }, (_, y) =>
          Array.from({ length: columns }, (_, x) => `${at(y, x, 0)}, ${at(y, x, 1)}`),
        ),
        { cell: 80, tall: 38, size: 14, ink: (y, x) => (y === 1 && x === 2 ? "accent" : undefined) },
      ),
      line([260, 104], [312, 150], { ink: "accent", arrow: true }),
      text(6, 144, "the same as one Float32Array", { ink: "soft" }),
      grid(6, 154, [flat], { cell: 29, ink: (_, i) => (i >= 10 ? "accent" : undefined) }),
      text(6, 204, "(1 · 3 + 2) · 2 + 0 = 10", { ink: "accent" }),
      text(6, 224, "strides: 6 per row, 2 per column, 1 per channel", { ink: "soft" }),
    ],
  ),
};
