// For tests of what the command does around the engine: files, options, messages, the order of a training.

import type { AccelerationReport } from "@saunet/wasm";

type Engine = typeof import("@saunet/wasm");

/**
 * `@saunet/wasm` that accelerates nothing, so that each run computes with core's TypeScript. The networks of these tests are so
 * small that planning and compiling them takes most of a run's time, two thirds of `segment`'s.
 *
 * `vi.mock("@saunet/wasm", async (original) => (await import("./testing-engine.ts")).portableEngine(original))`
 */
export async function portableEngine(original: () => Promise<unknown>): Promise<Engine> {
  const engine = (await original()) as Engine;
  const report: AccelerationReport = {
    features: engine.detectFeatures(),
    threads: 1,
    relaxed: false,
    kernels: [],
    missing: [],
    reasons: [],
  };
  return { ...engine, accelerate: async () => report, restore: async () => {} };
}
