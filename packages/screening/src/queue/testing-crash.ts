// Photographs through a queue whose workers, Redis and disk fail, and what must be there in the end.

import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { draw, randomState } from "@saunet/core";
import { syntheticFundus } from "@saunet/data";
import { encodePng } from "@saunet/data/files";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { expect } from "vitest";
import { command, type Started, start, writeFreshWeights } from "../testing.ts";
import { QUEUE } from "./connection.ts";
import { startRedis } from "./testing-redis.ts";

/** What happens. */
export interface CrashPlan {
  readonly photographs: number;
  readonly unreadable: number;
  readonly workers: number;
  /** A random worker is killed so often, if something was done since. */
  readonly killEveryMs: number;
  /** So many kills are stops past the lock instead. */
  readonly stops: number;
  readonly restarts: number;
  /** Fill the disk once for so long; needs a file system of its own. */
  readonly fullDiskMs?: number;
  readonly handOver: number;
  readonly seed: number;
}

/** What happened. */
export interface CrashReport {
  readonly kills: number;
  readonly stopped: number;
  readonly restarts: number;
  readonly seconds: number;
  readonly waitedForRoom: boolean;
}

const KINDS = ["probability", "mask", "overlay"];
/** Different pictures; the others differ from them in one pixel. */
const DRAWN = 50;

async function writePhotographs(folder: string, { photographs, unreadable }: CrashPlan): Promise<void> {
  await mkdir(folder);
  const drawn = Array.from({ length: Math.min(DRAWN, photographs) }, (_, seed) =>
    syntheticFundus({ seed, width: 64, height: 64 }),
  );
  for (let number = 0; number < photographs; number++) {
    const { image } = drawn[number % drawn.length];
    const data = Uint8Array.from(image.data);
    // In the middle, where its value matters.
    data.fill(number % 256, 3 * (64 * 32 + 32), 3 * (64 * 32 + 32) + 1 + (number >> 8) / 8);
    await writeFile(join(folder, `p${number}.png`), await encodePng({ ...image, data }));
  }
  const whole = await encodePng(drawn[0].image);
  for (let number = 0; number < unreadable; number++)
    await writeFile(join(folder, `bad${number}.png`), whole.subarray(0, whole.length - 200 - number));
}

const LOOK_MS = 200;

/** Carries a plan out in a folder, and expects all that must hold. */
export async function crash(here: string, plan: CrashPlan): Promise<CrashReport> {
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writePhotographs(join(here, "photographs"), plan);
  const good = Array.from({ length: plan.photographs }, (_, number) => `photographs/p${number}.png`);
  const run = (argv: readonly string[]): Started => start(here, process.execPath, [command, ...argv]);
  const wanted = run(["segment", ...good, "-o", "wanted", "--weights", "tiny.safetensors", "--threads", "1"]);
  expect((await wanted.ended).code).toBe(0);

  await mkdir(join(here, "redis"));
  await mkdir(join(here, "results"));
  if (plan.fullDiskMs !== undefined) mountSmall(join(here, "results"));
  const redis = await startRedis(join(here, "redis"));
  const client = new Redis(redis.url, { maxRetriesPerRequest: null });
  client.on("error", () => {});
  const queue = new Queue(QUEUE, { connection: client });
  queue.on("error", () => {});
  const workers: Started[] = [];
  try {
    const submit = ["screen", "submit", "photographs", "-o", "results", "--weights", "tiny.safetensors"];
    const submitted = await run([...submit, "--queue", redis.url, "--json"]).ended;
    expect(JSON.parse(submitted.out)).toMatchObject({ submitted: plan.photographs + plan.unreadable });
    const work = ["screen", "work", "--queue", redis.url, "--threads", "1"];
    const everyone: Started[] = [];
    const startWorker = () => {
      const worker = run([...work, "--hand-over", String(plan.handOver)]);
      everyone.push(worker);
      return worker;
    };
    for (let n = 0; n < plan.workers; n++) workers.push(startWorker());

    const began = performance.now();
    const random = randomState(plan.seed);
    let [kills, stopped, restarts, isFilled] = [0, 0, 0, false];
    const stopping: Promise<void>[] = [];
    let lastKill = began;
    let leftThen = plan.photographs + plan.unreadable;
    for (;;) {
      await pause(LOOK_MS);
      const { waiting, active, delayed } = await queue.getJobCounts("waiting", "active", "delayed");
      const left = waiting + active + delayed;
      if (left === 0) break;
      const doneShare = 1 - left / (plan.photographs + plan.unreadable);
      if (restarts < plan.restarts && doneShare >= (restarts + 1) / (plan.restarts + 1)) {
        // The second one loses what is in memory; nothing may be in memory alone.
        await redis.restart(restarts++ % 2 === 0 ? "SIGTERM" : "SIGKILL", 500);
        continue;
      }
      if (plan.fullDiskMs !== undefined && !isFilled && doneShare >= 0.4) {
        isFilled = true;
        await fill(join(here, "results"), plan.fullDiskMs);
        continue;
      }
      // Where a worker takes longer to start than it lives, nothing would ever be done. The first kill may come when all that
      // is left is with a worker that was stopped.
      const isStuck = kills > 0 ? left >= leftThen : doneShare === 0;
      if (performance.now() - lastKill < plan.killEveryMs || isStuck) continue;
      [lastKill, leftThen] = [performance.now(), left];
      const at = Math.floor(draw(random) * workers.length);
      // One that was started while Redis was away has ended; whoever runs workers starts it again.
      if (workers[at].child.exitCode !== null) workers[at] = startWorker();
      const { child, ended } = workers[at];
      if (stopped < plan.stops) {
        stopped++;
        child.kill("SIGSTOP");
        stopping.push(pause(2000 * plan.handOver).then(() => void child.kill("SIGCONT")));
      } else if (left > plan.workers || kills === 0) {
        kills++;
        child.kill("SIGKILL");
        await ended;
        workers[at] = startWorker();
      }
    }
    await Promise.all(stopping);
    const seconds = (performance.now() - began) / 1000;
    await pause(1000);
    for (const { child } of workers) child.kill("SIGTERM");
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    // One that has just been started does not listen yet, and one that found no Redis has ended.
    for (const { code, err } of ends)
      if (!/Redis at .*: nothing listens there/.test(err)) expect([0, "SIGTERM"], err).toContain(code);
    await expectAll(here, plan, run);
    await expectFailures(queue, plan);
    const told = await Promise.all(everyone.map(async ({ ended }) => (await ended).err));
    const waitedForRoom = told.some((err) => err.includes("the disk is full; waiting for room"));
    return { kills, stopped, restarts, seconds, waitedForRoom };
  } finally {
    for (const { child } of workers) child.kill("SIGKILL");
    await queue.close();
    client.disconnect();
    await redis.stop();
    if (plan.fullDiskMs !== undefined) spawnSync("umount", [join(here, "results")]);
  }
}

/** Every photograph has one row and three files like those of `saunet segment`, and there is nothing else. */
async function expectAll(
  here: string,
  { photographs }: CrashPlan,
  run: (argv: readonly string[]) => Started,
): Promise<void> {
  const { code, err } = await run(["screen", "collect", "results", "-o", "table.csv"]).ended;
  expect([code, err]).toEqual([0, ""]);
  const [heading, ...rows] = (await readFile(join(here, "table.csv"), "utf8")).trimEnd().split("\n");
  const columns = heading.split(",");
  const seen = new Set<string>();
  for (const row of rows) {
    const cells = Object.fromEntries(row.split(",").map((cell, index) => [columns[index], cell]));
    const name = basename(cells.photograph, ".png");
    seen.add(name);
    for (const kind of KINDS) {
      const found = await readFile(join(here, "results", cells[kind]));
      const wanted = await readFile(join(here, "wanted", `${name}-${kind}.png`));
      if (!found.equals(wanted)) expect.fail(`${cells[kind]} is not the ${kind} that saunet segment writes`);
    }
  }
  expect([rows.length, seen.size]).toEqual([photographs, photographs]);
  const entries = await readdir(join(here, "results"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files.length, "files beside those of the rows").toBe(photographs * (1 + KINDS.length));
  expect(await readdir(join(here, "results", "aside"))).toEqual([]);
}

async function expectFailures(queue: Queue, { unreadable }: CrashPlan): Promise<void> {
  const failed = await queue.getFailed(0, -1);
  expect(failed.map(({ data }) => basename(data.reference)).sort()).toEqual(
    Array.from({ length: unreadable }, (_, number) => `bad${number}.png`).sort(),
  );
  for (const { failedReason } of failed) expect(failedReason).toContain("is damaged or cut short");
}

/** Whether this process may mount a small file system. */
export function canMount(folder: string): boolean {
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).status !== 0) return false;
  spawnSync("umount", [folder]);
  return true;
}

function mountSmall(folder: string): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=200m", "tmpfs", folder]);
  if (status !== 0) throw new Error(`mount: ${stderr}`);
}

/** Fills the disk for a while. */
async function fill(folder: string, ms: number): Promise<void> {
  const ballast = join(folder, "ballast");
  await writeFile(ballast, Buffer.alloc(2 ** 28)).catch(() => {});
  await pause(ms);
  await rm(ballast);
}
