// saunet screen status, retry, drain, pause, resume: what the queue holds, and what becomes of it.

import { setTimeout as pause } from "node:timers/promises";
import type { Job, Queue } from "bullmq";
import { counted, duration, type Host, print, printLine, untilAsked, writeJson } from "saunet/internal";
import { withQueue } from "./connection.ts";
import type { ScreeningJob } from "./job.ts";

export interface QueueOptions {
  readonly queue?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** Photographs that failed for one reason. */
interface Failure {
  readonly reason: string;
  readonly photographs: number;
  /** One of them. */
  readonly example: string;
}

/** What the queue holds. */
interface Status {
  readonly waiting: number;
  readonly active: number;
  /** That are tried again later. */
  readonly delayed: number;
  readonly failed: number;
  readonly done: number;
  readonly isPaused: boolean;
  readonly workers: number;
  /** Of the last photographs, where there are some of the last minutes. */
  readonly perMinute?: number;
  readonly secondsLeft?: number;
  readonly failures: readonly Failure[];
}

const WATCH_MS = 2000;

export function status(options: QueueOptions, host: Host): Promise<number> {
  return withQueue(host, options.queue, async ({ queue }) => {
    const show = async () => {
      const found = await statusOf(queue);
      if (options.json) writeJson(host, found);
      else print(host, `${describe(found)}\n`);
    };
    await show();
    if (!options.watch) return 0;
    await untilAsked(host, async (signal) => {
      while (!signal.aborted) {
        await pause(WATCH_MS, undefined, { signal }).catch(() => {});
        if (!signal.aborted) await show();
      }
    });
    return 0;
  });
}

async function statusOf(queue: Queue<ScreeningJob>): Promise<Status> {
  const counts = await queue.getJobCounts("waiting", "active", "delayed", "failed");
  const { waiting } = counts;
  const { meta } = await queue.getMetrics("completed", 0, 0);
  const perMinute = await rateOf(queue);
  const left = waiting + counts.active + counts.delayed;
  return {
    waiting,
    active: counts.active,
    delayed: counts.delayed,
    failed: counts.failed,
    done: meta.count,
    isPaused: await queue.isPaused(),
    workers: await queue.getWorkersCount(),
    ...(perMinute !== undefined && { perMinute, secondsLeft: (60 * left) / perMinute }),
    failures: await failuresOf(queue),
  };
}

/** Photographs whose times give the rate, and how old the newest may be. */
const [LAST, RECENT_MS] = [200, 300_000];

async function rateOf(queue: Queue<ScreeningJob>): Promise<number | undefined> {
  const times = (await queue.getCompleted(0, LAST - 1)).map(({ finishedOn = 0 }) => finishedOn);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  if (times.length < 2 || last === first || Date.now() - last > RECENT_MS) return undefined;
  return ((times.length - 1) * 60_000) / (last - first);
}

const PAGE = 1000;

/** Pages of failed jobs, so that no more than one is held. */
async function* failedJobs(queue: Queue<ScreeningJob>): AsyncGenerator<Job<ScreeningJob>> {
  for (let start = 0; ; start += PAGE) {
    const page = await queue.getFailed(start, start + PAGE - 1);
    yield* page;
    if (page.length < PAGE) return;
  }
}

async function failuresOf(queue: Queue<ScreeningJob>): Promise<Failure[]> {
  const reasons = new Map<string, { photographs: number; example: string }>();
  for await (const { failedReason = "", data } of failedJobs(queue)) {
    const reason = failedReason.replaceAll(data.reference, "").replace(/^: /, "");
    const known = reasons.get(reason) ?? { photographs: 0, example: data.reference };
    known.photographs++;
    reasons.set(reason, known);
  }
  return [...reasons]
    .map(([reason, rest]) => ({ reason, ...rest }))
    .sort((a, b) => b.photographs - a.photographs);
}

function describe(found: Status): string {
  const { waiting, active, delayed, failed, done, workers, perMinute, secondsLeft, isPaused, failures } =
    found;
  const rate =
    perMinute === undefined || secondsLeft === undefined
      ? ""
      : `; ${perMinute.toFixed(1)} a minute, ${duration(secondsLeft)} left`;
  return [
    `${waiting} waiting, ${active} being segmented, ${delayed} to be tried again, ${done} done, ${failed} failed`,
    `${counted(workers, "worker")}${isPaused ? ", paused" : ""}${rate}`,
    ...failures.map(({ reason, photographs, example }) => `  ${photographs} failed: ${reason} (${example})`),
  ].join("\n");
}

/** Tries what failed again, from the first try on. */
export function retry(options: QueueOptions, host: Host): Promise<number> {
  return withQueue(host, options.queue, async ({ queue }) => {
    const wanted = await queue.getFailedCount();
    let retried = 0;
    // What fails again meanwhile comes in at the front, so it is the oldest that are taken.
    while (retried < wanted) {
      const page = await queue.getJobs(["failed"], 0, Math.min(PAGE, wanted - retried) - 1, true);
      if (page.length === 0) break;
      for (const job of page)
        await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
      retried += page.length;
    }
    printLine(host, `${counted(retried, "photograph")} to be tried again`);
    return 0;
  });
}

/** Takes out what waits. */
export function drain(options: QueueOptions, host: Host): Promise<number> {
  return withQueue(host, options.queue, async ({ queue }) => {
    const { waiting, delayed } = await queue.getJobCounts("waiting", "delayed");
    await queue.drain(true);
    printLine(
      host,
      `${counted(waiting + delayed, "photograph")} taken out of the queue; what is still wanted has to be submitted again`,
    );
    return 0;
  });
}

export function pauseQueue(options: QueueOptions, host: Host): Promise<number> {
  return withQueue(host, options.queue, async ({ queue }) => {
    await queue.pause();
    printLine(host, "paused: workers finish what they have and take nothing more");
    return 0;
  });
}

export function resume(options: QueueOptions, host: Host): Promise<number> {
  return withQueue(host, options.queue, async ({ queue }) => {
    await queue.resume();
    printLine(host, "resumed");
    return 0;
  });
}
