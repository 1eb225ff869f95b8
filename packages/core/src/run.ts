// Running programs: one at a time, in the order in which they were asked for, from however many async flows.
//
//                       run             the last run ends
//   prepared ── idle ────────▸ in use ────────────────────▸ idle ── release ──▸ released
//                                 └── release ──▸ in use to the end ──▸ released
//
// A program in use is never freed. Who runs programs (core's own kernels, or an accelerator) may change at any time:
// the run that is under way ends as it began, and every later one is planned anew. A run that waits has copies of its
// inputs; what else a program reads or writes (parameters, moments, random state) is its own until its promise settles:
// a kernel call that would change it waits for the run first.

import type { Program } from "./capture.ts";
import {
  type AnyKernel,
  type Arrays,
  type FlatArray,
  watchKernels,
  withoutInterceptors,
  writtenBy,
} from "./kernel.ts";
import {
  expectInputs,
  type Pending,
  type Prepared,
  type Preparer,
  prepareWithKernels,
  type Work,
} from "./prepared.ts";
import { shared } from "./shared.ts";
import { Tensor } from "./tensor.ts";

/** The part of an `AbortSignal` that is used here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How to run a program. */
export interface RunOptions {
  /** Ends the run: its promise rejects with the signal's reason, and nothing that the program changes has changed. */
  readonly signal?: AbortSignalLike | undefined;
}

/** Something that runs a program on inputs of the captured shapes. The outputs are the caller's to keep. */
export interface Runnable {
  /** The program as it runs: rewritten, its temporaries shared. */
  readonly program: Program;
  /**
   * Bytes that it holds while it is in use, by what they are for: `temporaries`, and whatever else whoever prepared it
   * needs. Inputs and outputs of a run are the caller's.
   */
  readonly memory: Readonly<Record<string, number>>;
  /**
   * Runs without blocking the caller where the host and the program allow it. Runs of all programs take their turns.
   *
   * @throws ShapeError where the inputs are not those of the program; Error after `release`
   */
  run(inputs: readonly Tensor[], options?: RunOptions): Promise<Tensor[]>;
  /** Runs and waits; first for those that wait already, where it shares with them what either changes. */
  runSync(inputs: readonly Tensor[]): Tensor[];
  /** Gives its memory back, once the runs that it was asked for have ended; it takes no more. */
  release(): void;
}

/** A run in the line. */
interface Turn {
  readonly life: Life;
  readonly begin: () => Work<Tensor[]>;
  readonly end: (error: { readonly reason: unknown } | undefined, outputs?: Tensor[]) => void;
  readonly ended: Promise<void>;
  work: Work<Tensor[]> | undefined;
  pending: Pending | undefined;
  stopped: { readonly reason: unknown } | undefined;
}

interface RunState {
  preparer: Preparer | undefined;
  /** The first one is under way; the others wait. */
  readonly turns: Turn[];
  isServed: boolean;
  /** Whether the code of a run is being executed just now. */
  isAdvancing: boolean;
  /** How long runs have kept this thread busy since the event loop turned, in milliseconds. */
  busy: number;
  readonly lives: Set<WeakRef<Life>>;
  readonly forgotten: FinalizationRegistry<WeakRef<Life>>;
}

const state = /* @__PURE__ */ shared("run", (): RunState => {
  const lives = new Set<WeakRef<Life>>();
  const forgotten = new FinalizationRegistry<WeakRef<Life>>((reference) => lives.delete(reference));
  return { preparer: undefined, turns: [], isServed: false, isAdvancing: false, busy: 0, lives, forgotten };
});

/**
 * Has programs run by somebody faster, from their next run on; `undefined` brings back core's own way.
 *
 * @returns resolves when the former one runs nothing any more
 * @example
 * const names: string[] = [];
 * await installPreparer((program) => {
 *   names.push(...program.calls.map(({ kernel }) => kernel.name));
 *   return prepareWithKernels(program);
 * });
 * prepare(capture(([x]) => [relu(x)], [zeros([2])])).runSync([ones([2])]);
 * await installPreparer(undefined);
 * console.log(names); // [ 'relu.forward' ]
 */
export function installPreparer(other: Preparer | undefined): Promise<void> {
  state.preparer = other;
  for (const reference of state.lives) {
    reference.deref()?.letGo();
  }
  const [turn] = state.turns;
  return turn?.work === undefined ? Promise.resolve() : turn.ended;
}

/**
 * Makes a program ready to run, its temporaries in one planned block of memory.
 *
 * @example
 * const { runSync } = prepare(capture(([x]) => [mul(x, x)], [zeros([2])]));
 * console.log(String(runSync([tensor([3, 4])])[0])); // Tensor [2] [9, 16]
 */
export function prepare(program: Program): Runnable {
  const life = new Life(program);
  const reference = new WeakRef(life);
  state.lives.add(reference);
  state.forgotten.register(life, reference);
  return {
    get program() {
      return life.description.program;
    },
    get memory() {
      return life.description.memory;
    },
    run: async (inputs, options = {}) => life.run(inputs, options),
    runSync: (inputs) => life.runSync(inputs),
    release: () => life.release(),
  };
}

/** One program from `prepare` to `release`. */
class Life {
  readonly #captured: Program;
  #prepared: { readonly by: Preparer; readonly it: Prepared } | undefined;
  #description: Pick<Prepared, "program" | "memory">;
  /** Runs in the line. */
  #runs = 0;
  #isRunning = false;
  #isReleased = false;
  /** What it reads or writes that others may read or write too. */
  readonly externals: ReadonlySet<FlatArray>;
  readonly written: ReadonlySet<FlatArray>;

  constructor(captured: Program) {
    this.#captured = captured;
    const { buffers, calls } = captured;
    const isWritten = new Set(calls.flatMap((call) => writtenBy(call.kernel, call.buffers)));
    const externals = buffers.flatMap(({ external }, buffer) => (external ? [{ external, buffer }] : []));
    this.externals = new Set(externals.map(({ external }) => external));
    this.written = new Set(
      externals.flatMap(({ external, buffer }) => (isWritten.has(buffer) ? external : [])),
    );
    const { program, memory } = this.#ready();
    this.#description = { program, memory };
  }

  /** As whoever runs programs now has planned it; in use or released, as it was planned last. */
  get description(): Pick<Prepared, "program" | "memory"> {
    return this.#isReleased || this.#isRunning ? this.#description : this.#ready();
  }

  #ready(): Prepared {
    const by = state.preparer ?? prepareWithKernels;
    if (this.#prepared?.by !== by) {
      this.#free();
      const it = by(this.#captured);
      this.#prepared = { by, it };
      // No more of it: what was planned holds the memory of whoever planned it.
      this.#description = { program: it.program, memory: it.memory };
    }
    return this.#prepared.it;
  }

  #free(): void {
    this.#prepared?.it.free();
    this.#prepared = undefined;
  }

  /** Frees what the one who ran programs before has planned; in use, it is freed after the run. */
  letGo(): void {
    if (!this.#isRunning && this.#prepared?.by !== (state.preparer ?? prepareWithKernels)) this.#free();
  }

  release(): void {
    this.#isReleased = true;
    if (this.#runs === 0) this.#free();
  }

  #expectRunnable(inputs: readonly Tensor[]): void {
    if (this.#isReleased) throw new Error("run: the program was released; prepare it anew");
    expectInputs(this.#captured.inputs, inputs);
  }

  #begin(inputs: readonly Tensor[]): Work<Tensor[]> {
    const work = this.#ready().start(inputs);
    this.#isRunning = true;
    return work;
  }

  #end(hasBegun: boolean): void {
    // One that was stopped while it waited says nothing about the one that is under way.
    if (hasBegun) this.#isRunning = false;
    this.#runs--;
    if (this.#isReleased && this.#runs === 0) this.#free();
    else this.letGo();
  }

  run(inputs: readonly Tensor[], { signal }: RunOptions): Promise<Tensor[]> {
    this.#expectRunnable(inputs);
    if (signal?.aborted) throw signal.reason;
    watchKernels(waitBeforeWriting);
    // The caller may fill its arrays anew before the run's turn comes.
    const startsNow = state.turns.length === 0 && !state.isServed && state.busy <= LONGEST_STRETCH;
    const values = startsNow ? inputs : inputs.map(copyOf);
    const { promise, resolve, reject } = withResolvers<Tensor[]>();
    const { promise: ended, resolve: isOver } = withResolvers<void>();
    const turn: Turn = {
      life: this,
      begin: () => this.#begin(values),
      end: (error, outputs) => {
        forgetSignal();
        state.turns.splice(state.turns.indexOf(turn), 1);
        this.#end(turn.work !== undefined);
        isOver();
        if (error === undefined) resolve(outputs!);
        else reject(error.reason);
      },
      ended,
      work: undefined,
      pending: undefined,
      stopped: undefined,
    };
    const forgetSignal = whenAborted(signal, (reason) => {
      turn.stopped = { reason };
      if (turn.work === undefined) turn.end(turn.stopped);
      else turn.pending?.stop();
    });
    this.#runs++;
    state.turns.push(turn);
    void serve();
    return promise;
  }

  runSync(inputs: readonly Tensor[]): Tensor[] {
    this.#expectRunnable(inputs);
    const shares = ({ life }: Turn) =>
      life === this || overlap(life.written, this.externals) || overlap(this.written, life.externals);
    if (state.turns.some(shares)) finishAll();
    return this.#ready().runSync(inputs);
  }
}

const listeners = new WeakMap<AbortSignalLike, Set<(reason: unknown) => void>>();

/** Listens to a signal. Returns how to stop listening. */
function whenAborted(signal: AbortSignalLike | undefined, listener: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  const all = listenersOf(signal);
  all.add(listener);
  return () => void all.delete(listener);
}

/**
 * Those who listen to a signal. It is listened to once for all of them: hosts warn of many listeners. What this function
 * creates lives as long as the signal, so it knows no run: with the first one, its program's memory would live as long.
 */
function listenersOf(signal: AbortSignalLike): Set<(reason: unknown) => void> {
  const known = listeners.get(signal);
  if (known !== undefined) return known;
  const own = new Set<(reason: unknown) => void>();
  listeners.set(signal, own);
  const tellAll = () => {
    signal.removeEventListener("abort", tellAll);
    for (const tell of own) tell(signal.reason);
  };
  signal.addEventListener("abort", tellAll);
  return own;
}

/** So long runs may keep this thread busy before the host turns to its timers and events, in milliseconds. */
const LONGEST_STRETCH = 16;

/** Every host of JavaScript has it. */
declare const setTimeout: (call: () => void, milliseconds: number) => unknown;

async function serve(): Promise<void> {
  if (state.isServed) return;
  state.isServed = true;
  for (let turn = state.turns[0]; turn !== undefined; turn = state.turns[0]) {
    const { pending } = turn;
    if (pending !== undefined) await pending.ended;
    else if (state.busy > LONGEST_STRETCH) await new Promise<void>((resume) => setTimeout(resume, 0));
    // Meanwhile somebody may have waited for all of them.
    if (state.turns[0] === turn && turn.pending === pending) advance(turn);
  }
  state.isServed = false;
}

/** Does what a run does until it next waits for others, or ends. */
function advance(turn: Turn): void {
  const started = Date.now();
  state.isAdvancing = true;
  turn.pending = undefined;
  try {
    turn.work ??= turn.begin();
    const { work, stopped } = turn;
    const next = withoutInterceptors(() => (stopped ? work.return([]) : work.next()));
    if (stopped) turn.end(stopped);
    else if (next.done) turn.end(undefined, next.value);
    else turn.pending = next.value;
  } catch (reason) {
    turn.end({ reason });
  } finally {
    state.isAdvancing = false;
    noteBusy(Date.now() - started);
  }
}

/** Counts how long this thread was kept busy; a timer, which fires when the event loop has turned, begins anew. */
function noteBusy(milliseconds: number): void {
  const isNew = state.busy <= LONGEST_STRETCH / 4;
  state.busy += milliseconds;
  if (!isNew || state.busy <= LONGEST_STRETCH / 4) return;
  setTimeout(() => {
    state.busy = 0;
  }, 0);
}

/** Does all that is in the line, here and now. */
function finishAll(): void {
  while (state.turns.length > 0 && !state.isAdvancing) {
    const [turn] = state.turns;
    turn.pending?.wait();
    advance(turn);
  }
}

/** A kernel call of somebody else that changes what a run in the line reads or writes: the run was there first. */
function waitBeforeWriting({ kernel, arrays }: { kernel: AnyKernel; arrays: Arrays }): void {
  if (state.turns.length === 0 || state.isAdvancing) return;
  const written = writtenBy(kernel, arrays);
  const isUsed = ({ life: { externals } }: Turn) => written.some((array) => externals.has(array));
  if (state.turns.some(isUsed)) finishAll();
}

function overlap<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  for (const value of a) if (b.has(value)) return true;
  return false;
}

const copyOf = ({ data, shape }: Tensor): Tensor => new Tensor(data.slice(), shape);

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let settle!: { resolve: (value: T) => void; reject: (reason: unknown) => void };
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}
