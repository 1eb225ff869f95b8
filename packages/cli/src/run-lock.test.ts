// Locks of the system, played here: run-folder.test.ts takes true ones.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { WorkError } from "./errors.ts";
import { lockRun } from "./run-lock.ts";
import { keeper } from "./testing.ts";

const system = vi.hoisted(() => ({ tryLock: (): boolean => true }));
vi.mock("fs-native-extensions", () => ({ tryLock: () => system.tryLock() }));

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-lock-"));
});
afterAll(() => rm(here, { recursive: true }));

/** Locks the folder; what is said then. */
async function lock(tryLock: () => boolean): Promise<string> {
  system.tryLock = tryLock;
  const err = keeper();
  const unlock = await lockRun({ stdout: keeper().stream, stderr: err.stream, cwd: here }, ".");
  await unlock();
  return err.text();
}
const content = () => readFile(join(here, ".lock"), "utf8");

it("a folder that is free is locked without a word, and says by whom", async () => {
  await writeFile(join(here, ".lock"), "1234567890123");
  expect([await lock(() => true), await content()]).toEqual(["", String(process.pid)]);
});

it("where the system has no locks, that is said, and work goes on", async () => {
  const noLocks = () => {
    throw new Error("no locks here");
  };
  expect([await lock(noLocks), await content()]).toEqual([
    "saunet: .: cannot be locked, so take care that one process works in it: no locks here\n",
    String(process.pid),
  ]);
});

it.each([
  ["77", "process 77"],
  ["", "another process"],
  ["7 of 9", "another process"],
])("one that is locked is told by what its file says: %j", async (holder, who) => {
  await writeFile(join(here, ".lock"), holder);
  await expect(lock(() => false)).rejects.toThrow(
    new WorkError(`.: ${who} is working in it; one at a time can`),
  );
  expect(await content()).toBe(holder);
});
