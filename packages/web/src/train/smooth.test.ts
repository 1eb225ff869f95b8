import { describe, expect, it } from "vitest";
import { type Level, meanOf, START, takeIn } from "./smooth.ts";

const meansOf = (values: readonly number[]): number[] => {
  let level: Level = START;
  return values.map((value) => {
    level = takeIn(level, value);
    return meanOf(level);
  });
};

describe("the smooth curve", () => {
  it("is the value itself at first, and the mean of the first two then", () => {
    const [first, second] = meansOf([3, 1]);
    expect(first).toBeCloseTo(3, 12);
    // Weights 0.92 · 0.08 and 0.08.
    expect(second).toBeCloseTo((0.92 * 3 + 1) / 1.92, 12);
  });

  it("does not cling to the first value: after 20 equal ones its share is below a tenth", () => {
    const last = meansOf([1, ...Array.from({ length: 20 }, () => 0)]).at(-1)!;
    expect(last).toBeLessThan(0.1);
  });
});
