// What `saunet evaluate` refuses, word by word, before it has evaluated anything; and what it says of images that failed.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClasses } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saunet, tiny, writeFolder, writeFreshWeights } from "../testing.ts";

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-refuses-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFreshWeights(join(here, "classes.safetensors"), withClasses(tiny, ["artery", "vein"]));
  await writeFolder(join(here, "set"), ["a", "b"]);
  await writeFolder(join(here, "damaged"), ["a", "b"]);
  for (const name of ["a", "b"])
    await writeFile(join(here, "damaged", "images", `${name}.png`), "no picture");
});
afterAll(() => rm(here, { recursive: true }));

const evaluate = (...argv: readonly string[]) => saunet(here, ["evaluate", "--threads", "1", ...argv]);
const folder = ["--dataset", "folder", "--data", "set", "--weights", "tiny.safetensors"];
const synthetic = ["--dataset", "synthetic", "--images", "1", "--picture-size", "48", "--weights"];

describe("saunet evaluate", () => {
  it.each<[readonly string[], string]>([
    [["--dataset", "folder"], "required option '--data <folder>' not specified"],
    [
      [...synthetic, "tiny.safetensors", "--data", "set"],
      "option '--data <folder>' does not go with '--dataset synthetic'",
    ],
    [
      [...synthetic, "tiny.safetensors", "--split", "test"],
      "option '--split <part>' does not go with '--dataset synthetic'",
    ],
    [
      [...synthetic, "tiny.safetensors", "--fit-threshold"],
      "option '--fit-threshold' wants training images, which '--dataset synthetic' has not",
    ],
    [[...folder, "--images", "3"], "option '--images <n>' goes with '--dataset synthetic' only"],
    [[...folder, "--picture-size", "64"], "option '--picture-size <n>' goes with '--dataset synthetic' only"],
    [
      [...folder, "--fit-threshold"],
      "option '--fit-threshold': a plain folder has no training images to fit a threshold to",
    ],
    [
      [...synthetic, "classes.safetensors", "--threshold", "0.5"],
      "option '--threshold <p>' does not go with weights that tell classes apart",
    ],
    [
      [...synthetic, "classes.safetensors", "--tta"],
      "option '--tta' does not go with weights that tell classes apart",
    ],
  ])("refuses %j", async (argv, message) => {
    expect(await evaluate(...argv)).toEqual({ code: 2, out: "", err: `saunet: ${message}\n` });
  });

  it("refuses classes where masks tell none apart, and says which they are", async () => {
    const argv = ["--dataset", "folder", "--data", "set", "--weights", "classes.safetensors"];
    expect(await evaluate(...argv)).toEqual({
      ...{ code: 1, out: "" },
      err: "saunet: classes.safetensors: tells classes apart (background, artery, vein), which masks of vessels do not; --dataset synthetic does\n",
    });
  });

  it("refuses weights for other pictures by their name", async () => {
    await writeFreshWeights(join(here, "grey.safetensors"), { ...tiny, inputChannels: 1 });
    const argv = ["--dataset", "folder", "--data", "set", "--weights", "grey.safetensors"];
    expect(await evaluate(...argv)).toEqual({
      ...{ code: 1, out: "" },
      err: "saunet: grey.safetensors: segmenterOf: the network takes 1 channels, but photographs have 3 (RGB)\n",
    });
  });

  it("tells of each image that failed, and that none is left", async () => {
    const { code, err } = await evaluate(
      "--dataset",
      "folder",
      "--data",
      "damaged",
      "--weights",
      "tiny.safetensors",
    );
    expect(code).toBe(1);
    const lines = err.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    for (const name of ["a", "b"])
      expect(err).toMatch(new RegExp(`^saunet: ${name}: .*${name}\\.png: is not a picture`, "m"));
    expect(lines.at(-1)).toBe("saunet: damaged: no image could be evaluated");
  });

  it("says of how many images the figures are where some failed", async () => {
    await writeFolder(join(here, "partly"), ["a", "b", "c"]);
    await writeFile(join(here, "partly", "images", "b.png"), "no picture");
    const argv = ["--dataset", "folder", "--data", "partly", "--weights", "tiny.safetensors"];
    const { code, out } = await evaluate(...argv);
    expect([code, out]).toEqual([1, expect.stringContaining("2 of 3 images")]);
    const { images, failed } = JSON.parse((await evaluate(...argv, "--json")).out);
    expect([images.map(({ id }: { id: string }) => id), failed.length]).toEqual([["a", "c"], 1]);
  });

  it("ends where it is asked to, and says what was done", async () => {
    const host = {
      onEndRequest: (
        listener: (request: { exitCode: number; reason: string; isSignal: boolean }) => void,
      ) => {
        listener({ exitCode: 130, reason: "SIGINT", isSignal: true });
        return () => {};
      },
    };
    for (const argv of [folder, [...synthetic, "classes.safetensors"]]) {
      const { code, err } = await saunet(here, ["evaluate", "--threads", "1", ...argv], host);
      const count = argv === folder ? 2 : 1;
      expect([code, err]).toEqual([
        130,
        `saunet: SIGINT: evaluated 0 of ${count === 1 ? "1 image" : "2 images"}, nothing was written\n`,
      ]);
    }
  });
});
