// Runs a captured program entirely inside the arena.
//
// Everything has its place in one block: temporaries where core's plan puts them, external arrays (parameters, inputs,
// moments, random state) beside them. A run copies in what changed outside, goes through the phases of all calls, and
// copies out what the program wrote. Phases that only pack weights run again only when those weights have changed.
//
// The block is a lease: whatever lies there between two runs can be made again, so an idle program gives way where the
// arena has no room, and gets another block for its next run. What does not fit at all runs call by call.

import { type Program, Tensor } from "@saunet/core";
import {
  type AnyKernel,
  type FlatArray,
  type Prepared,
  type ProgramCall,
  planProgram,
  prepareWithKernels,
  shareInPlace,
  type Work,
} from "@saunet/core/kernels";
import { fuseAll, fusedGenerators } from "./fusions/index.ts";
import { writesOf } from "./fusions/rewrite.ts";
import { generators } from "./kernels/index.ts";
import { alignToLine, type Lease, MemoryError } from "./memory.ts";
import { runObserved } from "./observe.ts";
import type { Plan } from "./plan.ts";
import { type Compiled, type Job, ofArrays, type Runner } from "./runner.ts";

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
  /** Of each phase that arranges nothing but weights, which stay what they are while the program runs: their buffers. */
  readonly kept: readonly (readonly number[] | undefined)[];
  /** Whether any does; the call then keeps its scratch. */
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

/** A program, and where in a block everything lies. */
interface Layout {
  readonly program: Program;
  readonly planned: readonly Planned[];
  readonly written: ReadonlySet<number>;
  readonly bytes: number;
  readonly memory: Readonly<Record<string, number>>;
  /** Of each buffer. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Of each call's scratch for all threads, and of the scratch for each thread. */
  readonly sharedOffsets: readonly number[];
  readonly ownOffset: number;
}

/** The generator of each kernel by its name, fused ones among them. */
const generatorOf = /* @__PURE__ */ new Map(
  [...generators, ...fusedGenerators].map((generator) => [generator.kernel.name, generator]),
);

/** Something of each of a call's buffers, by the name of the array, in the order of the kernel's roles. */
const ofBuffers = <T>({ kernel, buffers }: ProgramCall, of: (buffer: number) => T) =>
  ofArrays(kernel, (name) => {
    const buffer = buffers[name];
    return buffer === undefined ? undefined : of(buffer);
  });

function planCalls(runner: Runner, program: Program): Pick<Layout, "planned" | "written"> {
  const { buffers, calls, inputs } = program;
  const written = new Set(calls.flatMap(writesOf));
  const isInput = new Set(inputs.map(({ buffer }) => buffer));
  const isWeight = (buffer: number) =>
    buffers[buffer].external !== undefined && !written.has(buffer) && !isInput.has(buffer);
  const planned = calls.map((call): Planned => {
    const generator = generatorOf.get(call.kernel.name);
    const lengths = ofBuffers(call, (buffer) => buffers[buffer].length);
    const plan = generator && runner.plan(generator, lengths, call.dims);
    const kept = (plan?.phases ?? []).map(({ reads }) => {
      const read = reads?.flatMap((name) => call.buffers[name] ?? []);
      return read?.every(isWeight) ? read : undefined;
    });
    return { call, plan, kept, keepsScratch: kept.some((read) => read !== undefined) };
  });
  return { planned, written };
}

/** One block for everything: temporaries, external arrays, scratch that is kept, scratch that all calls use in turn. */
function layOut(runner: Runner, program: Program): Layout {
  const { buffers } = program;
  const { planned, written } = planCalls(runner, program);
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
  const most = (size: (planned: Planned) => number) => Math.max(0, ...planned.map(size));
  const sharedOffset = place(most(({ plan, keepsScratch }) => (keepsScratch ? 0 : (plan?.sharedBytes ?? 0))));
  const ownOffset = place(most(({ plan }) => (plan ? runner.ownBytesOf(plan) : 0)));
  const usedBytes = bytes;
  const sharedOffsets = planned.map(({ plan, keepsScratch }) =>
    keepsScratch ? place(plan?.sharedBytes ?? 0) : sharedOffset,
  );
  const memory = {
    temporaries: alignToLine(arenaPlan.bytes),
    externals: arrayBytes - alignToLine(arenaPlan.bytes),
    scratch: usedBytes - arrayBytes,
    "packed weights": bytes - usedBytes,
  };
  return { program, planned, written, bytes, memory, offsets, sharedOffsets, ownOffset };
}

/** A program in a block. */
interface Placed {
  readonly lease: Lease;
  /** Copies in what changed outside, and tells which steps have to run. */
  readonly enter: (values: readonly Tensor[]) => readonly Step[];
  /** Copies out what the program wrote. */
  readonly leave: () => Tensor[];
}

/**
 * Whether the code touches the same bytes whatever its arrays hold: integers may be places, and so may numbers that it
 * refuses.
 */
const isBlind = ({ types }: AnyKernel, { refuses = false }: Plan): boolean =>
  !refuses && Object.values(types).every((type) => type === undefined);

/** @param codes by call; those that are missing are compiled, and rehearsed in the block */
function placeIn(runner: Runner, layout: Layout, lease: Lease, codes: Map<number, Compiled>): Placed {
  const { program, planned, written, offsets, sharedOffsets, ownOffset } = layout;
  const { buffers, inputs, outputs } = program;
  const base = lease.address;
  const addressOf = (buffer: number): number => base + offsets.get(buffer)!;
  const viewOf = (buffer: number): FlatArray => {
    const { type, length } = buffers[buffer];
    return new VIEWS[type](runner.arena.memory.buffer, addressOf(buffer), length);
  };
  const isInput = new Set(inputs.map(({ buffer }) => buffer));
  const externals = buffers.flatMap(({ external: array }, buffer): External[] => {
    if (array === undefined || isInput.has(buffer)) return [];
    return [{ buffer, array, view: viewOf(buffer), written: written.has(buffer) }];
  });
  const inputViews = inputs.map(({ buffer }) => viewOf(buffer));
  const outputViews = outputs.map(({ buffer }) => viewOf(buffer) as Float32Array);
  const codeOf = (number: number, kernel: AnyKernel, plan: Plan): Compiled => {
    const known = codes.get(number);
    if (known !== undefined) return known;
    const code = runner.compile(kernel, plan);
    code.users++;
    codes.set(number, code);
    return code;
  };
  const steps = planned.flatMap(({ call, plan, kept }, number): Step[] => {
    const { kernel, dims } = call;
    const arrays = ofBuffers(call, viewOf);
    const portable = () => kernel.portable(arrays as never, dims as never);
    if (plan === undefined) return [{ call: number, name: kernel.name, run: portable }];
    const addresses = Object.values(ofBuffers(call, addressOf)).map((address = 0) => address);
    const shared = base + sharedOffsets[number];
    const code = codeOf(number, kernel, plan);
    const jobs = runner.jobs(plan, code, addresses, shared, base + ownOffset, portable);
    if (isBlind(kernel, plan)) runner.rehearse(code, jobs);
    return jobs.map((job, phase) => {
      const dependsOn = kept[phase];
      const run = () => runner.execute(job);
      return { call: number, name: job.name, job, run, ...(dependsOn && { dependsOn }) };
    });
  });

  let fresh = true;
  return {
    lease,
    enter(values) {
      inputViews.forEach((view, i) => {
        view.set(values[i].data);
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
    },
    leave() {
      fresh = false;
      for (const { array, view, written } of externals) if (written) array.set(view as Float32Array);
      return outputs.map(({ shape }, i) => new Tensor(outputViews[i].slice(), shape));
    },
  };
}

/** What a program holds of a runner. */
interface Holdings {
  readonly codes: ReadonlyMap<number, Compiled>;
  lease: Lease | undefined;
  readonly onFree: () => void;
}

function giveBack({ codes, lease, onFree }: Holdings): void {
  for (const code of codes.values()) code.users--;
  lease?.end();
  onFree();
}

/** What programs hold that were forgotten without being freed goes back when they are collected. */
const abandoned = /* @__PURE__ */ new FinalizationRegistry(giveBack);

/** Options of {@link prepareInArena}. */
export interface PrepareOptions {
  /** Names of fusions to leave out. */
  readonly without?: readonly string[];
  /** Called where a program does not fit and runs call by call. */
  readonly onMisfit?: (error: MemoryError) => void;
  /** Called whenever a program has given back its block. */
  readonly onFree?: () => void;
}

/** Makes a program ready to run in a runner's arena. */
export function prepareInArena(
  runner: Runner,
  captured: Program,
  { without = [], onMisfit = () => {}, onFree = () => {} }: PrepareOptions = {},
): Prepared {
  const program = shareInPlace(fuseAll(captured, without, runner.features));
  const layout = layOut(runner, program);
  const codes = new Map<number, Compiled>();
  const holdings: Holdings = { codes, lease: undefined, onFree };
  let placed: Placed | undefined;
  let spare: Prepared | undefined;

  /** Sees to a block that stays where it is until the run has ended; where there is no room, says why. */
  const place = (): Placed | MemoryError => {
    if (placed !== undefined && !placed.lease.isFree) {
      placed.lease.hold();
      return placed;
    }
    try {
      holdings.lease = runner.arena.lease(layout.bytes);
    } catch (error) {
      if (!(error instanceof MemoryError)) throw error;
      return error;
    }
    try {
      placed = placeIn(runner, layout, holdings.lease, codes);
    } catch (error) {
      // Code that the host does not compile: the block is nobody's.
      holdings.lease.end();
      holdings.lease = undefined;
      throw error;
    }
    return placed;
  };
  const callByCall = (reason: MemoryError): Prepared => {
    onMisfit(reason);
    spare ??= prepareWithKernels(captured);
    return spare;
  };
  // What stays in use as long as anybody can run the program: `const { runSync } = prepare(…)` lets go of all else.
  abandoned.register(layout, holdings, layout);
  // Where there is no room now, there may be at the first run.
  const first = place();
  if (!(first instanceof MemoryError)) first.lease.letGo();
  return {
    program,
    memory: layout.memory,
    *start(values) {
      const here = place();
      if (here instanceof MemoryError) return callByCall(here).runSync(values);
      try {
        yield* runFreely(runner, here.enter(values));
        return here.leave();
      } finally {
        here.lease.letGo();
      }
    },
    runSync(values) {
      const here = place();
      if (here instanceof MemoryError) return callByCall(here).runSync(values);
      try {
        for (const step of here.enter(values)) runObserved(step, () => step.job && runner.spansOf(step.job));
        return here.leave();
      } finally {
        here.lease.letGo();
      }
    },
    free() {
      abandoned.unregister(layout);
      giveBack(holdings);
      placed = undefined;
    },
  };
}

/** Runs steps, as many in a row as can be on other threads. */
function* runFreely(runner: Runner, steps: readonly Step[]): Work<void> {
  for (let i = 0; i < steps.length; ) {
    const jobs: Job[] = [];
    for (let job = steps[i].job; job !== undefined; job = steps[++i]?.job) jobs.push(job);
    if (jobs.length > 0) yield* runner.executeList(jobs);
    else steps[i++].run();
  }
}

/** To the bit: -0 is not 0, and NaN is what it is. */
function equal(a: FlatArray, b: FlatArray): boolean {
  const [bitsA, bitsB] = [a, b].map((array) => new Uint32Array(array.buffer, array.byteOffset, array.length));
  for (let i = 0; i < bitsA.length; i++) if (bitsA[i] !== bitsB[i]) return false;
  return true;
}
