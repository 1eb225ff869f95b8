import { expect, it } from "vitest";
import { count, duration, operand, percent, signed } from "./format.ts";

it.each([
  [percent(0.1234), "12.3\u00a0%"],
  [percent(1), "100.0\u00a0%"],
  [duration(0.0004), "0\u00a0ms"],
  [duration(0.25), "250\u00a0ms"],
  // What would round to 1000 ms is a second.
  [duration(0.9994), "999\u00a0ms"],
  [duration(0.9995), "1.00\u00a0s"],
  [duration(61.234), "61.23\u00a0s"],
  [count(0, "file"), "0 files"],
  [count(1, "file"), "1 file"],
  [count(2, "file"), "2 files"],
  [signed(1.5), "1.500"],
  [signed(-1.5, 1), "−1.5"],
  [signed(-0.0004), "0.000"],
  [signed(-0.0006), "−0.001"],
  [operand(2), "2.000"],
  [operand(-2), "(−2.000)"],
])("a person reads %j", (text, wanted) => {
  expect(text).toBe(wanted);
});
