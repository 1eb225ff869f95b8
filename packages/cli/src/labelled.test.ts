import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WorkError } from "./errors.ts";
import { labelledSamples, seenBy } from "./labelled.ts";
import { smallFundus, write, writeFolder } from "./testing.ts";

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-labelled-"));
  await writeFolder(here, ["a", "b", "c"]);
});
afterAll(() => rm(here, { recursive: true }));

it("are photographs of up to so many pixels", async () => {
  const [first] = await labelledSamples(here, { dataset: "folder", maxPixels: 48 * 48 }, 1);
  expect((await first.image()).width).toBe(48);
  const [small] = await labelledSamples(here, { dataset: "folder", maxPixels: 48 * 48 - 1 }, 1);
  await expect(small.image()).rejects.toThrow("the limit is 2303");
});

it("are as many as there are, or so many in the order of their names, chosen by the seed", async () => {
  const chosen = async (limit: number | undefined, seed: number) =>
    (await labelledSamples(here, { dataset: "folder", ...(limit !== undefined && { limit }) }, seed)).map(
      ({ id }) => id,
    );
  expect([await chosen(undefined, 1), await chosen(3, 2)]).toEqual([
    ["a", "b", "c"],
    ["a", "b", "c"],
  ]);
  const pairs = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => chosen(2, seed)));
  for (const pair of pairs)
    expect([
      ["a", "b"],
      ["a", "c"],
      ["b", "c"],
    ]).toContainEqual(pair);
  expect(new Set(pairs.map(String)).size).toBeGreaterThan(1);
  await expect(chosen(4, 1)).rejects.toThrow(
    new WorkError("has 3 labelled photographs, but --limit asks for 4"),
  );
});

it("have another observer for the reference where one is asked for, and all others after", async () => {
  const two = join(here, "two");
  await writeFolder(two, ["a"]);
  const { vessels } = smallFundus(2);
  await write(join(two, "masks2", "a.png"), vessels);
  const [first] = await labelledSamples(two, { dataset: "folder" }, 1);
  const [second] = await labelledSamples(two, { dataset: "folder", observer: "masks2" }, 1);
  expect([first.observers, second.observers]).toEqual([
    ["masks", "masks2"],
    ["masks2", "masks"],
  ]);
  expect(await second.vessels()).toEqual(vessels);
  expect(await second.vessels("masks")).toEqual(await first.vessels());
  expect(() => seenBy(first, "who")).toThrow(
    new WorkError("a has no vessels of observer who; there are masks, masks2"),
  );
});
