import { afterEach, expect, it, vi } from "vitest";
import {
  hasRelaxedSimd,
  measureBandwidth,
  measurePeak,
  memorySweep,
  scalarChains,
  simdChains,
} from "./peak.ts";

afterEach(() => void vi.restoreAllMocks());

/** A clock that says of what is timed that it took so many milliseconds, over and over. */
function playClock(...took: readonly number[]): void {
  let [now, calls] = [0, 0];
  vi.spyOn(performance, "now").mockImplementation(() => {
    const call = calls++;
    now += call % 2 === 0 ? 1000 : took[(call >> 1) % took.length];
    return now;
  });
}

it("has chains that the peak is measured with converge, whatever runs them, so that no number is denormal", () => {
  const chains = [scalarChains, simdChains(false), ...(hasRelaxedSimd() ? [simdChains(true)] : [])];
  for (const run of chains) {
    // Twelve chains, each from its own number to 0.001 / (1 - 0.999).
    expect(run(20_000)).toBeCloseTo(12, 2);
    const one = (start: number) => start * 0.999 + 0.001;
    expect(run(1)).toBeCloseTo(
      Array.from({ length: 12 }, (_, i) => one(i + 1)).reduce((sum, value) => sum + value),
      4,
    );
  }
});

it("reads every vector of a stretch of memory once a sweep", () => {
  const sweep = memorySweep(2 ** 16);
  for (const [bytes, times] of [
    [128, 1],
    [2 ** 14, 3],
    [2 ** 16, 2],
  ]) {
    const ofRound = 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8;
    expect(sweep(bytes, times)).toBe((bytes / 128) * ofRound * times);
  }
});

it("counts the peak from two FLOPs a step of each of twelve chains, four at a time in SIMD, in its best run", () => {
  playClock(5, 2, 3);
  const typescript = (2 * 12 * 400_000) / 2e6;
  expect(measurePeak()).toEqual({
    ...{ typescript, simd: 4 * typescript },
    relaxedSimd: hasRelaxedSimd() ? 4 * typescript : null,
  });
});

it("counts the bandwidth from what it read of each level, in its best run", () => {
  playClock(5, 2, 3);
  expect(measureBandwidth()).toEqual({ l1: 33.6, l2: 33.6, l3: 33.6, memory: 134.2 });
});
