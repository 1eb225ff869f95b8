// The queue under small disasters; `npm run check:screening` has large ones.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "../testing.ts";
import { crash } from "./testing-crash.ts";
import { hasRedis } from "./testing-redis.ts";

describe.skipIf(!hasRedis)("the queue", () => {
  let here: string;
  beforeAll(async () => {
    await build();
    here = await mkdtemp(join(tmpdir(), "saunet-crash-queue-"));
  });
  afterAll(() => rm(here, { recursive: true, force: true }));

  it("loses no photograph and does none twice, whatever is killed, stopped or started anew", async () => {
    const report = await crash(here, {
      ...{
        photographs: 120,
        unreadable: 2,
        workers: 2,
        killEveryMs: 1500,
        stops: 1,
        restarts: 1,
        handOver: 3,
      },
      seed: 1,
    });
    expect(report.kills).toBeGreaterThan(0);
    expect([report.stopped, report.restarts]).toEqual([1, 1]);
  });
});
