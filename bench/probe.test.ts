import { afterEach, expect, it, vi } from "vitest";
import { memorySweep, scalarChains } from "./peak.ts";
import { between, runProbe } from "./probe.ts";

const played = vi.hoisted(() => ({ clock: 0, runs: 0 }));

/** Work that takes so many milliseconds; of seven runs the last two are slow. */
const work = vi.hoisted(() => (ms: number) => () => {
  played.clock += played.runs++ % 7 < 5 ? ms : 100 * ms;
  return 0;
});
vi.mock("./peak.ts", () => ({
  scalarChains: vi.fn(work(1)),
  simdChains: () => work(2),
  memorySweep: vi.fn(() => work(5)),
}));
afterEach(() => void vi.restoreAllMocks());

it("times three kinds of work, and gives the median of seven runs each", () => {
  vi.spyOn(performance, "now").mockImplementation(() => played.clock);
  expect(runProbe()).toEqual({ scalar: 1, simd: 2, memory: 5 });
  expect(runProbe()).toEqual({ scalar: 1, simd: 2, memory: 5 });
  expect(scalarChains).toHaveBeenCalledTimes(14);
  // The memory is filled once.
  expect(memorySweep).toHaveBeenCalledTimes(1);
});

it("takes for a stretch of time the geometric mean of the probes around it", () => {
  const [before, after] = [
    { scalar: 1, simd: 2, memory: 3 },
    { scalar: 4, simd: 8, memory: 5 },
  ];
  expect(between(before, after)).toEqual({ scalar: 2, simd: 4, memory: 3.873 });
});
