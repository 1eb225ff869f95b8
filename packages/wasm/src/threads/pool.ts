// Threads that share the work of a phase: fork and join over words in shared memory. The caller takes a share of its
// own, so N threads are the caller and N - 1 workers.

import { spawn } from "#spawn";
import type { Arena } from "../memory.ts";
import { type Crew, type Job, KernelError } from "../runner.ts";
import { CONTROL_BYTES, KIND, MESSAGE_BYTES, MESSAGES_START, MOST_THREADS, SPINS, WORD } from "./control.ts";

/** What a worker is told at its start. */
export interface WorkerData {
  readonly memory: WebAssembly.Memory;
  /** Address of the control block. */
  readonly control: number;
  /** Its number among the threads; the caller is 0. */
  readonly thread: number;
}

/** A worker that is up and waiting. */
export interface SpawnedWorker {
  readonly terminate: () => void;
}

/** A share that takes this many times as long as the caller's own is given up. */
const PATIENCE = 50;
const SHORTEST_PATIENCE_MS = 5000;

/** The caller and its workers. */
export class Pool implements Crew {
  readonly #arena: Arena;
  readonly #control: number;
  readonly #words: Int32Array;
  readonly #modules: { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[] = [];
  /** Whether this thread may sleep: a browser's main thread may not. */
  readonly #maySleep: boolean;
  #workers: SpawnedWorker[] = [];

  private constructor(arena: Arena) {
    this.#arena = arena;
    this.#control = arena.reserve(CONTROL_BYTES);
    this.#words = new Int32Array(arena.memory.buffer, this.#control, CONTROL_BYTES / 4);
    this.#maySleep = maySleep();
  }

  /** Starts the workers and waits until all of them are up. */
  static async start(arena: Arena, threads: number): Promise<Pool> {
    const pool = new Pool(arena);
    await pool.#hire(Math.min(threads, MOST_THREADS) - 1);
    return pool;
  }

  get threads(): number {
    return 1 + this.#workers.length;
  }

  async #hire(workers: number): Promise<void> {
    const { memory } = this.#arena;
    const control = this.#control;
    const hired = await Promise.all(
      Array.from({ length: workers }, (_, i) => spawn({ memory, control, thread: i + 1 })),
    );
    this.#workers = hired;
    for (const { name, bytes } of this.#modules) this.#loadInWorkers(name, bytes);
  }

  /** Sends the workers home. The pool then is the caller alone. */
  stop(): void {
    if (this.#workers.length === 0) return;
    this.#words[WORD.kind] = KIND.stop;
    this.#start();
    this.#workers = [];
  }

  load(_module: number, name: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.#modules.push({ name, bytes });
    this.#loadInWorkers(name, bytes);
  }

  #loadInWorkers(name: string, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#workers.length === 0) return;
    const address = this.#arena.reserve(bytes.length);
    this.#arena.write(address, bytes);
    this.#words[WORD.kind] = KIND.load;
    this.#words[WORD.address] = address;
    this.#words[WORD.length] = bytes.length;
    this.#start();
    this.#join(name, 0);
    this.#arena.free(address);
  }

  run({ name, module, phase, code, items, shared, own, ownBytes, addresses }: Job): void {
    const words = this.#words;
    words[WORD.kind] = KIND.run;
    words[WORD.module] = module;
    words[WORD.phase] = phase;
    words[WORD.items] = items;
    words[WORD.threads] = this.threads;
    words[WORD.shared] = shared;
    words[WORD.own] = own;
    words[WORD.ownBytes] = ownBytes;
    words[WORD.count] = addresses.length;
    words.set(addresses, WORD.arrays);
    this.#start();
    const started = performance.now();
    try {
      code(0, Math.floor(items / this.threads), shared, own, ...addresses);
    } finally {
      // Whatever happened here: nobody may still be writing when the caller goes on.
      this.#join(name, performance.now() - started);
    }
  }

  #start(): void {
    Atomics.store(this.#words, WORD.done, 0);
    Atomics.add(this.#words, WORD.generation, 1);
    Atomics.notify(this.#words, WORD.generation);
  }

  /** Waits for every worker, then passes on the first error. */
  #join(name: string, ownMilliseconds: number): void {
    const words = this.#words;
    const wanted = this.#workers.length;
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
    for (let thread = 1; thread <= wanted; thread++) {
      const length = Atomics.exchange(words, WORD.failed + thread, 0);
      if (length === 0) continue;
      const start = this.#control + MESSAGES_START + thread * MESSAGE_BYTES;
      const message = new Uint8Array(this.#arena.memory.buffer).slice(start, start + length);
      throw new KernelError(`${name}: thread ${thread}: ${new TextDecoder().decode(message)}`);
    }
  }

  /** Ends the workers that are left, starts new ones for later calls, and says what happened. */
  #giveUp(name: string, missing: number): never {
    const lost = this.#workers;
    this.#workers = [];
    for (const worker of lost) worker.terminate();
    // Until they are up the caller works alone; should they fail to start, it goes on so.
    this.#hire(lost.length).catch(() => {});
    throw new KernelError(
      `${name}: ${missing} of ${lost.length} workers did not answer; they are being replaced`,
    );
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
