// Times several things fairly: all are warmed until their times have settled, then they take turns, so that a slow
// minute of the machine falls on all of them.

import { median } from "./statistics.ts";
import { sign } from "./watch.ts";

/** Something to time. */
export interface Task {
  readonly name: string;
  /** Runs so many times; gives the milliseconds of each run. What it does beside is not on the clock. */
  readonly sample: (runs: number) => readonly number[] | Promise<readonly number[]>;
}

/** How long to look. */
export interface Effort {
  /** Time that each task may take for its timed runs. */
  readonly seconds: number;
  /** Runs that each task makes in any case, however long they take. */
  readonly minRuns: number;
  /** Runs after which a task has been seen often enough. */
  readonly maxRuns: number;
}

/** What is done where nothing else is said. */
export const USUAL_EFFORT: Effort = { seconds: 2, minRuns: 5, maxRuns: 200 };

/** What a task took. */
export interface Timing {
  /** The runs that count, in their order. */
  readonly samples: readonly number[];
  /** The runs before them, of which none counts: how the compiler and the caches came into their own. */
  readonly warmup: readonly number[];
  /** Whether the task's time had stopped to move when the runs that count began, or does not move among them. */
  readonly settled: boolean;
}

/** Runs that are compared with as many before them to tell whether a task still gets faster. */
const WINDOW = 4;
/** A median that moves by less than this from window to window has settled. */
const SETTLED = 0.03;
/** A turn lasts at least this long, so that short tasks find warm caches for most of their runs. */
const TURN_MS = 10;
/** Warming takes this share of a task's time at most, but at least one run. */
const WARMING = 0.5;

let stopping = false;

/** Has what is being measured end after the turn at hand. */
export function stopMeasuring(): void {
  stopping = true;
}

/** Whether it was asked to end early, so that what was measured has fewer runs than it should. */
export const wasStopped = (): boolean => stopping;

/** A sample is at least so many steps of the clock, so that it is good for a per cent. */
const STEPS = 100;
let step: number | undefined;

/** The smallest step that the clock was seen to make: below a microsecond in Node, much more in browsers. */
function clockStep(): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    smallest = Math.min(smallest, now - start);
  }
  return smallest;
}

/**
 * A task that is timed here. What is too short for the clock runs several times a sample, which is then their mean; not so
 * where something is done before each run.
 */
export function timed(name: string, run: () => void, before?: () => void): Task {
  step ??= clockStep();
  const least = STEPS * step;
  let repeats = 1;
  const once = (): number => {
    before?.();
    const start = performance.now();
    for (let i = 0; i < repeats; i++) run();
    const took = performance.now() - start;
    const one = took / repeats;
    if (took < least && before === undefined) repeats = Math.ceil(Math.min(8 * repeats, (1.2 * least) / one));
    return one;
  };
  return { name, sample: (runs) => Array.from({ length: runs }, once) };
}

/**
 * Warms and times tasks that take turns.
 *
 * @returns the timing of each task by name, or the error that it threw
 */
export async function measure(
  tasks: readonly Task[],
  effort: Effort = USUAL_EFFORT,
): Promise<Map<string, Timing | Error>> {
  const names = tasks.map(({ name }) => name);
  if (new Set(names).size < names.length)
    throw new Error(`measure: two tasks of one name: ${names.join(", ")}`);
  const runs = new Map(tasks.map((task) => [task, { samples: [] as number[], warmup: [] as number[] }]));
  const warmed = new Set<Task>();
  const errors = new Map<Task, Error>();
  const attempt = async (task: Task, body: () => Promise<void>): Promise<void> => {
    sign(task.name);
    try {
      await body();
    } catch (error) {
      errors.set(task, error instanceof Error ? error : new Error(String(error)));
    }
    // Messages, such as the one to stop, arrive between turns.
    await new Promise<void>((resolve) => setTimeout(resolve));
  };

  for (const task of tasks)
    if (!stopping)
      await attempt(task, async () => {
        if (await warm(task, effort, runs.get(task)!.warmup)) warmed.add(task);
      });
  const wantsMore = (task: Task): boolean => {
    const { samples } = runs.get(task)!;
    if (stopping || errors.has(task) || samples.length >= effort.maxRuns) return false;
    return samples.length < effort.minRuns || sum(samples) < effort.seconds * 1000;
  };
  for (let waiting = tasks.filter(wantsMore); waiting.length > 0; waiting = waiting.filter(wantsMore))
    for (const task of waiting) {
      const { samples, warmup } = runs.get(task)!;
      const usual = median(samples.length > 0 ? samples : warmup.slice(-WINDOW));
      const turn = Math.max(1, Math.min(effort.maxRuns - samples.length, Math.round(TURN_MS / usual)));
      await attempt(task, async () => void samples.push(...(await task.sample(turn))));
    }
  return new Map(
    tasks.map((task) => {
      const { samples, warmup } = runs.get(task)!;
      const none = samples.length === 0 ? new Error("was stopped before it ran") : undefined;
      const settled = warmed.has(task) || isSteady(samples);
      return [task.name, errors.get(task) ?? none ?? { samples, warmup, settled }];
    }),
  );
}

/**
 * Runs a task until the median of its last runs is that of the runs before, or half of its time is gone.
 *
 * @returns whether it has settled
 */
async function warm(task: Task, { seconds }: Effort, taken: number[]): Promise<boolean> {
  do {
    taken.push(...(await task.sample(1)));
    sign(task.name);
    if (taken.length < 2 * WINDOW) continue;
    const last = median(taken.slice(-WINDOW));
    const before = median(taken.slice(-2 * WINDOW, -WINDOW));
    if (Math.abs(last - before) < SETTLED * before) return true;
  } while (sum(taken) < seconds * 1000 * WARMING && !stopping);
  return false;
}

/** Whether the second half of some runs took as long as the first; so few runs as make no window cannot tell. */
function isSteady(samples: readonly number[]): boolean {
  if (samples.length < 2 * WINDOW) return false;
  const half = samples.length >> 1;
  const first = median(samples.slice(0, half));
  return Math.abs(median(samples.slice(half)) - first) < SETTLED * first;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
