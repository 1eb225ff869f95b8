// Times several things fairly: all are warmed until their times have settled, then they take turns, so that a slow
// minute of the machine falls on all of them. tinybench takes the single samples.

import { Bench } from "tinybench";
import { median, type Summary, summarize } from "./statistics.ts";

/** Something to time. */
export interface Task {
  readonly name: string;
  /** Runs once. One that is timed elsewhere, such as in another process, gives its milliseconds. */
  readonly run: (() => void) | (() => Promise<number>);
  /** Whether `run` gives a promise. */
  readonly async?: boolean;
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

/** Runs that are compared with as many before them to tell whether a task still gets faster. */
const WINDOW = 4;
/** A median that moves by less than this from window to window has settled. */
const SETTLED = 0.03;
/** A turn lasts at least this long, so that short tasks find warm caches for most of their runs. */
const TURN_MS = 10;

/**
 * Warms and times tasks that take turns.
 *
 * @returns the summary of each task by name, or the error that it threw
 */
export async function measure(
  tasks: readonly Task[],
  effort: Effort = USUAL_EFFORT,
): Promise<Map<string, Summary | Error>> {
  const times = new Map<Task, number[]>();
  const errors = new Map<Task, Error>();
  const attempt = async (task: Task, body: () => Promise<void>): Promise<void> => {
    try {
      await body();
    } catch (error) {
      errors.set(task, error instanceof Error ? error : new Error(String(error)));
    }
  };

  for (const task of tasks) {
    await attempt(task, async () => {
      times.set(task, await warm(task, effort));
    });
  }
  const wantsMore = (task: Task): boolean => {
    const taken = times.get(task);
    if (taken === undefined || errors.has(task) || taken.length >= effort.maxRuns) return false;
    return taken.length < effort.minRuns || sum(taken) < effort.seconds * 1000;
  };
  for (let waiting = tasks.filter(wantsMore); waiting.length > 0; waiting = waiting.filter(wantsMore)) {
    for (const task of waiting) {
      const taken = times.get(task)!;
      const usual = taken.length === 0 ? TURN_MS : median(taken);
      const runs = Math.max(1, Math.min(effort.maxRuns - taken.length, Math.round(TURN_MS / usual)));
      await attempt(task, async () => void taken.push(...(await sample(task, runs))));
    }
  }
  return new Map(tasks.map((task) => [task.name, errors.get(task) ?? summarize(times.get(task)!)]));
}

/**
 * Runs a task until the median of its last runs is that of the runs before, or a quarter of its time is gone. A
 * first run that takes all of that quarter is no warming: compiled code has done nearly all of it. It counts.
 *
 * @returns the runs that count
 */
async function warm(task: Task, { seconds }: Effort): Promise<number[]> {
  const taken: number[] = [];
  while (sum(taken) < seconds * 250) {
    taken.push(...(await sample(task, 1)));
    if (taken.length < 2 * WINDOW) continue;
    const last = median(taken.slice(-WINDOW));
    const before = median(taken.slice(-2 * WINDOW, -WINDOW));
    if (Math.abs(last - before) < SETTLED * before) return [];
  }
  return taken.length === 1 ? taken : [];
}

async function sample(task: Task, runs: number): Promise<readonly number[]> {
  const { run } = task;
  const bench = new Bench({ iterations: runs, time: 0, warmup: false, retainSamples: true, throws: true });
  if (task.async) {
    bench.add(task.name, async () => ({ overriddenDuration: (await run()) as number }), { async: true });
  } else bench.add(task.name, run, { async: false });
  await bench.run();
  const { result } = bench.tasks[0];
  if (!("latency" in result)) throw new Error(`${task.name}: gave no time`);
  return result.latency.samples as readonly number[];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
