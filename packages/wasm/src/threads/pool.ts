// Threads that share the work of a phase: fork and join over words in shared memory. The caller takes a share of its
// own, so N threads are the caller and N - 1 workers. While a list of jobs runs, one worker more stands in for the
// caller, who is free to do something else: even to run single jobs, which it then does alone.

import type { Pending, Work } from "@saunet/core/kernels";
import { spawn } from "#spawn";
import type { Arena, LinearMemory } from "../memory.ts";
import type { Span } from "../observe.ts";
import { alone, type Crew, type Job, KernelError } from "../runner.ts";
import {
  CHUNKS_PER_THREAD,
  CONTROL_BYTES,
  DOOR,
  JOB,
  JOB_WORDS,
  KIND,
  LEAST_CHUNK,
  MESSAGE_BYTES,
  MESSAGES_START,
  MOST_THREADS,
  openDoor,
  SPINS,
  STOPPED,
  TIMES_START,
  WORD,
} from "./control.ts";
import { Waking } from "./waking.ts";

/** What a worker receives at its start. */
export interface WorkerData {
  readonly memory: LinearMemory;
  /** Address of the control block. */
  readonly control: number;
  /** Its number among the threads; the caller and its stand-in are 0. */
  readonly thread: number;
}

/** What the engine needs of a browser's `Worker`. */
export interface WorkerLike {
  /** Sends it a message; `transfer` lists what moves there. */
  postMessage(message: unknown, transfer: object[]): void;
  terminate(): void;
  addEventListener(type: "error", listener: (event: { readonly message: string }) => void): void;
}

/** Makes a worker of the script at an address. */
export type MakeWorker = (script: string) => WorkerLike;

/** A worker that is up and waiting. */
export interface SpawnedWorker {
  /** Ends it; resolves when it is at rest. */
  readonly terminate: () => Promise<void>;
  /** Resolves when it has ended, where the host tells. */
  readonly ended: Promise<void>;
  /** Resolves when it says that the list of this number is finished. */
  readonly finished: (list: number) => Promise<void>;
}

/** A share that takes this many times as long as the caller's own is given up. */
const PATIENCE = 50;
const SHORTEST_PATIENCE_MS = 5000;
/** A job of a list that somebody waits for here and now is given up after so long. */
const PATIENCE_FOR_LISTS_MS = 60_000;

interface Module {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The caller and its workers. */
export class Pool implements Crew {
  readonly mostThreads: number;
  readonly #arena: Arena;
  readonly #makeWorker: MakeWorker | undefined;
  readonly #control: number;
  readonly #words: Int32Array;
  /** By number. */
  readonly #modules = new Map<number, Module>();
  /** Numbers of modules that the workers do not have yet. */
  readonly #unloaded = new Set<number>();
  /** Whether this thread may sleep: a browser's main thread may not. */
  readonly #maySleep: boolean;
  #workers: SpawnedWorker[] = [];
  #standIn: SpawnedWorker | undefined;
  #listRuns = false;
  #lists = 0;
  /** Whether a worker exited unexpectedly, and who is called then while a list runs. */
  #lost = false;
  #onLoss: (() => void) | undefined;
  /** Whether the last single job was shared, when it was posted, and the caller's share of it. */
  #wasShared = false;
  #posted = 0;
  #ownSpan: Span = { thread: 0, start: 0, end: 0 };
  readonly #waking = new Waking();

  private constructor(arena: Arena, mostThreads: number, makeWorker: MakeWorker | undefined) {
    this.#arena = arena;
    this.#makeWorker = makeWorker;
    this.mostThreads = mostThreads;
    this.#control = arena.reserve(CONTROL_BYTES);
    this.#words = new Int32Array(arena.memory.buffer, this.#control, CONTROL_BYTES / 4);
    this.#maySleep = maySleep();
  }

  /** Starts the workers and waits until all of them are up. */
  static async start(arena: Arena, threads: number, makeWorker?: MakeWorker): Promise<Pool> {
    const most = Math.min(threads, MOST_THREADS);
    const pool = new Pool(arena, most, makeWorker);
    await pool.#hire(most - 1);
    return pool;
  }

  get threads(): number {
    return 1 + this.#workers.length;
  }

  async #hire(workers: number): Promise<void> {
    Atomics.store(this.#words, WORD.asleep, 0);
    const { memory } = this.#arena;
    const control = this.#control;
    const spawning = Array.from({ length: workers + 1 }, (_, thread) =>
      spawn({ memory, control, thread }, this.#makeWorker),
    );
    const [standIn, ...hired] = await Promise.all(spawning).catch((error: unknown) => {
      // Nobody would ever send home those that came.
      for (const each of spawning) each.then(({ terminate }) => terminate()).catch(() => {});
      throw error;
    });
    this.#standIn = standIn;
    this.#workers = hired;
    this.#lost = false;
    for (const worker of [standIn, ...hired]) worker.ended.then(() => this.#noteEnd(worker));
    for (const module of this.#modules.keys()) this.#unloaded.add(module);
  }

  #noteEnd(worker: SpawnedWorker): void {
    if (worker !== this.#standIn && !this.#workers.includes(worker)) return;
    this.#lost = true;
    this.#onLoss?.();
  }

  /** Sends the workers home. The pool then is the caller alone. */
  stop(): void {
    this.#words[WORD.kind] = KIND.stop;
    this.#start(true);
    this.#workers = [];
    this.#standIn = undefined;
  }

  load(module: number, name: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.#modules.set(module, { name, bytes });
    this.#unloaded.add(module);
    this.#waking.forget(module);
  }

  /** Hands the workers what they do not have yet. Nothing else may be under way. */
  #loadInWorkers(): void {
    for (const module of this.#unloaded) {
      const { name, bytes } = this.#modules.get(module)!;
      const address = this.#arena.reserve(bytes.length);
      this.#arena.write(address, bytes);
      this.#words[WORD.kind] = KIND.load;
      this.#words[WORD.address] = address;
      this.#words[WORD.length] = bytes.length;
      this.#words[WORD.module] = module;
      this.#start(true);
      try {
        this.#join(name, this.threads, 0);
      } finally {
        this.#arena.free(address);
      }
      this.#unloaded.delete(module);
    }
  }

  run(job: Job): void {
    const expected = this.#waking.expected(job);
    const isAwake = Atomics.load(this.#words, WORD.asleep) < this.#workers.length;
    // Where the workers are busy, or gone, nobody waits for them.
    const isPossible = !this.#listRuns && this.#workers.length > 0;
    this.#wasShared = isPossible && (isAwake || this.#waking.isWorth(expected));
    const start = performance.now();
    if (this.#wasShared) {
      this.#share(job);
      if (!isAwake) this.#waking.judge(expected, performance.now() - start);
    } else {
      alone.run(job);
      this.#waking.note(job, job.items, start, performance.now());
    }
  }

  #share(job: Job): void {
    this.#loadInWorkers();
    const { name, code, items, shared, own, addresses } = job;
    const words = this.#words;
    words[WORD.kind] = KIND.run;
    const chunk = this.#writeJob(words, WORD.job, job);
    this.#posted = performance.now();
    this.#start(false);
    const started = performance.now();
    let done = 0;
    try {
      const take = () => Atomics.add(words, WORD.job + JOB.next, chunk);
      for (let from = take(); from < items; from = take()) {
        const to = Math.min(from + chunk, items);
        code(from, to, shared, own, ...addresses);
        done += to - from;
      }
    } finally {
      const ended = performance.now();
      this.#ownSpan = { thread: 0, start: started, end: ended };
      this.#waking.note(job, done, started, ended);
      // Whatever happened here: nobody may still be writing when the caller goes on. Who is not in yet stays out.
      const inside = Atomics.or(words, WORD.door, DOOR.shut) & DOOR.inside;
      this.#join(name, inside, ended - started);
    }
  }

  spans(): readonly Span[] | undefined {
    if (!this.#wasShared) return undefined;
    const start = this.#control + TIMES_START;
    const times = new Float64Array(this.#arena.memory.buffer, start, 2 * MOST_THREADS);
    const workers = this.#workers.map((_, i): Span => {
      const [start, end] = times.subarray(2 * (i + 1)).map((time) => time - performance.timeOrigin);
      return { thread: i + 1, start, end };
    });
    // A worker that came too late has the times of an earlier job.
    return [this.#ownSpan, ...workers.filter(({ start }) => start >= this.#posted)];
  }

  *runList(jobs: readonly Job[]): Work<boolean> {
    if (this.#lost) yield this.#replacement();
    const standIn = this.#standIn;
    if (standIn === undefined || this.#lost) return false;
    this.#loadInWorkers();
    const address = this.#arena.reserve(4 * JOB_WORDS * jobs.length);
    const list = new Int32Array(this.#arena.memory.buffer, address, JOB_WORDS * jobs.length);
    jobs.forEach((job, i) => {
      this.#writeJob(list, i * JOB_WORDS, job);
    });
    const words = this.#words;
    const number = ++this.#lists;
    words[WORD.kind] = KIND.list;
    words[WORD.address] = address;
    words[WORD.length] = jobs.length;
    words[WORD.threads] = this.threads;
    words[WORD.arrivedBefore] = Atomics.load(words, WORD.arrived);
    words[WORD.list] = number;
    this.#listRuns = true;
    try {
      const ended = new Promise<void>((resolve) => {
        this.#onLoss = resolve;
        standIn.finished(number).then(resolve);
      });
      this.#start(true);
      yield {
        ended,
        wait: () => this.#waitForList(number),
        stop: () => void Atomics.store(words, WORD.aborted, STOPPED),
      };
      if (Atomics.load(words, WORD.finished) !== number) {
        const { name } = jobs[words[WORD.at]];
        yield this.#replacement();
        throw new KernelError(`${name}: a worker ended; the work was not finished`);
      }
      this.#passOnErrors(
        (number) => jobs[number].name,
        (number) => jobs[number].explain?.(),
      );
      return true;
    } finally {
      this.#onLoss = undefined;
      this.#listRuns = false;
      this.#arena.free(address);
    }
  }

  /** Waits for a list here and now. Nobody can tell meanwhile that a worker died: it shows in that nothing goes on. */
  #waitForList(number: number): void {
    const words = this.#words;
    let [at, since, looks] = [-1, performance.now(), 0];
    for (;;) {
      const finished = Atomics.load(words, WORD.finished);
      if (finished === number) return;
      if (++looks < SPINS) continue;
      looks = 0;
      const now = performance.now();
      if (Atomics.load(words, WORD.at) !== at) [at, since] = [Atomics.load(words, WORD.at), now];
      else if (now - since > PATIENCE_FOR_LISTS_MS) return;
      if (this.#maySleep) Atomics.wait(words, WORD.finished, finished, 100);
    }
  }

  #replacement(): Pending {
    return { ended: this.#replaceWorkers(), wait: () => {}, stop: () => {} };
  }

  /** A worker has ended, and those that are left would wait for it: all of them go, and new ones come. */
  async #replaceWorkers(): Promise<void> {
    const old = this.#standIn === undefined ? [] : [this.#standIn, ...this.#workers];
    this.#workers = [];
    this.#standIn = undefined;
    await Promise.all(old.map(({ terminate }) => terminate()));
    // Nobody comes where the pool was stopped; should the new ones fail to start, the caller works alone.
    if (old.length > 0) await this.#hire(old.length - 1).catch(() => {});
  }

  /** Writes a job down and tells how many of its items are taken at a time. */
  #writeJob(words: Int32Array, at: number, job: Job): number {
    const share = Math.max(job.items / (CHUNKS_PER_THREAD * this.threads), LEAST_CHUNK * job.grain);
    const chunk = job.alone ? job.items : Math.ceil(share);
    words[at + JOB.module] = job.module;
    words[at + JOB.phase] = job.phase;
    words[at + JOB.items] = job.items;
    words[at + JOB.alone] = job.alone ? 1 : 0;
    words[at + JOB.shared] = job.shared;
    words[at + JOB.own] = job.own;
    words[at + JOB.ownBytes] = job.ownBytes;
    words[at + JOB.count] = job.addresses.length;
    words[at + JOB.next] = 0;
    words[at + JOB.chunk] = chunk;
    words.set(job.addresses, at + JOB.arrays);
    return chunk;
  }

  /** @param everyone whether the stand-in takes part */
  #start(everyone: boolean): void {
    const words = this.#words;
    Atomics.store(words, WORD.done, 0);
    Atomics.store(words, WORD.aborted, 0);
    const generation = Atomics.load(words, WORD.generation) + 1;
    Atomics.store(words, WORD.door, openDoor(generation));
    for (const turn of everyone ? [WORD.standIn, WORD.generation] : [WORD.generation]) {
      Atomics.add(words, turn, 1);
      Atomics.notify(words, turn);
    }
    Atomics.store(words, WORD.called, generation);
  }

  /** Waits until so many workers are done, then passes on the first error. */
  #join(name: string, wanted: number, ownMilliseconds: number): void {
    const words = this.#words;
    const deadline = performance.now() + Math.max(SHORTEST_PATIENCE_MS, PATIENCE * ownMilliseconds);
    let looks = 0;
    for (;;) {
      const done = Atomics.load(words, WORD.done);
      if (done === wanted) break;
      if (++looks < SPINS) continue;
      if (performance.now() > deadline) this.#giveUp(name, wanted - done);
      if (this.#maySleep) Atomics.wait(words, WORD.done, done, 100);
      else looks = 0;
    }
    this.#passOnErrors(() => name);
  }

  #passOnErrors(nameOf: (number: number) => string, explain: (number: number) => void = () => {}): void {
    const words = this.#words;
    const aborted = Atomics.load(words, WORD.aborted);
    if (aborted === 0 || aborted === STOPPED) return;
    // All messages are taken: one that is left would be told of a later failure.
    const lengths = Array.from({ length: this.threads }, (_, thread) =>
      Atomics.exchange(words, WORD.failed + thread, 0),
    );
    const thread = lengths.findIndex((length) => length > 0);
    if (thread < 0) return;
    const start = this.#control + MESSAGES_START + thread * MESSAGE_BYTES;
    const message = new Uint8Array(this.#arena.memory.buffer).slice(start, start + lengths[thread]);
    explain(aborted - 1);
    throw new KernelError(`${nameOf(aborted - 1)}: thread ${thread}: ${new TextDecoder().decode(message)}`);
  }

  /** Ends the workers that are left, starts new ones for later calls, and says what happened. */
  #giveUp(name: string, missing: number): never {
    const count = this.#workers.length;
    // Until others are up the caller works alone.
    void this.#replaceWorkers();
    throw new KernelError(`${name}: ${missing} of ${count} workers did not answer; they are being replaced`);
  }
}

function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}
