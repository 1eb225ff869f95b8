import { expect, it } from "vitest";
import { conv2dDims } from "../ops/conv2d-dims.ts";
import { forwardCorrelation, transposedCorrelation } from "./correlation.ts";

// A row of taps without gaps is read as one run: a single tap has none, whatever its dilation.
it("a filter of one tap has no neighbours whose distance would count", () => {
  const d = conv2dDims("conv2d", [1, 8, 8, 3], [1, 3, 3, 4], { dilation: 2 });
  const { rows, columns } = forwardCorrelation(d);
  expect([rows.phases[0].spacing, columns.phases[0].spacing]).toEqual([1, 2]);
  const back = transposedCorrelation(d);
  expect([back.rows.phases[0].spacing, back.columns.phases[0].spacing]).toEqual([1, 2]);
});
