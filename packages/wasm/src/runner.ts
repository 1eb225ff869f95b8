// Runs plans: looks up or compiles the code of a call, brings its operands into the arena, shares the items of each
// phase out among the threads, and brings the results back.

import { type AnyKernel, type Arrays, exactKey, type FlatArray, type Work } from "@saunet/core/kernels";
import { instantiate, moduleOf, type PhaseFunction } from "./compile.ts";
import { type Arena, alignToLine } from "./memory.ts";
import type { Span } from "./observe.ts";
import type { CodeFeatures, Generator, Lengths, Plan } from "./plan.ts";

/**
 * Generated code that trapped, in any thread; the message begins with the plan's name.
 *
 * @example
 * const isTrap = (error: unknown) => error instanceof KernelError;
 * console.log(isTrap(new KernelError("conv2d.forward: unreachable"))); // true
 */
export class KernelError extends Error {
  override readonly name = "KernelError";
}

/** Other threads that take a share of a phase. */
export interface Crew {
  /** How many threads share the work, the caller among them. */
  readonly threads: number;
  /** How many it may become again, after workers that are gone have been replaced; default `threads`. */
  readonly mostThreads?: number;
  /** Makes a module known to the other threads, in place of the one that had its number before. */
  load(module: number, name: string, bytes: Uint8Array<ArrayBuffer>): void;
  /**
   * Runs one phase: the threads, the caller among them as thread 0, take its items a few at a time until none are left.
   * `own` is the scratch of thread 0; thread t's begins `ownBytes·t` further.
   */
  run(job: Job): void;
  /** When each thread was at work on the last phase; `undefined` where the caller did it alone. */
  spans?(): readonly Span[] | undefined;
  /**
   * Runs jobs one after the other without the caller; yields while the caller is free.
   *
   * @returns whether it could
   */
  runList?(jobs: readonly Job[]): Work<boolean>;
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
  /** Fewer items are not worth handing to a thread. */
  readonly grain: number;
  readonly shared: number;
  readonly own: number;
  readonly ownBytes: number;
  readonly addresses: readonly number[];
  /** Where the code may refuse its numbers: runs the portable form on them, which says what is wrong. */
  readonly explain?: (() => void) | undefined;
}

/** A plan in machine code. */
export interface Compiled {
  /** Its number among the modules that the threads know. */
  readonly module: number;
  readonly code: readonly PhaseFunction[];
  /** How many programs need it. */
  users: number;
  /** Whether {@link Runner.rehearse} has run it. */
  isRehearsed: boolean;
}

/**
 * How much is remembered for calls to come. SA-UNetv2 has 35 modules for a size in inference and 150 in training;
 * each takes some 50 kB a thread once it is compiled.
 */
const PLANS_KEPT = 4096;
const MODULES_KEPT = 256;

/**
 * Milliseconds of a rehearsal, at most; but one item is always done. V8 optimises a function after 1.8 MB of executed code
 * (Node 20), which take the code of its baseline compiler 0.2 to 0.3 ms.
 */
const REHEARSAL_MS = 0.3;

/** Remembers the values that were asked for last; the one that was not asked for longest makes room. */
export class Cache<V> {
  readonly #values = new Map<string, V>();
  readonly #most: number;
  readonly #forget: (value: V) => boolean;

  /**
   * @param most how many values are remembered, besides those that may not be forgotten
   * @param forget takes leave of a value that is to make room, if it may
   */
  constructor(most: number, forget: (value: V) => boolean = () => true) {
    this.#most = most;
    this.#forget = forget;
  }

  get size(): number {
    return this.#values.size;
  }

  /** The value of a key, made now if it is not remembered. */
  get(key: string, make: () => V): V {
    const known = this.#values.has(key);
    const value = known ? (this.#values.get(key) as V) : make();
    // A map keeps the order of insertion: the first was not asked for longest.
    this.#values.delete(key);
    this.#values.set(key, value);
    if (!known) this.#makeRoom();
    return value;
  }

  #makeRoom(): void {
    let excess = this.#values.size - this.#most;
    if (excess <= 0) return;
    // The last one has just been asked for.
    for (const [key, value] of [...this.#values].slice(0, -1)) {
      if (excess <= 0) return;
      if (this.#forget(value) && this.#values.delete(key)) excess--;
    }
  }
}

/** Something of each of a kernel's arrays, by name, in the order of its roles. */
export const ofArrays = <T>(
  { roles }: { readonly roles: object },
  of: (name: string) => T,
): Readonly<Record<string, T>> => Object.fromEntries(Object.keys(roles).map((name) => [name, of(name)]));

/** The lengths of a call's arrays. */
export const lengthsOf = (kernel: { readonly roles: object }, arrays: Arrays): Lengths<Arrays> =>
  ofArrays(kernel, (name) => arrays[name]?.length);

/** Runs kernels in one arena. */
export class Runner {
  readonly arena: Arena;
  readonly features: CodeFeatures;
  readonly #crew: Crew;
  readonly #plans = new Cache<Plan | undefined>(PLANS_KEPT);
  readonly #compiled = new Cache<Compiled>(
    MODULES_KEPT,
    ({ users, module }) => users === 0 && this.#freeModules.push(module) > 0,
  );
  /** Numbers of modules that were forgotten, and the first that none ever had. */
  readonly #freeModules: number[] = [];
  #nextModule = 0;

  constructor(arena: Arena, crew: Crew, features: CodeFeatures) {
    this.arena = arena;
    this.#crew = crew;
    this.features = features;
  }

  /** What a generator makes of a call; remembered, since a network repeats its calls. */
  plan({ kernel, plan }: Generator, lengths: Lengths<Arrays>, dims: unknown): Plan | undefined {
    const key = `${kernel.name} ${exactKey(Object.values(lengths))} ${exactKey(dims)}`;
    return this.#plans.get(key, () => plan(dims, lengths, this.features));
  }

  /**
   * Runs a plan on the arrays of a call.
   *
   * @param explain runs the portable form on the same arrays
   * @throws MemoryError where they do not fit; nothing has been written then
   */
  run(kernel: AnyKernel, plan: Plan, arrays: Arrays, explain?: () => void): void {
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
      for (const job of this.jobs(plan, this.compile(kernel, plan), addresses, shared, own, explain))
        this.execute(job);
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
  jobs(
    plan: Plan,
    { module, code }: Compiled,
    addresses: readonly number[],
    shared: number,
    own: number,
    explain?: () => void,
  ): Job[] {
    const ownBytes = alignToLine(plan.ownBytes ?? 0);
    const whole = { name: plan.name, module, shared, own, ownBytes, addresses };
    return plan.phases.map(({ items, grain = 1 }, phase) => ({
      ...whole,
      phase,
      code: code[phase],
      items,
      alone: items < 2 * grain,
      grain,
      explain: plan.refuses ? explain : undefined,
    }));
  }

  /**
   * Runs a little of each phase on whatever lies in its memory, the first time: V8 begins to optimise a function once it has
   * been busy, on a thread of its own, and so it does that while the next plans are still assembled.
   *
   * @param jobs the phases, in memory whose values nobody needs
   */
  rehearse(code: Compiled, jobs: readonly Job[]): void {
    if (code.isRehearsed) return;
    code.isRehearsed = true;
    for (const { code, items, shared, own, addresses } of jobs) {
      const end = performance.now() + REHEARSAL_MS;
      for (let item = 0; item < items && performance.now() < end; item++)
        code(item, item + 1, shared, own, ...addresses);
    }
  }

  /** Runs phases in order, on other threads than the caller's where there are any. */
  *executeList(jobs: readonly Job[]): Work<void> {
    if (this.#crew.runList !== undefined && (yield* this.#crew.runList(jobs))) return;
    for (const job of jobs) this.execute(job);
  }

  /** Runs one phase on all threads, or on this one where it is not worth more. */
  execute(job: Job): void {
    const { name, code, items, shared, own, addresses } = job;
    try {
      if (job.alone) code(0, items, shared, own, ...addresses);
      else this.#crew.run(job);
    } catch (error) {
      job.explain?.();
      throw error instanceof KernelError ? error : new KernelError(`${name}: ${(error as Error).message}`);
    }
  }

  /** When each thread was at work on the job that has just been executed; `undefined` where this one did it all. */
  spansOf({ alone }: Job): readonly Span[] | undefined {
    return alone ? undefined : this.#crew.spans?.();
  }

  /** The code of a plan. It is remembered for a while, and as long as it has users. */
  compile(kernel: AnyKernel, plan: Plan): Compiled {
    return this.#compiled.get(plan.key, () => {
      const { memory, shared, limit } = this.arena;
      const limits = { shared, maximum: limit / 65536 };
      const bytes = moduleOf(plan, Object.keys(kernel.roles), limits).build();
      const code = instantiate(bytes, memory);
      const module = this.#freeModules.pop() ?? this.#nextModule++;
      this.#crew.load(module, plan.name, bytes);
      return { module, code, users: 0, isRehearsed: false };
    });
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
