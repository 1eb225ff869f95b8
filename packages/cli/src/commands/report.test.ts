import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saunet, writeFolder, writeFreshWeights } from "../testing.ts";

const ids = ["a", `b<i>"&`, "c"];
let here: string;

/** A folder as a run leaves it. */
async function writeRun(name: string, config: object): Promise<void> {
  const at = (file: string) => join(here, name, file);
  await mkdir(join(here, name));
  await writeFile(at("config.json"), JSON.stringify(config));
  const steps = Array.from({ length: 20 }, (_, i) => ({
    ...{ kind: "step", epoch: 1 + Math.floor(i / 10), step: i + 1, loss: 1 / (i + 1), learningRate: 1e-3 },
  }));
  const epochs = [10, 20].map((step) => ({
    kind: "epoch",
    step,
    epoch: step / 10,
    loss: 0.1,
    f1: step / 40,
    seconds: step,
  }));
  const lines = [...steps, ...epochs].map((entry) => JSON.stringify(entry));
  await writeFile(at("log.jsonl"), `${lines.join("\n")}\n`);
  await copyFile(join(here, "tiny.safetensors"), at("best.safetensors"));
}

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-report-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ids);
  await writeRun("run", { recipe: "best", sets: [{ dataset: "folder", data: "set" }] });
});
afterAll(() => rm(here, { recursive: true }));

const page = (run: string) => readFile(join(here, run, "report.html"), "utf8");

describe("saunet report", () => {
  it("writes one file that needs no other, with the figures that evaluate gives", async () => {
    const { code, out, err } = await saunet(here, ["report", "run", "--json"]);
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toEqual({
      files: { report: "run/report.html", evaluation: "run/evaluation.json" },
    });
    const text = await page("run");
    expect(text).not.toMatch(/https?:|<script|<link|url\(|@import/);
    expect(text.match(/<img src="data:image\/webp;base64,/g)).toHaveLength(4 * ids.length);
    // Three curves of training, and the reliability diagram.
    expect(text.match(/<svg /g)).toHaveLength(4);
    expect(text).toContain("<figcaption>Reliability: share of pixels that are vessel to masks");
    expect(text).toMatch(/<th>clDice<\/th><th>pieces per vessel tree<\/th>/);
    expect(text).toContain("best: 0.5000");
    expect(text).toContain("b&#60;i&#62;&#34;&#38;: F1 ");
    expect(text).not.toContain("<i>");
    expect(text).not.toMatch(/undefined|NaN|\[object/);

    const argv = [
      "evaluate",
      "--dataset",
      "folder",
      "--data",
      "set",
      "--weights",
      "run/best.safetensors",
      "--json",
    ];
    const { seconds: _, ...evaluated } = JSON.parse((await saunet(here, argv)).out);
    const { sets } = JSON.parse(await readFile(join(here, "run", "evaluation.json"), "utf8"));
    expect(sets).toEqual([{ ...evaluated, seconds: expect.anything() }]);
    expect(text).toContain(evaluated.macro.full.f1.toFixed(4));
  });

  it("tests on other data sets where they are named, each time anew", async () => {
    await writeFolder(join(here, "other"), ["x"]);
    const sets = ["--dataset", "folder", "--data", "other", "--dataset", "folder", "--data", "set"];
    const { code, out } = await saunet(here, ["report", "run", ...sets]);
    expect(code).toBe(0);
    expect(out).toMatch(/^x: F1 .*\na: F1 .*-> run\/report\.html, run\/evaluation\.json\n$/s);
    const text = await page("run");
    expect(text).toContain("1 image of other (folder, all)");
    expect(text).toContain("3 images of set (folder, all)");
  });

  it("tests as it is told to: with mirrored opinions, by another threshold", async () => {
    await writeFolder(join(here, "single"), ["x"]);
    const how = ["--dataset", "folder", "--data", "single", "--tta", "--threshold", "0.4", "--json"];
    expect((await saunet(here, ["report", "run", ...how])).code).toBe(0);
    const argv = ["evaluate", ...how, "--weights", "run/best.safetensors"];
    const { seconds: _, ...evaluated } = JSON.parse((await saunet(here, argv)).out);
    expect(evaluated).toMatchObject({ tta: true, threshold: 0.4 });
    const { sets } = JSON.parse(await readFile(join(here, "run", "evaluation.json"), "utf8"));
    expect(sets).toEqual([{ ...evaluated, seconds: expect.anything() }]);
    expect(await page("run")).toContain("mean over the photograph and its mirror images.");
  });

  it("draws reliability for each observer, beside the network's figures and not people's", async () => {
    await writeFolder(join(here, "two"), ["x"]);
    await cp(join(here, "two", "masks"), join(here, "two", "masks2"), { recursive: true });
    await saunet(here, ["report", "run", "--dataset", "folder", "--data", "two"]);
    const text = await page("run");
    const parts = [...text.matchAll(/<h3>(.*? against .*?)<|<figcaption>(Reliability: .*?),/g)];
    expect(parts.map(([, heading, chart]) => heading ?? chart)).toEqual([
      "network against masks, threshold 0.5",
      "Reliability: share of pixels that are vessel to masks",
      "network against masks2, threshold 0.5",
      "Reliability: share of pixels that are vessel to masks2",
      "masks2 against masks: how far people agree",
    ]);
  });

  it("draws a run on synthetic pictures without test images, and takes the last weights where none are best", async () => {
    await writeRun("synthetic", { sets: [] });
    expect((await saunet(here, ["report", "synthetic"])).code).toBe(0);
    const text = await page("synthetic");
    expect(text).toContain("None: the run names no data set.");
    expect(text).not.toContain("<img");
    await copyFile(join(here, "synthetic", "best.safetensors"), join(here, "synthetic", "last.safetensors"));
    await rm(join(here, "synthetic", "best.safetensors"));
    expect((await saunet(here, ["report", "synthetic"])).code).toBe(0);
  });

  it("tells of images that failed, in the report too", async () => {
    await writeFolder(join(here, "partly"), ["a", "b"]);
    await writeFile(join(here, "partly", "masks", "b.png"), "no picture");
    const { code, err } = await saunet(here, ["report", "run", "--dataset", "folder", "--data", "partly"]);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^saunet: b: partly\/masks\/b\.png: is not a picture/),
    ]);
    const text = await page("run");
    expect(text).toContain("1 of 2 images of partly (folder, all)");
    expect(text).toContain("b failed: partly/masks/b.png: is not a picture");
  });

  it("shows at most 48 images, from the lowest F1 to the highest", async () => {
    await writeFolder(
      join(here, "many"),
      Array.from({ length: 50 }, (_, i) => `m${i}`),
    );
    const { code } = await saunet(here, ["report", "run", "--dataset", "folder", "--data", "many", "--json"]);
    expect(code).toBe(0);
    const text = await page("run");
    expect(text).toContain("48 of 50 images, spread evenly from the lowest F1 to the highest.");
    expect(text.match(/<section class="image">/g)).toHaveLength(48);
    const { sets } = JSON.parse(await readFile(join(here, "run", "evaluation.json"), "utf8"));
    const ranked = [...sets[0].images].sort((a, b) => a.full.f1 - b.full.f1);
    for (const { id } of [ranked[0], ranked[49]]) expect(text).toContain(`<h3>${id}: F1 `);
  });

  it("tells of a run that is none, and writes nothing", async () => {
    const refusal = async (...argv: string[]) => {
      const { code, out, err } = await saunet(here, ["report", ...argv]);
      expect([code, out]).toEqual([1, ""]);
      return err;
    };
    expect(await refusal("nowhere")).toBe("saunet: nowhere/config.json: no such file or folder\n");
    await writeRun("broken", { sets: [{ dataset: "folder", data: "gone" }] });
    expect(await refusal("broken")).toMatch(/^saunet: gone: images\/ missing: /);
    await rm(join(here, "broken", "best.safetensors"));
    expect(await refusal("broken")).toBe(
      "saunet: broken: has no weights yet (best.safetensors or last.safetensors)\n",
    );
    await writeFile(join(here, "broken", "log.jsonl"), '{"kind":"news"}\nnonsense\n');
    expect(await refusal("broken")).toBe("saunet: broken/log.jsonl: line 2 is no JSON: nonsense\n");
    await writeFile(join(here, "broken", "config.json"), "{");
    expect(await refusal("broken")).toBe("saunet: broken/config.json: is damaged: it is not JSON\n");
    await expect(page("broken")).rejects.toThrow("ENOENT");
  });

  it.each([
    [["--dataset", "folder"], /each --dataset needs one, in the same order; there are 1 and 0/],
    [["--dataset", "rite", "--data", "x"], /argument 'rite' is invalid. Allowed choices are chase, hrf, /],
  ])("refuses %j", async (argv, line) => {
    const { code, err } = await saunet(here, ["report", "run", ...argv]);
    expect(code).toBe(2);
    expect(err).toMatch(line);
  });
});
