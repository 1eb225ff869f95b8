import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { labelledSamples } from "./labelled.ts";
import { writeFolder } from "./testing.ts";

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
