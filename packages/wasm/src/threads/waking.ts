// Whether a job is worth waking sleeping workers for, by what jobs took before.
//
// On two virtual cores waking takes the caller 20 to 30 microseconds, and the worker comes after 70 to 100; but where the
// other core was idle for long, Linux often puts the worker on the core of the caller, who then stands still until the
// worker sleeps again. So it is learned what is worth it on this machine: more after each job that was no faster for it.

import type { Job } from "../runner.ts";

/** Milliseconds of work that others are woken for, at least and at most, with what is learned. */
const LEAST_MS = 0.2;
const MOST_MS = 5;
/** A share of the time alone that a job must stay below, and what a failure is soon forgotten by: a factor a job. */
const SUCCESS = 0.9;
const FORGETTING = 0.97;
/** Jobs with shorter pauses count together. */
const SAME_BURST_MS = 0.2;
/** Times grow by so much at most, since a thread that was pushed off its core says nothing of the job. */
const GROWTH = 1.1;

/** Remembers how long jobs take, and whether waking others helped. */
export class Waking {
  /** Milliseconds of an item on one thread, by module and phase. */
  readonly #paces = new Map<number, number[]>();
  /** When the last job ended, and milliseconds of the jobs before that nobody was woken for. */
  #ended = 0;
  #alone = 0;
  #worth = LEAST_MS;

  /** Forgets a module, in whose place another one comes. */
  forget(module: number): void {
    this.#paces.set(module, []);
  }

  /** Milliseconds that a job takes one thread; without end where none of its kind has run. */
  expected({ module, phase, items }: Job): number {
    return items * (this.#paces.get(module)?.[phase] ?? Number.POSITIVE_INFINITY);
  }

  /** Whether to wake everybody for a job that takes one thread so long. */
  isWorth(expected: number): boolean {
    if (performance.now() - this.#ended > SAME_BURST_MS) this.#alone = 0;
    this.#alone += expected;
    if (this.#alone >= this.#worth) {
      this.#alone = 0;
      return true;
    }
    this.#worth = Math.max(LEAST_MS, FORGETTING * this.#worth);
    return false;
  }

  /** Learns from a job that others were woken for: what it would have taken one thread, and took. */
  judge(expected: number, milliseconds: number): void {
    if (expected === Number.POSITIVE_INFINITY) return;
    this.#worth = milliseconds < SUCCESS * expected ? LEAST_MS : Math.min(MOST_MS, 2 * this.#worth);
  }

  /** Takes note of what some items of a job took the caller. */
  note({ module, phase }: Job, items: number, start: number, end: number): void {
    this.#ended = end;
    const paces = this.#paces.get(module);
    if (paces === undefined || items === 0) return;
    const pace = (end - start) / items;
    paces[phase] = Math.min(pace, GROWTH * (paces[phase] ?? pace));
  }
}
