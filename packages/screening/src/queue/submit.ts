// saunet screen submit: photographs into the queue.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Redis } from "ioredis";
import {
  complain,
  counted,
  explain,
  FAILED,
  type Host,
  printLine,
  sha256,
  throwIfAsked,
  untilAsked,
  weightsFile,
  withFile,
  writeJson,
} from "saunet/internal";
import type { HowToSegment } from "../compute.ts";
import { type Connected, JOB_OPTIONS, withQueue } from "./connection.ts";
import { idOf, type ScreeningJob } from "./job.ts";
import { hashOf, referencesOf } from "./photographs.ts";
import { isDone } from "./publish.ts";

/** Options of `saunet screen submit`. */
export interface SubmitOptions extends HowToSegment {
  readonly queue?: string;
  readonly out: string;
  readonly weights?: string;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** Photographs that are hashed at once, and added with one command. */
const BATCH = 200;
const HASHED_AT_ONCE = 4;

interface Count {
  submitted: number;
  known: number;
  done: number;
  unreadable: number;
}

export function submit(named: readonly string[], options: SubmitOptions, host: Host): Promise<number> {
  return withQueue(host, options.queue, async (connected) => {
    const { threshold, scale, padTo, maxPixels } = options;
    const out = resolve(host.cwd, options.out);
    const template: Omit<ScreeningJob, "reference" | "sha256"> = {
      out,
      weights: await weightsOf(options, host),
      options: {
        maxPixels,
        ...(threshold !== undefined && { threshold }),
        ...(scale !== undefined && { scale }),
        ...(padTo !== undefined && { padTo }),
      },
    };
    const count: Count = { submitted: 0, known: 0, done: 0, unreadable: 0 };
    const listing = { cwd: host.cwd, input: process.stdin, except: out };
    await untilAsked(host, async (signal) => {
      let batch: string[] = [];
      const send = async () => {
        await addBatch(connected, batch, template, count, host);
        batch = [];
        throwIfAsked(signal, () => `submitted ${counted(count.submitted, "photograph")}`);
      };
      for await (const reference of referencesOf(named, listing)) {
        batch.push(reference);
        if (batch.length === BATCH) await send();
      }
      if (batch.length > 0) await send();
    });
    report(count, options, host);
    return count.unreadable === 0 ? 0 : FAILED;
  });
}

async function weightsOf({ weights }: SubmitOptions, host: Host): Promise<ScreeningJob["weights"]> {
  const hash = await withFile(host, weights ?? weightsFile(undefined), async (path) =>
    sha256(await readFile(path)),
  );
  return { sha256: hash, ...(weights !== undefined && { file: resolve(host.cwd, weights) }) };
}

async function addBatch(
  { queue, redis }: Connected,
  references: readonly string[],
  template: Omit<ScreeningJob, "reference" | "sha256">,
  count: Count,
  host: Host,
): Promise<void> {
  const jobs: ScreeningJob[] = [];
  const rest = references.values();
  const hash = async () => {
    for (const reference of rest) {
      try {
        const job = { ...template, reference, sha256: await hashOf(reference) };
        if (await isDone(job)) count.done++;
        else jobs.push(job);
      } catch (error) {
        count.unreadable++;
        const reason = explain(error);
        complain(host, reason.startsWith(reference) ? reason : `${reference}: ${reason}`);
      }
    }
  };
  await Promise.all(Array.from({ length: HASHED_AT_ONCE }, hash));
  const byId = new Map(jobs.map((job) => [idOf(job), job]));
  const isKnown = await knownOf(queue, redis, [...byId.keys()]);
  const fresh = [...byId].filter((_, index) => !isKnown[index]);
  count.known += jobs.length - fresh.length;
  count.submitted += fresh.length;
  // Two who submit the same at once add it once: a job that is there stays as it is.
  await queue.addBulk(
    fresh.map(([jobId, data]) => ({ name: "photograph", data, opts: { ...JOB_OPTIONS, jobId } })),
  );
}

/** Which jobs the queue has. One that is done, but whose results somebody removed, is forgotten and done again. */
async function knownOf(
  queue: Connected["queue"],
  redis: Redis,
  ids: readonly string[],
): Promise<readonly boolean[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.exists(queue.toKey(id)).zscore(queue.toKey("completed"), id);
  const answers = ((await pipeline.exec()) ?? []).map(([error, found]) => {
    if (error !== null) throw error;
    return found;
  });
  return Promise.all(
    ids.map(async (id, index) => {
      const [exists, done] = answers.slice(2 * index, 2 * index + 2);
      if (done !== null) await queue.remove(id);
      return exists === 1 && done === null;
    }),
  );
}

function report({ submitted, known, done, unreadable }: Count, { json }: SubmitOptions, host: Host): void {
  if (json) {
    writeJson(host, { submitted, known, done, unreadable });
    return;
  }
  const parts = [
    `${counted(submitted, "photograph")} submitted`,
    ...(known > 0 ? [`${known} in the queue already`] : []),
    ...(done > 0 ? [`${done} done already`] : []),
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
  ];
  printLine(host, parts.join(", "));
}
