import { expect, test } from "vitest";
import { parsePerf } from "./counters.ts";

test("what perf stat prints is counted for one call; what the host does not count is left out", () => {
  const text = [
    "400,,instructions:u,1000,100.00,2.00,insn per cycle",
    "100,,cpu_core/cycles/,1000,50.00,,",
    "20,,cpu_atom/cycles/,1000,50.00,,",
    "<not supported>,,cache-misses,0,100.00,,",
    "<not counted>,,branch-misses,0,0.00,,",
    "",
  ].join("\n");
  expect(parsePerf(text, 10)).toEqual({ instructions: 40, cycles: 12 });
});
