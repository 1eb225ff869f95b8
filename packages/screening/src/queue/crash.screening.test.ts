// The whole of crash.slow.test.ts: minutes. `npm run check:screening` runs it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "../testing.ts";
import { canMount, crash } from "./testing-crash.ts";
import { hasRedis } from "./testing-redis.ts";

describe.skipIf(!hasRedis)("2,000 photographs and four workers", () => {
  const folders: string[] = [];
  const folder = async () => {
    const made = await mkdtemp(join(tmpdir(), "saunet-crash-whole-"));
    folders.push(made);
    return made;
  };
  const plan = {
    photographs: 2000,
    unreadable: 20,
    workers: 4,
    killEveryMs: 3000,
    restarts: 2,
    handOver: 10,
  };
  beforeAll(build);
  afterAll(async () => {
    for (const made of folders) await rm(made, { recursive: true, force: true });
  });

  it("workers that are killed, a Redis that is started anew twice, a disk that fills once", async () => {
    const here = await folder();
    const mounts = canMount(here);
    if (!mounts) console.warn("left out: the full disk, since this user may not mount a file system");
    const report = await crash(here, { ...plan, stops: 0, seed: 2, ...(mounts && { fullDiskMs: 8000 }) });
    console.log(report);
    expect(report.kills).toBeGreaterThan(0);
    expect([report.restarts, report.waitedForRoom]).toEqual([2, mounts]);
  }, 1_800_000);

  it("workers that stand still past their locks and go on", async () => {
    const report = await crash(await folder(), { ...plan, stops: 8, seed: 3, handOver: 5 });
    console.log(report);
    expect(report.stopped).toBe(8);
  }, 1_800_000);
});
