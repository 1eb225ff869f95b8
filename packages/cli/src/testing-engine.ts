// For tests of what the command does around the engine: files, options, messages, the order of a training.

import { installPreparer, prepareWithKernels } from "@saunet/core/kernels";
import type { AccelerationReport } from "@saunet/wasm";
import { onTestFinished } from "vitest";

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

/** The programs that are prepared until a test has finished, by number, and those of them that nobody has given back. */
export async function watchPrograms(): Promise<{ prepared: number; readonly held: ReadonlySet<number> }> {
  const held = new Set<number>();
  const programs = { prepared: 0, held };
  await installPreparer((program) => {
    const prepared = prepareWithKernels(program);
    const own = programs.prepared++;
    held.add(own);
    const free = () => {
      if (!held.delete(own)) throw new Error("a program is given back twice");
      prepared.free();
    };
    return { ...prepared, free };
  });
  onTestFinished(() => installPreparer(undefined));
  return programs;
}
