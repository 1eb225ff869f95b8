// Runs plans: looks up or compiles the code of a call, brings its operands into the arena, shares the items of each
// phase out among the threads, and brings the results back.

import type { AnyKernel, Arrays, FlatArray } from "@saunet/core";
import { assemble, instantiate, type PhaseFunction } from "./compile.ts";
import { type Arena, alignToLine } from "./memory.ts";
import type { CodeFeatures, Generator, Lengths, Plan } from "./plan.ts";

/** Generated code that trapped, in any thread; the message begins with the plan's name. */
export class KernelError extends Error {
  override readonly name = "KernelError";
}

/** Other threads that take a share of a phase. */
export interface Crew {
  /** How many threads share the work, the caller among them. */
  readonly threads: number;
  /** Makes a module known to the other threads under a number; called once a module, numbers ascending from 0. */
  load(module: number, name: string, bytes: Uint8Array<ArrayBuffer>): void;
  /**
   * Runs one phase: thread t does items `items·t/threads … items·(t+1)/threads - 1`, the caller those of thread 0.
   * `own` is the scratch of thread 0; thread t's begins `ownBytes·t` further.
   */
  run(job: Job): void;
}

/** One phase of one call, ready to run. */
export interface Job {
  readonly name: string;
  readonly module: number;
  readonly phase: number;
  readonly code: PhaseFunction;
  readonly items: number;
  readonly shared: number;
  readonly own: number;
  readonly ownBytes: number;
  readonly addresses: readonly number[];
}

interface Compiled {
  readonly module: number;
  readonly code: readonly PhaseFunction[];
}

/** Runs kernels in one arena. */
export class Runner {
  readonly arena: Arena;
  readonly #crew: Crew;
  readonly #features: CodeFeatures;
  readonly #plans = new Map<string, Plan | undefined>();
  readonly #compiled = new Map<string, Compiled>();

  constructor(arena: Arena, crew: Crew, features: CodeFeatures) {
    this.arena = arena;
    this.#crew = crew;
    this.#features = features;
  }

  /** What a generator makes of a call; remembered, since a network repeats its calls. */
  plan({ kernel, plan }: Generator, arrays: Arrays, dims: unknown): Plan | undefined {
    const lengths = Object.keys(kernel.roles).map((name) => arrays[name]?.length);
    const key = `${kernel.name} ${lengths} ${JSON.stringify(dims)}`;
    if (!this.#plans.has(key)) {
      const byName = Object.fromEntries(Object.keys(kernel.roles).map((name, i) => [name, lengths[i]]));
      this.#plans.set(key, plan(dims as never, byName as Lengths<never>, this.#features) as Plan | undefined);
    }
    return this.#plans.get(key);
  }

  /** Runs a plan on the arrays of a call. */
  run(kernel: AnyKernel, plan: Plan, arrays: Arrays): void {
    const { arena } = this;
    const compiled = this.#compile(kernel, plan);
    const mark = arena.mark;
    try {
      const copiesOut: [address: number, array: FlatArray][] = [];
      const addresses = Object.entries(kernel.roles).map(([name, role]) => {
        const array = arrays[name];
        if (array === undefined) return 0;
        if (arena.holds(array)) return array.byteOffset;
        const address = arena.reserve(array.byteLength);
        if (role !== "write") arena.write(address, array);
        if (role !== "read") copiesOut.push([address, array]);
        return address;
      });
      const shared = arena.reserve(plan.sharedBytes ?? 0);
      const ownBytes = alignToLine(plan.ownBytes ?? 0);
      const own = arena.reserve(ownBytes * this.#crew.threads);
      plan.phases.forEach(({ items, grain = 1 }, phase) => {
        const job = { name: plan.name, phase, items, shared, own, ownBytes, addresses, ...compiled };
        const code = compiled.code[phase];
        try {
          if (items < 2 * grain) code(0, items, shared, own, ...addresses);
          else this.#crew.run({ ...job, code });
        } catch (error) {
          throw error instanceof KernelError
            ? error
            : new KernelError(`${plan.name}: ${(error as Error).message}`);
        }
      });
      for (const [address, array] of copiesOut) arena.read(address, array);
    } finally {
      arena.release(mark);
    }
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
    this.#crew.load(compiled.module, plan.name, bytes);
    this.#compiled.set(plan.key, compiled);
    return compiled;
  }
}

/** A crew of one: the caller does everything. */
export const alone: Crew = {
  threads: 1,
  load: () => {},
  run: ({ code, items, shared, own, addresses }) => code(0, items, shared, own, ...addresses),
};
