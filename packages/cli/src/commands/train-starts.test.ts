// The network that a run begins with where no weights are named.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NetworkConfig, saUNet, saUNetV2, withClasses } from "@saunet/model";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { saunet } from "../testing.ts";

vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-starts-"));
});
afterAll(() => rm(here, { recursive: true }));

it.each<[string, string[], NetworkConfig]>([
  ["of its own", [], saUNetV2],
  ["that is named", ["--network", "sa-unet"], saUNet],
  ["that tells classes apart", ["--classes", "vein"], withClasses(saUNetV2, ["vein"])],
  [
    "that is named and tells classes apart",
    ["--network", "sa-unet", "--classes", "artery"],
    withClasses(saUNet, ["artery"]),
  ],
])("saunet train starts with a network %s", async (name, argv, wanted) => {
  const { code, out, err } = await saunet(here, [
    ...["train", "--dataset", "synthetic", "--picture-size", "48", "--validation", "0", "--no-report"],
    ...["--crop", "16", "--batch", "1", "--epochs", "1", "--steps", "1", "--json", "-o", name, ...argv],
  ]);
  expect([code, err]).toEqual([0, ""]);
  const told = JSON.parse(out);
  expect(Object.keys(told)).toEqual([
    ...["network", "ending", "steps", "seconds", "best", "memory", "files"],
  ]);
  expect([told.network, told.ending, told.steps, told.best]).toEqual([wanted.name, "finished", 1, null]);
  expect(JSON.parse(await readFile(join(here, name, "config.json"), "utf8")).network).toEqual(wanted);
});
