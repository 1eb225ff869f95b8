import { beforeEach, expect, it, vi } from "vitest";
import { forgetRun, keepPictures, keepRun, keptPictures, keptRun } from "./kept-run.ts";

const store = vi.hoisted(() => ({ kept: new Map<string, unknown>(), keeps: true }));
vi.mock("idb-keyval", () => {
  const ask = async <T>(answer: () => T): Promise<T> => {
    if (!store.keeps) throw new Error("no storage");
    return answer();
  };
  return {
    get: (key: string) => ask(() => store.kept.get(key)),
    set: (key: string, value: unknown) => ask(() => void store.kept.set(key, value)),
    delMany: (keys: string[]) =>
      ask(() => {
        for (const key of keys) store.kept.delete(key);
      }),
  };
});

beforeEach(() => {
  store.kept.clear();
  store.keeps = true;
});
const run = { step: 3, checkpoint: Uint8Array.of(1), learningRate: 20 } as never;

it("keeps a run and its pictures apart, and forgets both", async () => {
  expect([await keptRun(), await keptPictures()]).toEqual([undefined, { pictures: [] }]);
  await keepRun(run);
  await keepPictures({ pictures: [{ name: "a.png" } as never] });
  expect([await keptRun(), await keptPictures()]).toEqual([run, { pictures: [{ name: "a.png" }] }]);
  await forgetRun();
  expect([await keptRun(), await keptPictures(), store.kept.size]).toEqual([undefined, { pictures: [] }, 0]);
});

it("has nothing, and forgets nothing, where a browser keeps nothing; whoever keeps something hears of it", async () => {
  store.keeps = false;
  expect([await keptRun(), await keptPictures(), await forgetRun()]).toEqual([
    undefined,
    { pictures: [] },
    undefined,
  ]);
  await expect(keepRun(run)).rejects.toThrow("no storage");
  await expect(keepPictures({ pictures: [] })).rejects.toThrow("no storage");
});
