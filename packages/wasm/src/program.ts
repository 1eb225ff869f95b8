// Runs a captured program entirely inside the arena.
//
// Everything gets its place once: temporaries where core's plan puts them, external arrays (parameters, inputs,
// moments, random state) beside them. A run copies in what changed outside, goes through the phases of all calls, and
// copies out what the program wrote. Phases that only pack weights run again only when those weights have changed.

import {
  type Arrays,
  expectShape,
  type FlatArray,
  type Program,
  type ProgramCall,
  planProgram,
  type Runnable,
  shareInPlace,
  Tensor,
} from "@saunet/core";
import { fuseAll, fusedGenerators } from "./fusions/index.ts";
import { generators } from "./kernels/index.ts";
import { type Arena, alignToLine } from "./memory.ts";
import { runObserved } from "./observe.ts";
import type { Plan } from "./plan.ts";
import type { Job, Runner } from "./runner.ts";

const VIEWS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;

/** One step of a prepared program: a phase in WebAssembly, or a call that has only its TypeScript form. */
interface Step {
  /** Number of the call that it belongs to. */
  readonly call: number;
  /** The generated code, or the kernel. */
  readonly name: string;
  readonly job?: Job;
  readonly run: () => void;
  /** Set where the step needs to run only after one of these external buffers has changed. */
  readonly dependsOn?: readonly number[];
}

/** What a call became. */
interface Planned {
  readonly call: ProgramCall;
  readonly plan: Plan | undefined;
  /** Whether its first phases prepare weights that the program never changes; they keep their scratch then. */
  readonly keepsScratch: boolean;
}

/** An external array and its place in the arena. */
interface External {
  readonly buffer: number;
  readonly array: FlatArray;
  /** Its copy in the arena. */
  readonly view: FlatArray;
  readonly written: boolean;
}

/**
 * Makes a program ready to run in a runner's arena.
 *
 * @param without names of fusions to leave out
 * @throws MemoryError where it does not fit
 */
export function prepareInArena(runner: Runner, captured: Program, without: readonly string[] = []): Runnable {
  const { arena, features } = runner;
  const program = shareInPlace(fuseAll(captured, without, features));
  const { buffers, calls, inputs, outputs } = program;
  const writtenBuffers = new Set(calls.flatMap(buffersWritten));
  const planned = calls.map((call): Planned => {
    const plan = planOf(runner, program, call);
    const constant = (name: string) => {
      const buffer = call.buffers[name];
      return buffer === undefined || (buffers[buffer].external !== undefined && !writtenBuffers.has(buffer));
    };
    const keepsScratch =
      plan?.phases.some(({ reads }) => reads?.every((name) => constant(name as string))) ?? false;
    return { call, plan, keepsScratch };
  });

  // One block for everything: temporaries, external arrays, scratch that is kept, scratch that all calls use in turn.
  const arenaPlan = planProgram(program);
  let bytes = alignToLine(arenaPlan.bytes);
  const place = (size: number): number => {
    const offset = bytes;
    bytes += alignToLine(size);
    return offset;
  };
  const offsets = new Map<number, number>();
  arenaPlan.temporaries.forEach((buffer, i) => {
    offsets.set(buffer, arenaPlan.offsets[i]);
  });
  buffers.forEach(({ external, length }, buffer) => {
    if (external !== undefined) offsets.set(buffer, place(4 * length));
  });
  const arrayBytes = bytes;
  const most = (size: (plan: Plan) => number, kept: boolean) =>
    Math.max(0, ...planned.map(({ plan, keepsScratch }) => (plan && keepsScratch === kept ? size(plan) : 0)));
  const sharedOffset = place(most(({ sharedBytes = 0 }) => sharedBytes, false));
  const ownOffset = place(
    Math.max(...[true, false].map((kept) => most((plan) => runner.ownBytesOf(plan), kept))),
  );
  const usedBytes = bytes;
  const keptOffsets = planned.map(({ plan, keepsScratch }) =>
    keepsScratch ? place(plan?.sharedBytes ?? 0) : sharedOffset,
  );
  const base = arena.reserve(bytes);
  const memory = {
    temporaries: alignToLine(arenaPlan.bytes),
    externals: arrayBytes - alignToLine(arenaPlan.bytes),
    scratch: usedBytes - arrayBytes,
    "packed weights": bytes - usedBytes,
  };

  const addressOf = (buffer: number | undefined): number =>
    buffer === undefined ? 0 : base + offsets.get(buffer)!;
  const viewOf = (buffer: number): FlatArray => {
    const { type, length } = buffers[buffer];
    return new VIEWS[type](arena.memory.buffer, addressOf(buffer), length);
  };
  const isInput = new Set(inputs.map(({ buffer }) => buffer));
  const externals = buffers.flatMap(({ external: array }, buffer): External[] => {
    if (array === undefined || isInput.has(buffer)) return [];
    return [{ buffer, array, view: viewOf(buffer), written: writtenBuffers.has(buffer) }];
  });
  const inputViews = inputs.map(({ buffer }) => viewOf(buffer));
  const outputViews = outputs.map(({ buffer }) => viewOf(buffer) as Float32Array);
  const steps = planned.flatMap(({ call, plan, keepsScratch }, i): Step[] => {
    if (plan === undefined) return [portableStep(i, call, viewOf)];
    const addresses = Object.keys(call.kernel.roles).map((name) => addressOf(call.buffers[name]));
    const jobs = runner.jobs(call.kernel, plan, addresses, base + keptOffsets[i], base + ownOffset);
    return jobs.map((job, phase) =>
      phaseStep(runner, i, job, keepsScratch ? plan.phases[phase].reads : undefined, call),
    );
  });

  let fresh = true;
  /** Copies in what changed, and tells which steps have to run. */
  const enter = (values: readonly Tensor[]): Step[] => {
    inputs.forEach(({ shape }, i) => {
      expectShape("run", `input ${i}`, values[i].shape, shape);
      inputViews[i].set(values[i].data);
    });
    const changed = new Set<number>();
    for (const { buffer, array, view } of externals) {
      if (!fresh && equal(array, view)) continue;
      view.set(array as Float32Array);
      changed.add(buffer);
    }
    const due = steps.filter(
      ({ dependsOn }) => fresh || !dependsOn || dependsOn.some((buffer) => changed.has(buffer)),
    );
    // Until the run has ended well, nothing of it is taken for granted.
    fresh = true;
    return due;
  };
  const leave = (): Tensor[] => {
    fresh = false;
    for (const { array, view, written } of externals) if (written) array.set(view as Float32Array);
    return outputs.map(({ shape }, i) => new Tensor(Float32Array.from(outputViews[i]), shape));
  };
  const runSync = (values: readonly Tensor[]): Tensor[] => {
    for (const step of enter(values)) runObserved(step, () => step.job && runner.spansOf(step.job));
    return leave();
  };
  // Runs of one program wait for each other: they share their memory.
  let last: Promise<unknown> = Promise.resolve();
  const run = (values: readonly Tensor[]): Promise<Tensor[]> => {
    const own = last.then(async () => {
      await runFreely(runner, enter(values));
      return leave();
    });
    last = own.catch(() => {});
    return own;
  };
  const block = { arena, base, isFree: false };
  const runnable = { program, memory, run, runSync, release: () => giveBack(block) };
  // What stays in use as long as anybody can run the program: `const { runSync } = prepare(…)` lets go of all else.
  abandoned.register(steps, block);
  return runnable;
}

/** Memory of a program. */
interface Block {
  readonly arena: Arena;
  readonly base: number;
  isFree: boolean;
}

function giveBack(block: Block): void {
  if (!block.isFree) block.arena.free(block.base);
  block.isFree = true;
}

/** Programs that were forgotten without being released give their memory back when they are collected. */
const abandoned = /* @__PURE__ */ new FinalizationRegistry(giveBack);

/** Runs steps, as many in a row as can be on other threads. */
async function runFreely(runner: Runner, steps: readonly Step[]): Promise<void> {
  for (let i = 0; i < steps.length; ) {
    const jobs: Job[] = [];
    for (let job = steps[i].job; job !== undefined; job = steps[++i]?.job) jobs.push(job);
    if (jobs.length > 0) await runner.executeList(jobs);
    else steps[i++].run();
  }
}

function buffersWritten({ kernel, buffers }: ProgramCall): number[] {
  return Object.entries(kernel.roles)
    .filter(([name, role]) => role !== "read" && buffers[name] !== undefined)
    .map(([name]) => buffers[name] as number);
}

/** The generator of each kernel by its name, fused ones among them. */
const generatorOf = /* @__PURE__ */ new Map(
  [...generators, ...fusedGenerators].map((generator) => [generator.kernel.name, generator]),
);

function planOf(
  runner: Runner,
  { buffers }: Program,
  { kernel, buffers: used, dims }: ProgramCall,
): Plan | undefined {
  const generator = generatorOf.get(kernel.name);
  if (generator === undefined) return undefined;
  const lengths = Object.keys(kernel.roles).map((name) => {
    const buffer = used[name];
    return [name, buffer === undefined ? undefined : buffers[buffer].length];
  });
  return runner.plan(generator, Object.fromEntries(lengths), dims);
}

function portableStep(
  number: number,
  { kernel, buffers, dims }: ProgramCall,
  viewOf: (buffer: number) => FlatArray,
): Step {
  const arrays: Arrays = Object.fromEntries(
    Object.entries(buffers).map(([name, buffer]) => [
      name,
      buffer === undefined ? undefined : viewOf(buffer),
    ]),
  );
  const run = () => kernel.portable(arrays as never, dims as never);
  return { call: number, name: kernel.name, run };
}

function phaseStep(
  runner: Runner,
  number: number,
  job: Job,
  reads: readonly PropertyKey[] | undefined,
  call: ProgramCall,
): Step {
  const step = { call: number, name: job.name, job, run: () => runner.execute(job) };
  if (reads === undefined) return step;
  const dependsOn = reads
    .map((name) => call.buffers[name as string])
    .filter((buffer) => buffer !== undefined);
  return { ...step, dependsOn };
}

function equal(a: FlatArray, b: FlatArray): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
