// saunet screen work: takes photographs from the queue, as many as it computes and no more, and publishes their results.
// This process holds the locks and renews them; its children compute.

import { hostname } from "node:os";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Job, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { complain, duration, type Host, printLine, untilAsked } from "saunet/internal";
import { type Answer, PhotographError } from "../compute.ts";
import { type Computer, startComputer } from "../computer.ts";
import { connect, QUEUE } from "./connection.ts";
import { idOf, placesOf, type ScreeningJob } from "./job.ts";
import { clearAside, isDone, NotOursError, publish } from "./publish.ts";

/** Options of `saunet screen work`. */
export interface WorkOptions {
  readonly queue?: string;
  readonly concurrency: number;
  readonly threads?: number;
  /** Time for a photograph. */
  readonly seconds: number;
  /** Seconds after which a photograph whose worker is silent goes to another one. */
  readonly handOver: number;
  /** Seconds that what is at hand may take after SIGTERM; then it is given back. Kubernetes waits for 30. */
  readonly grace: number;
  readonly untilEmpty?: boolean;
}

/**
 * A worker may die with a photograph so often before it is given up: a worker's death is hardly ever the photograph's
 * fault, since children compute.
 */
const DEATHS = 10;

/** Giving back takes less than this, unless Redis is gone. */
const GIVING_BACK_MS = 5000;

/** Pauses while a disk is full. */
const [SHORTEST_WAIT_MS, LONGEST_WAIT_MS] = [1000, 30_000];

/** Two weeks by the minute: the counter beside them never ends. */
const METRICS = { maxDataPoints: 20_160 };

/** The worker's end, or this photograph's time. */
interface Ends {
  /** The command was asked to end. */
  readonly asked: AbortSignal;
  /** What is at hand is given back. */
  readonly now: AbortSignal;
}

export async function work(options: WorkOptions, version: string, host: Host): Promise<number> {
  const redis = await connect(host, options.queue, {
    // A worker outlives a restart of Redis.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(times * 100, 2000),
  });
  const copies = copiesOf(redis);
  const tell = onceInAWhile((line) => complain(host, line));
  const free: Computer[] = Array.from({ length: options.concurrency }, () =>
    startComputer({ threads: options.threads, onTrouble: tell }),
  );
  const computers = [...free];
  const name = `${hostname()}-${process.pid}`;
  const giveBack = new AbortController();
  try {
    await untilAsked(host, async (asked) => {
      const ends = { asked, now: giveBack.signal };
      const process = async (job: Job<ScreeningJob>, token = "") => {
        const isOurs = async () => (await redis.get(`${worker.toKey(job.id ?? "")}:lock`)) === token;
        const computer = free.pop() as Computer;
        try {
          const doer = { worker: name, version, tries: job.attemptsMade + 1 };
          const line = await segmentOne(job.data, computer, doer, { options, ends, isOurs, tell });
          printLine(host, line);
        } catch (error) {
          throw await refusalOf(error, job, token, ends);
        } finally {
          free.push(computer);
        }
      };
      // A lock runs out a third after the last renewal; the first check after that marks the photograph, the next one
      // hands it on. Redis takes whole milliseconds alone.
      const third = Math.round((options.handOver * 1000) / 3);
      const worker = new Worker<ScreeningJob>(QUEUE, process, {
        connection: redis,
        name,
        concurrency: options.concurrency,
        lockDuration: third,
        stalledInterval: third,
        maxStalledCount: DEATHS,
        metrics: METRICS,
        // So long a worker that waits for work needs to notice that Redis has come back.
        drainDelay: 2,
      });
      worker.on("error", (error) => tell(`Redis: ${error.message}`));
      worker.on("failed", (job, error) => tell(`${error.message} (${retriesOf(job)})`));
      await endOf(asked, options, worker, redis);
      // Nothing new is taken; what is at hand is finished, or given back.
      const graceMs = options.grace * 1000;
      const grace = setTimeoutOf(graceMs, () => giveBack.abort());
      // Without Redis nothing at hand can be finished: its lock runs out there.
      const isAway = redis.status !== "ready";
      await Promise.race([worker.close(isAway), pause(graceMs + GIVING_BACK_MS, undefined, { ref: false })]);
      grace();
    });
  } finally {
    for (const computer of computers) computer.close();
    for (const connection of [redis, ...copies]) connection.disconnect();
  }
  return 0;
}

/**
 * The copies that BullMQ makes of a connection, from now on. It leaves them trying to connect when it is closed while Redis
 * is away, which would keep the process alive.
 */
function copiesOf(redis: Redis): readonly Redis[] {
  const copies: Redis[] = [];
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => {
    const copy = duplicate(override);
    copies.push(copy);
    return copy;
  };
  return copies;
}

/** What segmenting one photograph needs to know. */
interface Around {
  readonly options: WorkOptions;
  readonly ends: Ends;
  readonly isOurs: () => Promise<boolean>;
  readonly tell: (line: string) => void;
}

/** @returns a line about it */
async function segmentOne(
  job: ScreeningJob,
  computer: Computer,
  doer: Parameters<typeof publish>[2],
  { options, ends, isOurs, tell }: Around,
): Promise<string> {
  if (await isDone(job)) {
    await clearAside(job);
    return `${job.reference}: was done already`;
  }
  const late = AbortSignal.timeout(options.seconds * 1000);
  const answer = await computer
    .segment(
      {
        source: { reference: job.reference, sha256: job.sha256 },
        weights: job.weights,
        options: job.options,
        pictures: "all",
        arrays: [],
      },
      AbortSignal.any([late, ends.now]),
    )
    .catch((error: unknown) => {
      if (late.aborted && error === late.reason)
        throw new Error(`${job.reference}: took longer than ${options.seconds} seconds`);
      throw error;
    });
  await publishWhenThereIsRoom(job, answer, doer, { ends, isOurs, tell });
  const { width, height, networkSeconds } = answer.figures;
  const where = placesOf(job, idOf(job)).picture("*");
  return `${job.reference}: ${width}x${height} in ${duration(networkSeconds)} -> ${resolve(job.out, where)}`;
}

const FULL = ["ENOSPC", "EDQUOT"];

/** A full disk is no photograph's fault, and would fail one after the other: the worker waits for room. */
async function publishWhenThereIsRoom(
  job: ScreeningJob,
  answer: Answer,
  doer: Parameters<typeof publish>[2],
  { ends, isOurs, tell }: Omit<Around, "options">,
): Promise<void> {
  for (let wait = SHORTEST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await publish(job, answer, doer, isOurs);
    } catch (error) {
      if (!FULL.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      tell(`${job.out}: the disk is full; waiting for room`);
      // Whoever asks the worker to end does not wait for room.
      await pause(wait, undefined, { signal: ends.asked }).catch(() => {});
      ends.asked.throwIfAborted();
    }
  }
}

/** What BullMQ is told of a failure: try again later, never, or that the photograph was given back. */
async function refusalOf(
  error: unknown,
  job: Job<ScreeningJob>,
  token: string,
  { asked, now }: Ends,
): Promise<Error> {
  if (now.aborted || (asked.aborted && error === asked.reason)) {
    await job.moveToWait(token);
    return new WaitingError();
  }
  if (error instanceof PhotographError) return new UnrecoverableError(error.message);
  const { message } = error as Error;
  return message.startsWith(job.data.reference) || error instanceof NotOursError
    ? (error as Error)
    : new Error(`${job.data.reference}: ${message}`);
}

function retriesOf(job: Job<ScreeningJob> | undefined): string {
  if (job === undefined) return "another worker has it";
  const left = (job.opts.attempts ?? 1) - job.attemptsMade;
  return job.finishedOn === undefined && left > 0 ? "it is tried again" : "given up; saunet screen retry";
}

/** How often a queue that is worked off until it is empty is looked at. */
const LOOK_MS = 500;

/** Resolves when the command is asked to end, or the queue is empty and that is wanted. */
async function endOf(
  asked: AbortSignal,
  { untilEmpty }: WorkOptions,
  worker: Worker<ScreeningJob>,
  redis: Redis,
): Promise<void> {
  if (asked.aborted) return;
  // A question may wait for a Redis that is away.
  const isAsked = new Promise<true>((resolve) =>
    asked.addEventListener("abort", () => resolve(true), { once: true }),
  );
  if (!untilEmpty) {
    await isAsked;
    return;
  }
  const look = async () => {
    await pause(LOOK_MS, undefined, { signal: asked });
    return isEmpty(worker, redis);
  };
  while (!(await Promise.race([isAsked, look().catch(() => asked.aborted)])));
}

async function isEmpty(worker: Worker<ScreeningJob>, redis: Redis): Promise<boolean> {
  const [waiting, active, delayed] = await Promise.all([
    redis.llen(worker.toKey("wait")),
    redis.llen(worker.toKey("active")),
    redis.zcard(worker.toKey("delayed")),
  ]);
  return waiting + active + delayed === 0;
}

/** Calls later, unless what is returned is called before. */
function setTimeoutOf(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms).unref();
  return () => clearTimeout(timer);
}

/** The same line is not told again for so long: a Redis that is away complains at every try to reach it. */
const AGAIN_MS = 10_000;

function onceInAWhile(tell: (line: string) => void): (line: string) => void {
  const told = new Map<string, number>();
  return (line) => {
    const now = performance.now();
    if (now - (told.get(line) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    if (told.size > 100) told.clear();
    told.set(line, now);
    tell(line);
  };
}
