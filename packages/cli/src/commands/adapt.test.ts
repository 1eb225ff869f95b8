import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSegmenter, readWeights, withClasses } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Host } from "../output.ts";
import { keeper, saunet, tiny, write, writeFolder, writeFreshWeights } from "../testing.ts";

const ids = ["a", "b", "c", "d", "e"];
let here: string;
const run = (...argv: string[]) => saunet(here, argv);
const folder = ["--dataset", "folder", "--data", "set"];
const short = ["--crop", "16", "--batch", "2", "--epochs", "2", "--steps", "2"];
const adapt = (out: string, ...argv: string[]) => run("adapt", ...folder, "-o", out, ...argv);
const weightsIn = async (file: string) => readWeights(await readFile(join(here, file)));
const configOf = async (out: string) => JSON.parse(await readFile(join(here, out, "config.json"), "utf8"));

/** F1 of weights on a photograph of the set, as evaluate gives it. */
async function f1Of(weights: string[], id: string): Promise<number> {
  const { out } = await run("evaluate", ...folder, ...weights, "--json");
  return JSON.parse(out).images.find((image: { id: string }) => image.id === id).full.f1;
}

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-adapt-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ids);
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet adapt", () => {
  it("leaves weights that do better on the photographs kept back, which it learned nothing from", async () => {
    const learning = [
      "--crop",
      "32",
      "--batch",
      "3",
      "--epochs",
      "2",
      "--steps",
      "30",
      "--learning-rate",
      "5e-3",
    ];
    const { code, out } = await adapt("better", "--weights", "tiny.safetensors", ...learning, "--json");
    expect(code).toBe(0);
    const { best, startF1, files } = JSON.parse(out);
    expect(files.best).toBe(join("better", "best.safetensors"));
    expect(best.epoch).toBeGreaterThan(0);
    expect(best.f1).toBeGreaterThan(startF1);
    const { validation, training, judgeStart } = await configOf("better");
    expect([validation.length, training.length, judgeStart]).toEqual([1, 4, true]);
    expect(await f1Of(["--weights", "tiny.safetensors"], validation[0])).toBeCloseTo(startF1, 12);
    expect(await f1Of(["--weights", files.best], validation[0])).toBeCloseTo(best.f1, 12);
  });

  it("leaves the weights as they were where no epoch does better", async () => {
    const { code, out } = await adapt(
      "worse",
      ...short,
      "--epochs",
      "1",
      "--steps",
      "6",
      "--learning-rate",
      "5",
    );
    expect(code).toBe(0);
    expect(out).toMatch(
      /^before: F1 (0\.\d{4})\n.*\nno epoch did better than F1 \1 on 1 photograph kept back: the weights stay as they were\n/s,
    );
    const [best, start] = [await weightsIn("worse/best.safetensors"), await loadSegmenter()];
    for (const [name, { data }] of Object.entries(start.parameters)) {
      expect(best.parameters[name].data, name).toEqual(data);
    }
    expect(best.metadata.scale).toBe("auto");
  });

  it("takes some of the photographs, and another observer's vessels", async () => {
    await cp(join(here, "set"), join(here, "two"), { recursive: true });
    await cp(join(here, "set", "masks"), join(here, "two", "masks2"), { recursive: true });
    const argv = ["--data", "two", "--limit", "3", "--seed", "4", "--observer", "masks2", ...short];
    expect((await adapt("some", "--weights", "tiny.safetensors", ...argv)).code).toBe(0);
    const { sets, training, validation } = await configOf("some");
    expect(sets).toEqual([{ dataset: "folder", data: join(here, "two"), limit: 3, observer: "masks2" }]);
    expect([training.length, validation.length]).toEqual([2, 1]);
  });

  it("learns what every observer drew, each photograph as often as it was drawn", async () => {
    await cp(join(here, "set"), join(here, "drawn"), { recursive: true });
    await cp(join(here, "set", "masks"), join(here, "drawn", "masks2"), { recursive: true });
    const argv = [
      "--dataset",
      "folder",
      "--data",
      "drawn",
      "--observer",
      "all",
      "--weights",
      "tiny.safetensors",
    ];
    const once = ["--epochs", "1", "--steps", "1", "--crop", "32", "--batch", "1", "--validation", "1"];
    const { code, err } = await run("train", ...argv, ...once, "--no-report", "-o", "all");
    expect([code, err]).toEqual([0, ""]);
    const { training, validation } = await configOf("all");
    expect([...training, ...validation].sort()).toEqual(
      ids.flatMap((id) => [`${id}, drawn by masks`, `${id}, drawn by masks2`]),
    );
    // Both drawings of a photograph are kept back, or none.
    expect(new Set(validation.map((id: string) => id[0])).size).toBe(1);
  });

  it("goes on where it was interrupted, with the decision still open", async () => {
    const ctrlC = { exitCode: 130, reason: "SIGINT", isSignal: true };
    const argv = ["adapt", ...folder, "--weights", "tiny.safetensors", ...short, "--steps", "20", "-o"];
    await run(...argv, "whole");
    const log = keeper();
    const onEndRequest: Host["onEndRequest"] = (listener) => {
      // After the first epoch.
      const timer = setInterval(() => log.text().includes("epoch 1:") && listener(ctrlC), 1);
      return () => clearInterval(timer);
    };
    const cut = await saunet(here, [...argv, "cut"], { stdout: log.stream, onEndRequest });
    expect(cut.code).toBe(130);
    const resumed = await run("train", "--resume", "cut");
    expect([resumed.code, resumed.err]).toEqual([0, ""]);
    expect(await readFile(join(here, "cut", "best.safetensors"))).toEqual(
      await readFile(join(here, "whole", "best.safetensors")),
    );
  });

  it("refuses masks without a vessel, of all to learn from or of all kept back", async () => {
    const argv = ["--weights", "tiny.safetensors", ...short];
    const empty = { width: 48, height: 48, data: new Uint8Array(48 * 48) };
    const { code } = await adapt("both", ...argv);
    expect(code).toBe(0);
    const { training, validation } = await configOf("both");
    const blank = async (data: string, blanks: readonly string[]) => {
      await cp(join(here, "set"), join(here, data), { recursive: true });
      for (const id of blanks) await write(join(here, data, "masks", `${id}.png`), empty);
    };
    const refusal = async (data: string, out: string) => {
      const found = await adapt(out, ...argv, "--data", data);
      expect(existsSync(join(here, out)), out).toBe(false);
      return [found.code, found.err];
    };
    await blank("nothing-learned", training);
    expect(await refusal("nothing-learned", "learned")).toEqual([
      1,
      "saunet: no photograph to train on has a vessel in its mask\n",
    ]);
    await blank("nothing-kept", validation);
    expect(await refusal("nothing-kept", "kept")).toEqual([
      1,
      `saunet: none of the photographs kept back (${validation[0]}) has a vessel in its mask, so they decide nothing; another --seed keeps others back\n`,
    ]);
    await blank("one-without", training.slice(1));
    expect((await adapt("without", ...argv, "--data", "one-without")).code).toBe(0);
  });

  it("refuses a single photograph, no folder of its own, and weights that tell classes apart", async () => {
    const single = await adapt("single", "--limit", "1", "--weights", "tiny.safetensors", ...short);
    expect([single.code, single.err]).toEqual([
      1,
      expect.stringContaining("1 training image: too few to keep 1 back"),
    ]);
    const classes = withClasses(tiny, ["artery", "vein"]);
    await writeFreshWeights(join(here, "classes.safetensors"), classes);
    const told = await adapt("told", "--weights", "classes.safetensors", ...short);
    expect([told.code, told.err]).toEqual([1, expect.stringContaining("classes.safetensors: ")]);
    expect((await adapt("gone", "--weights", "gone.safetensors")).err).toContain("gone.safetensors: ");
  });
});
