import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { saunet, smallFundus, write, writeFolder, writeFreshWeights } from "../testing.ts";

vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-train-reports-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
});
afterAll(() => rm(here, { recursive: true }));

async function train(dataset: string) {
  const { code, out } = await saunet(here, [
    ...["train", "--dataset", dataset, "--data", dataset, "-o", "run", "--weights", "tiny.safetensors"],
    ...["--crop", "16", "--batch", "1", "--epochs", "1", "--steps", "1", "--json"],
  ]);
  const { sets } = JSON.parse(await readFile(join(here, "run", "evaluation.json"), "utf8"));
  await rm(join(here, "run"), { recursive: true });
  return { code, told: JSON.parse(out), sets };
}

it("a run on a plain folder is not tested on what it has learned from", async () => {
  await writeFolder(join(here, "folder"), ["a", "b"]);
  const { code, told, sets } = await train("folder");
  expect([code, sets]).toEqual([0, []]);
  expect(told).not.toHaveProperty("failed");
});

it("a run on a data set is tested on its other part, and names the images that could not be", async () => {
  for (const part of ["train", "test"])
    for (const [i, name] of ["1_A", "2_A"].entries()) {
      const { image, vessels } = smallFundus(1 + i);
      await write(join(here, "fives", part, "Original", `${name}.png`), image);
      await write(join(here, "fives", part, "Ground truth", `${name}.png`), vessels);
    }
  await writeFile(join(here, "fives", "test", "Ground truth", "2_A.png"), "no picture");
  const { code, told, sets } = await train("fives");
  expect([code, told.failed]).toEqual([0, ["test/2_A"]]);
  expect(sets.map(({ images }: { images: { id: string }[] }) => images.map(({ id }) => id))).toEqual([
    ["test/1_A"],
  ]);
});
