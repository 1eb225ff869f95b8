// The laboratory: numbered attempts at one convolution, each held to the reference before it is timed.

import { conv2dForward } from "@saunet/core/kernels";
import { accelerate, restore } from "@saunet/wasm";
import { type Effort, measure, type Task, USUAL_EFFORT } from "./harness.ts";
import { attempts } from "./lab/index.ts";
import { machineRecord } from "./machine.ts";
import { makeOperands } from "./operands.ts";
import type { Options } from "./options.ts";
import { precise, type Results, type Row, rowOf } from "./results.ts";
import { readShapeList } from "./shapes.ts";
import { maxAbsDiff, perCall } from "./statistics.ts";
import { oneOf } from "./usage.ts";
import { errorOfOutputs, reasonOf, TOLERANCE } from "./verify.ts";

/** Runs the chosen attempts on every convolution of a list. */
export async function laboratory(options: Options): Promise<Results> {
  const chosen = attempts.filter(({ number }) => options.attempts?.includes(String(number)) ?? true);
  const numbers = attempts.map(({ number }) => String(number));
  for (const number of options.attempts ?? []) oneOf("attempt", number, numbers);
  const shapes = readShapeList(options.shapes ?? "laboratory").filter(({ op }) => op === "conv2d");
  const machine = machineRecord();
  const effort: Effort = {
    ...USUAL_EFFORT,
    minRuns: 3,
    seconds: options.seconds ?? (options.quick ? 0.5 : 2),
  };
  const results: Row[] = [];
  await accelerate({ threads: 1 });
  for (const { name: shape, dims } of shapes) {
    process.stderr.write(`bench: ${shape}\n`);
    const operands = makeOperands(dims);
    const wanted = new Float32Array(dims.N * dims.OH * dims.OW * dims.O);
    conv2dForward.reference({ y: wanted, ...operands }, dims);
    const tasks = new Map<Task, { readonly diff: number; readonly calls: number; readonly peak: number }>();
    for (const { number, name, code, serves, prepare } of chosen) {
      if (!serves(dims)) continue;
      const title = `${String(number).padStart(2, "0")} ${name}`;
      const subject = { shape, name: title, threads: 1 };
      try {
        const { y, run, calls = 1 } = prepare(dims, operands);
        run();
        const diff = maxAbsDiff(y(), wanted);
        const error = errorOfOutputs([y()], [wanted]);
        if (error <= TOLERANCE)
          tasks.set({ name: title, run }, { diff, calls, peak: machine.peak_gflops[code] });
        else {
          const reason = reasonOf("its result", error, TOLERANCE);
          results.push({ ...subject, status: "wrong", reason, max_abs_diff: diff });
        }
      } catch (error) {
        results.push({ ...subject, status: "failed", reason: (error as Error).message });
      }
    }
    const summaries = await measure([...tasks.keys()], effort);
    for (const [{ name }, { diff, calls, peak }] of tasks) {
      const summary = summaries.get(name)!;
      const subject = { shape, name, threads: 1 };
      if (summary instanceof Error) {
        results.push({ ...subject, status: "failed", reason: summary.message });
        continue;
      }
      const one = perCall(summary, calls);
      const gflops = dims.flops / one.median_ms / 1e6;
      results.push(
        rowOf(subject, one, {
          gflops: precise(gflops),
          share_of_peak: precise(gflops / peak),
          max_abs_diff: precise(diff),
        }),
      );
    }
  }
  restore();
  return { bench: "lab", command: options.command, machine, results };
}
