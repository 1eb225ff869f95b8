import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClasses } from "@saunet/model";
import { expect, it, onTestFinished, vi } from "vitest";
import { saunet, tiny, writeFreshWeights } from "../testing.ts";
import { watchPrograms } from "../testing-engine.ts";

vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

it("saunet evaluate gives the memory of a network that tells classes apart back", async () => {
  const here = await mkdtemp(join(tmpdir(), "saunet-evaluate-classes-"));
  onTestFinished(() => rm(here, { recursive: true }));
  await writeFreshWeights(join(here, "classes.safetensors"), withClasses(tiny, ["vein"]));
  const programs = await watchPrograms();
  const argv = ["evaluate", "--dataset", "synthetic", "--images", "1", "--picture-size", "48"];
  const { code, err } = await saunet(here, [...argv, "--weights", "classes.safetensors"]);
  expect([code, err]).toEqual([0, ""]);
  expect([programs.prepared, programs.held.size]).toEqual([1, 0]);
});
