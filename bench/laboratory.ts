// The laboratory: numbered attempts at one convolution, each held to the reference before it is timed.

import { conv2dForward } from "@saunet/core/kernels";
import { accelerate, restore } from "@saunet/wasm";
import { bytesOf, type ConvolutionSpec, dimsOf, geometryOf } from "./convolutions/convolution.ts";
import { distinct } from "./distinct.ts";
import { type Effort, measure, type Task, timed, USUAL_EFFORT } from "./harness.ts";
import type { Attempt } from "./lab/attempt.ts";
import { attempts } from "./lab/index.ts";
import { makeOperands } from "./operands.ts";
import { precise, rowOf } from "./rows.ts";
import type { Row } from "./schema.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { maxAbsDiff } from "./statistics.ts";
import { oneOf, UsageError } from "./usage.ts";
import { errorOfOutputs, reasonOf, TOLERANCE } from "./verify.ts";
import { sign } from "./watch.ts";

/** Opens the laboratory on some convolutions: a unit each. Attempts from outside take part beside those that were chosen. */
export async function openAttempts(
  specs: readonly ConvolutionSpec[],
  outside: readonly Attempt[],
  settings: Settings,
): Promise<Session> {
  const numbers = attempts.map(({ number }) => String(number));
  for (const number of settings.attempts ?? []) oneOf("attempt", number, numbers);
  const chosen = [
    ...attempts.filter(({ number }) => settings.attempts?.includes(String(number)) ?? true),
    ...outside,
  ];
  const shapes = specs.filter(({ op, groups }) => op === "conv2d" && groups === 1);
  if (shapes.length === 0) throw new UsageError("lab: wants a conv2d without groups");
  await accelerate({ threads: 1 });
  return {
    units: distinct(shapes.map(({ name }) => name)),
    measure: (unit, without) => timeAttempts(shapes[unit], chosen, settings, without),
    end: () => void restore(),
  };
}

async function timeAttempts(
  spec: ConvolutionSpec,
  chosen: readonly Attempt[],
  settings: Settings,
  without: ReadonlySet<string>,
): Promise<Row[]> {
  const seconds = settings.seconds ?? (settings.quick ? 0.5 : 2);
  const effort: Effort = { ...USUAL_EFFORT, seconds };
  const dims = dimsOf(spec);
  const operands = makeOperands(dims);
  const wanted = new Float32Array(dims.N * dims.OH * dims.OW * dims.O);
  conv2dForward.reference({ y: wanted, ...operands }, dims);
  const rows: Row[] = [];
  const tasks = new Map<
    Task,
    { readonly diff: number; readonly calls: number; readonly code: Attempt["code"] }
  >();
  const subjectOf = (name: string) => ({
    shape: spec.name,
    geometry: geometryOf(dims, wanted.length),
    name,
    threads: 1,
  });
  for (const { number, name, code, serves, prepare } of chosen) {
    const title = number === 0 ? name : `${String(number).padStart(2, "0")} ${name}`;
    if (!serves(dims) || without.has(title)) continue;
    sign(title);
    try {
      const { y, run, calls = 1 } = prepare(dims, operands);
      run();
      const diff = maxAbsDiff(y(), wanted);
      const error = errorOfOutputs([y()], [wanted]);
      if (error <= TOLERANCE) tasks.set(timed(title, run), { diff, calls, code });
      else {
        const reason = reasonOf("its result", error, TOLERANCE);
        const finite = Number.isFinite(diff) && { max_abs_diff: diff };
        rows.push({ ...subjectOf(title), status: "wrong", reason, ...finite });
      }
    } catch (error) {
      rows.push({ ...subjectOf(title), status: "failed", reason: (error as Error).message });
    }
  }
  const timings = await measure([...tasks.keys()], effort);
  for (const [{ name }, { diff, ...more }] of tasks) {
    const timing = timings.get(name)!;
    if (timing instanceof Error) rows.push({ ...subjectOf(name), status: "failed", reason: timing.message });
    else
      rows.push(
        rowOf(subjectOf(name), timing, {
          ...more,
          ...{ flops: dims.flops, bytes: bytesOf(dims), max_abs_diff: precise(diff) },
        }),
      );
  }
  return rows;
}
