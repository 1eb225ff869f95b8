import { type Axis, conv2dDims, forwardCorrelation, transposedCorrelation } from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import { algorithmsFor } from "./axis-algorithm.ts";
import type { Matrix } from "./bilinear.ts";

const times = (matrix: Matrix, vector: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i], 0));

/** Output `i` of an axis, by its definition. */
function outputOf({ step, phases }: Axis, at: (index: number) => number, taps: readonly number[], i: number) {
  const phase = phases[i % phases.length];
  const j = Math.floor(i / phases.length);
  let sum = 0;
  for (let m = 0; m < phase.taps.length; m++)
    sum += at(j * step + phase.start + m * phase.spacing) * taps[phase.taps[m]];
  return sum;
}

const rowsOf = (stride: number, padding: number, dilation = 1) => {
  const d = conv2dDims("conv2d", [1, 40, 40, 4], [3, 3, 4, 4], { stride, padding, dilation });
  return { forward: forwardCorrelation(d).rows, transposed: transposedCorrelation(d).rows };
};

describe("algorithmsFor", () => {
  it.each(
    [1, 2].flatMap((stride) =>
      [0, 1, 2].flatMap((padding) =>
        (["forward", "transposed"] as const).map((side) => [side, stride, padding] as const),
      ),
    ),
  )("gives the outputs of two tiles of %s with stride %i and padding %i", (side, stride, padding) => {
    const axis = rowsOf(stride, padding)[side];
    const algorithms = algorithmsFor(axis);
    expect(algorithms).toHaveLength(2);
    const taps = [0.3, -1.1, 0.7];
    const at = (index: number) => Math.sin(index + 20);
    for (const { start, advance, inputs, outputs, points, input, filter, output } of algorithms) {
      expect(points).toBeLessThan(axis.step === 2 || axis.phases.length === 2 ? 2.3 * outputs : 3 * outputs);
      for (const tile of [0, 1]) {
        const d = Array.from({ length: inputs }, (_, i) => at(start + tile * advance + i));
        const products = times(filter, taps).map((value, p) => value * times(input, d)[p]);
        times(output, products).forEach((value, i) => {
          expect(value).toBeCloseTo(outputOf(axis, at, taps, tile * outputs + i), 12);
        });
      }
    }
  });

  it("gives none for other axes", () => {
    expect(algorithmsFor(rowsOf(3, 1).forward)).toEqual([]);
    expect(algorithmsFor(rowsOf(3, 1).transposed)).toEqual([]);
    expect(algorithmsFor(rowsOf(1, 1, 2).forward)).toEqual([]);
    expect(algorithmsFor(rowsOf(2, 1, 2).transposed)).toEqual([]);
    const { rows } = forwardCorrelation(conv2dDims("conv2d", [1, 9, 9, 4], [5, 5, 4, 4]));
    expect(algorithmsFor(rows)).toEqual([]);
    for (const [size, stride] of [
      [1, 2],
      [2, 3],
    ] as const) {
      const few = conv2dDims("conv2d", [1, size, 9, 4], [5, 1, 4, 4], { stride });
      expect(algorithmsFor(transposedCorrelation(few).rows)).toEqual([]);
    }
  });
});
