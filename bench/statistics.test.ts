import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { leastPossible, maxAbsDiff, median, medianInterval, rankTest, summarize } from "./statistics.ts";

test("the median is the middle, or the mean of the two middle ones", () => {
  expect(median([5, 1, 100])).toBe(5);
  expect(median([4, 1, 2, 100])).toBe(3);
  expect(() => median([])).toThrow("median: wants at least one value");
});

test("a summary is not moved by one slow run", () => {
  expect(summarize([[10, 11, 12, 13, 1000]])).toMatchObject({
    runs: 5,
    median_ms: 12,
    mad_ms: 1,
    min_ms: 10,
  });
});

test("of several processes the medians count, however many runs each has", () => {
  const many = Array.from({ length: 1000 }, () => 10);
  expect(summarize([many, [20, 21, 22], [30, 31, 90]])).toMatchObject({
    runs: 1006,
    median_ms: 21,
    min_ms: 10,
  });
});

test("a summary of many runs does not run out of arguments", () => {
  expect(summarize([Array.from({ length: 200_000 }, (_, i) => i + 1)]).min_ms).toBe(1);
});

describe("the interval of a median", () => {
  it("is that of the exact distribution of the bootstrap's medians", () => {
    // Of 9 values the middle of 9 draws is the k-th or below where at least 5 draws are: the binomial distribution says 0.1 %
    // for the first value, 3.0 % for the second, so the 2.5 % and 97.5 % points are the second and the eighth.
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(medianInterval(values)).toEqual([2, 8]);
  });

  it("holds the median of a normal distribution in about 95 of 100 samples", () => {
    let held = 0;
    let state = 1;
    const random = () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    for (let i = 0; i < 300; i++) {
      const [low, high] = medianInterval(Array.from({ length: 25 }, normal));
      if (low <= 0 && high >= 0) held++;
    }
    expect(held / 300).toBeGreaterThan(0.9);
    expect(held / 300).toBeLessThan(0.99);
  });
});

describe("the rank test", () => {
  // scipy.stats.mannwhitneyu(a, b, method="exact") and, for many, method="asymptotic".
  it.each<[readonly number[], readonly number[], number]>([
    [[1, 2, 3], [4, 5, 6], 0.1],
    [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], 2 / 924],
    [[1, 3, 5, 7], [2, 4, 6, 8], 0.6857142857142857],
    [[19, 22, 16, 29, 24], [20, 11, 17, 12], 0.1111111111111111],
  ])("of %j and %j is exact", (a, b, p) => {
    expect(rankTest(a, b)).toBeCloseTo(p, 12);
    expect(rankTest(b, a)).toBeCloseTo(p, 12);
  });

  it("counts ties as what they are", () => {
    expect(rankTest([1, 1, 1], [1, 1, 1])).toBe(1);
    // Of the 20 choices of three of the ranks 1.5, 1.5, 3, 4.5, 4.5, 6 two are as far from the mean as 1.5 + 1.5 + 3.
    expect(rankTest([1, 1, 2], [3, 3, 4])).toBeCloseTo(2 / 20, 12);
  });

  it("is nearly the same counted out and by the normal curve", () => {
    const a = Array.from({ length: 30 }, (_, i) => 2 * i);
    const b = Array.from({ length: 30 }, (_, i) => 2 * i + 21);
    const counted = rankTest(a, b);
    const curve = rankTest([...a, -1000], b);
    expect(counted).toBeGreaterThan(0);
    expect(curve / counted).toBeGreaterThan(0.5);
    expect(curve / counted).toBeLessThan(1.5);
  });

  it("calls one in twenty of the same distribution different at 5 %, and never more", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (values) => {
          // Over all ways to split eight values in two the p-values are uniform, or above where there are ties.
          const ps: number[] = [];
          for (let mask = 0; mask < 256; mask++) {
            const [a, b] = [1, 0].map((bit) => values.filter((_, i) => ((mask >> i) & 1) === bit));
            if (a.length === 4) ps.push(rankTest(a, b));
          }
          expect(ps.filter((p) => p <= 0.06).length / ps.length).toBeLessThanOrEqual(0.06);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("cannot be surer than the number of processes allows", () => {
    expect(leastPossible(6, 6)).toBeCloseTo(2 / 924, 12);
    expect(leastPossible(1, 1)).toBe(1);
    expect(rankTest([], [1])).toBe(1);
  });
});

test("a difference is never hidden by a NaN or a missing element", () => {
  expect(maxAbsDiff([1, 2, 3], [1, 2.5, 2])).toBe(1);
  expect(maxAbsDiff([1, Number.NaN, 3], [1, 2, 3])).toBe(Number.POSITIVE_INFINITY);
  expect(maxAbsDiff([1, 2], [1, 2, 3])).toBe(Number.POSITIVE_INFINITY);
});
