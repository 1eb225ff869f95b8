// Runs plans: looks up or compiles the code of a call, brings its operands into the arena, shares the items of each
// phase out among the threads, and brings the results back.

import type { AnyKernel, Arrays, FlatArray } from "@saunet/core";
import { assemble, instantiate, type PhaseFunction } from "./compile.ts";
import { type Arena, alignToLine } from "./memory.ts";
import type { Span } from "./observe.ts";
import type { CodeFeatures, Generator, Lengths, Plan } from "./plan.ts";

/** Generated code that trapped, in any thread; the message begins with the plan's name. */
export class KernelError extends Error {
  override readonly name = "KernelError";
}

/** Other threads that take a share of a phase. */
export interface Crew {
  /** How many threads share the work, the caller among them. */
  readonly threads: number;
  /** How many it may become again, after workers that are gone have been replaced; `threads` when left out. */
  readonly mostThreads?: number;
  /** Makes the next module known to the other threads; they are numbered from 0. */
  load(name: string, bytes: Uint8Array<ArrayBuffer>): void;
  /**
   * Runs one phase: the threads, the caller among them as thread 0, take its items a few at a time until none are left.
   * `own` is the scratch of thread 0; thread t's begins `ownBytes·t` further.
   */
  run(job: Job): void;
  /** When each thread was at work on the last phase that they shared. */
  spans?(): readonly Span[];
  /** Runs jobs one after the other without the caller, where the crew can. */
  runList?(jobs: readonly Job[]): Promise<void>;
}

/** One phase of one call, ready to run. */
export interface Job {
  readonly name: string;
  readonly module: number;
  readonly phase: number;
  readonly code: PhaseFunction;
  readonly items: number;
  /** Whether the items are too few to share. */
  readonly alone: boolean;
  readonly shared: number;
  readonly own: number;
  readonly ownBytes: number;
  readonly addresses: readonly number[];
}

interface Compiled {
  readonly module: number;
  readonly code: readonly PhaseFunction[];
}

/** The lengths of a call's arrays, in the order of the kernel's roles. */
export function lengthsOf({ roles }: { readonly roles: object }, arrays: Arrays): Lengths<Arrays> {
  return Object.fromEntries(Object.keys(roles).map((name) => [name, arrays[name]?.length]));
}

/** Runs kernels in one arena. */
export class Runner {
  readonly arena: Arena;
  readonly features: CodeFeatures;
  readonly #crew: Crew;
  readonly #plans = new Map<string, Plan | undefined>();
  readonly #compiled = new Map<string, Compiled>();

  constructor(arena: Arena, crew: Crew, features: CodeFeatures) {
    this.arena = arena;
    this.#crew = crew;
    this.features = features;
  }

  /** What a generator makes of a call; remembered, since a network repeats its calls. */
  plan({ kernel, plan }: Generator, lengths: Lengths<Arrays>, dims: unknown): Plan | undefined {
    const key = `${kernel.name} ${Object.values(lengths)} ${JSON.stringify(dims)}`;
    if (!this.#plans.has(key)) this.#plans.set(key, plan(dims, lengths, this.features));
    return this.#plans.get(key);
  }

  /** Runs a plan on the arrays of a call. */
  run(kernel: AnyKernel, plan: Plan, arrays: Arrays): void {
    const { arena } = this;
    const blocks: number[] = [];
    const reserve = (bytes: number): number => {
      const address = arena.reserve(bytes);
      blocks.push(address);
      return address;
    };
    try {
      const copiesOut: [address: number, array: FlatArray][] = [];
      const addresses = Object.entries(kernel.roles).map(([name, role]) => {
        const array = arrays[name];
        if (array === undefined) return 0;
        if (arena.holds(array)) return array.byteOffset;
        const address = reserve(array.byteLength);
        if (role !== "write") arena.write(address, array);
        if (role !== "read") copiesOut.push([address, array]);
        return address;
      });
      const shared = reserve(plan.sharedBytes ?? 0);
      const own = reserve(this.ownBytesOf(plan));
      for (const job of this.jobs(kernel, plan, addresses, shared, own)) this.execute(job);
      for (const [address, array] of copiesOut) arena.read(address, array);
    } finally {
      for (const address of blocks) arena.free(address);
    }
  }

  /** Bytes of scratch that a plan wants for all threads, each its own. */
  ownBytesOf({ ownBytes = 0 }: Plan): number {
    return alignToLine(ownBytes) * (this.#crew.mostThreads ?? this.#crew.threads);
  }

  /**
   * The phases of a plan as jobs.
   *
   * @param addresses of the kernel's arrays, in the order of its roles
   */
  jobs(kernel: AnyKernel, plan: Plan, addresses: readonly number[], shared: number, own: number): Job[] {
    const { module, code } = this.#compile(kernel, plan);
    const ownBytes = alignToLine(plan.ownBytes ?? 0);
    return plan.phases.map(({ items, grain = 1 }, phase) => {
      const alone = items < 2 * grain;
      return {
        name: plan.name,
        module,
        phase,
        code: code[phase],
        items,
        alone,
        shared,
        own,
        ownBytes,
        addresses,
      };
    });
  }

  /** Runs phases in order, on other threads than the caller's where there are any. */
  async executeList(jobs: readonly Job[]): Promise<void> {
    if (this.#crew.runList !== undefined) return this.#crew.runList(jobs);
    for (const job of jobs) this.execute(job);
  }

  /** Runs one phase on all threads, or on this one where it is not worth more. */
  execute(job: Job): void {
    const { name, code, items, shared, own, addresses } = job;
    try {
      if (job.alone) code(0, items, shared, own, ...addresses);
      else this.#crew.run(job);
    } catch (error) {
      throw error instanceof KernelError ? error : new KernelError(`${name}: ${(error as Error).message}`);
    }
  }

  /** When each thread was at work on the job that has just been executed; `undefined` where this one did it all. */
  spansOf({ alone }: Job): readonly Span[] | undefined {
    return alone ? undefined : this.#crew.spans?.();
  }

  #compile(kernel: AnyKernel, plan: Plan): Compiled {
    const known = this.#compiled.get(plan.key);
    if (known !== undefined) return known;
    const { memory, shared, limit } = this.arena;
    const bytes = assemble(plan as Plan<never>, Object.keys(kernel.roles), {
      shared,
      maximum: limit / 65536,
    });
    const compiled = { module: this.#compiled.size, code: instantiate(bytes, memory) };
    this.#crew.load(plan.name, bytes);
    this.#compiled.set(plan.key, compiled);
    return compiled;
  }
}

/**
 * Calls of a phase by a crew of one. V8 compiles a function well only after it has been entered a few times, and in one
 * call the first run would be over before: at 592x592 it took 680 ms instead of 330 (Node 20).
 */
const CALLS = 16;

/** A crew of one: the caller does everything. */
export const alone: Crew = {
  threads: 1,
  load: () => {},
  run: ({ code, items, shared, own, addresses }) => {
    const chunk = Math.ceil(items / CALLS);
    for (let from = 0; from < items; from += chunk)
      code(from, Math.min(from + chunk, items), shared, own, ...addresses);
  },
};
