import { describe, expect, it } from "vitest";
import { type Matrix, transpose, winograd } from "./bilinear.ts";

const F4 = winograd(4, 3, [0, 1, -1, 2, -2]);

const times = (matrix: Matrix, vector: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i], 0));

describe.each([
  ["F(2, 3)", winograd(2, 3, [0, 1, -1])],
  ["F(4, 3)", F4],
  ["F(6, 3)", winograd(6, 3, [0, 1, -1, 2, -2, 1 / 2, -1 / 2])],
  ["F(4, 2)", winograd(4, 2, [0, 1, -1, 2])],
])("%s", (_, { inputs, points, outputs, taps, input, filter, output }) => {
  it("is a correlation", () => {
    const d = Array.from({ length: inputs }, (_, i) => Math.sin(i + 1));
    const g = Array.from({ length: taps }, (_, i) => Math.cos(3 * i));
    const products = times(filter, g).map((value, i) => value * times(input, d)[i]);
    const wanted = Array.from({ length: outputs }, (_, i) =>
      g.reduce((sum, tap, k) => sum + tap * d[i + k], 0),
    );
    times(output, products).forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 13);
    });
  });

  it("takes as many products as there are inputs", () => {
    expect([points, inputs]).toEqual([outputs + taps - 1, outputs + taps - 1]);
  });
});

it("has the matrices that are usual for F(4, 3), up to signs", () => {
  expect(F4.input).toEqual([
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
  ]);
  expect(F4.output).toEqual([
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
  ]);
  expect(transpose([[1, 2, 3]])).toEqual([[1], [2], [3]]);
});
