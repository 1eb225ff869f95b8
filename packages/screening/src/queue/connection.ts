// The connection to Redis, and the queue in it.

import { Queue } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import { complain, type Host, UsageError, WorkError } from "saunet/internal";
import type { ScreeningJob } from "./job.ts";

export const QUEUE = "saunet-screening";

/** Jobs that are done and stay in Redis, for the rate; their results are in the folder. */
const DONE_KEPT = 1000;
/** Tries of a job, 5 s after the first and 10 s after the second failure. */
const TRIES = 3;
const FIRST_PAUSE_MS = 5000;

/** How a job is kept and tried. */
export const JOB_OPTIONS = {
  attempts: TRIES,
  backoff: { type: "exponential", delay: FIRST_PAUSE_MS },
  removeOnComplete: { count: DONE_KEPT },
  // The reason is told, not where in the code it arose.
  stackTraceLimit: 0,
} as const;

export interface Connected {
  readonly redis: Redis;
  readonly queue: Queue<ScreeningJob>;
}

/**
 * Does something with the queue, and ends the connection.
 *
 * @param url where Redis is; default SAUNET_QUEUE
 * @throws WorkError where it cannot be reached
 */
export async function withQueue<T>(
  host: Host,
  url: string | undefined,
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  const redis = await connect(host, url, {
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => (times > 3 ? null : 500),
  });
  const queue = new Queue<ScreeningJob>(QUEUE, { connection: redis });
  queue.on("error", () => {});
  try {
    return await work({ redis, queue });
  } catch (error) {
    throw connectionError(error, placeOf(url)) ?? error;
  } finally {
    await queue.close();
    redis.disconnect();
  }
}

/** Where Redis is, without the password. */
export function placeOf(url: string | undefined): string {
  const { hostname, port } = addressOf(url);
  return `${hostname}:${port || 6379}`;
}

/** @throws UsageError where there is no address of a Redis */
export function addressOf(url: string | undefined = process.env.SAUNET_QUEUE): URL {
  if (url === undefined)
    throw new UsageError("where is the queue? --queue redis://localhost:6379, or SAUNET_QUEUE");
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url))
    throw new UsageError(
      "option '--queue <url>' must be redis://HOST:PORT, or rediss://USER:PASSWORD@HOST:PORT with TLS",
    );
  return new URL(url);
}

/** Connects, and says what of Redis's settings would lose photographs. */
export async function connect(host: Host, url: string | undefined, options: RedisOptions): Promise<Redis> {
  const address = addressOf(url);
  const redis = new Redis(address.href, { ...options, lazyConnect: true, connectTimeout: 10_000 });
  let reason: Error | undefined;
  redis.on("error", (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    const place = placeOf(url);
    const cause = reason ?? (error as Error);
    throw connectionError(cause, place) ?? new WorkError(`Redis at ${place}: ${cause.message}`, { cause });
  }
  for (const line of await doubtsOf(redis)) complain(host, line);
  return redis;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such machine",
  ETIMEDOUT: "it does not answer",
  ECONNRESET: "it closed the connection; does it want TLS (rediss://)?",
  EHOSTUNREACH: "it cannot be reached",
};

function connectionError(error: unknown, place: string): WorkError | undefined {
  const { code = "", name = "", message = "" } = error as NodeJS.ErrnoException;
  const isAbout =
    REASONS[code] ?? (/MaxRetries|Connection is closed/.test(name + message) ? "it is gone" : "");
  const refused = /NOAUTH|WRONGPASS|NOPERM|invalid password/.test(message)
    ? "the password is wrong or missing"
    : "";
  const reason = refused || isAbout;
  return reason === "" ? undefined : new WorkError(`Redis at ${place}: ${reason}`, { cause: error });
}

async function doubtsOf(redis: Redis): Promise<string[]> {
  const info = await redis.info().catch(() => "");
  return [
    ...(/^maxmemory_policy:(?!noeviction)/m.test(info)
      ? ["Redis may throw jobs away when its memory is full: set maxmemory-policy noeviction"]
      : []),
    ...(/^aof_enabled:0/m.test(info)
      ? ["a restart of Redis may lose photographs that wait: set appendonly yes"]
      : []),
  ];
}
