import { expect, test } from "vitest";
import { maxAbsDiff, median, perCall, summarize } from "./statistics.ts";

test("the median is the middle, or the mean of the two middle ones", () => {
  expect(median([5, 1, 100])).toBe(5);
  expect(median([4, 1, 2, 100])).toBe(3);
  expect(() => median([])).toThrow("median: wants at least one value");
});

test("a summary is not moved by one slow run", () => {
  expect(summarize([10, 11, 12, 13, 1000])).toEqual({ runs: 5, median_ms: 12, mad_ms: 1, min_ms: 10 });
});

test("a run of several calls is divided among them", () => {
  const summary = { runs: 3, median_ms: 8, mad_ms: 2, min_ms: 4 };
  expect(perCall(summary, 4)).toEqual({ runs: 3, median_ms: 2, mad_ms: 0.5, min_ms: 1 });
});

test("a difference is never hidden by a NaN or a missing element", () => {
  expect(maxAbsDiff([1, 2, 3], [1, 2.5, 2])).toBe(1);
  expect(maxAbsDiff([1, Number.NaN, 3], [1, 2, 3])).toBe(Number.POSITIVE_INFINITY);
  expect(maxAbsDiff([1, 2], [1, 2, 3])).toBe(Number.POSITIVE_INFINITY);
});
