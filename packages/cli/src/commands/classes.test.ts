// Weights that tell arteries from veins, through every command: trained, drawn, judged, and refused where one output is wanted.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { syntheticFundus } from "@saunet/data";
import { classSegmenterOf, evaluateClasses, readWeights, withClasses } from "@saunet/model";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keeper, saunet, smallFundus, tiny, write, writeFolder, writeFreshWeights } from "../testing.ts";

const config = withClasses(tiny, ["artery", "vein"]);
let here: string;
const at = (...path: string[]) => join(here, ...path);
const run = (...argv: string[]) => saunet(here, argv);
const train = (...argv: string[]) =>
  run("train", "--dataset", "synthetic", "--picture-size", "48", "--crop", "16", "--batch", "2", ...argv);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-classes-"));
  await writeFreshWeights(at("tiny.safetensors"));
  await writeFreshWeights(at("classes.safetensors"), config);
  await write(at("left.png"), smallFundus(1).image);
  await writeFolder(at("set"), ["a", "b"]);
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet with classes", () => {
  it("trains on synthetic pictures, and a run that is resumed goes on with the same classes", async () => {
    const options = ["--weights", "classes.safetensors", "--classes", "artery,vein", "--steps", "2"];
    const first = await train(...options, "--epochs", "1", "--validation", "1", "--no-report", "-o", "run");
    expect([first.code, first.err]).toEqual([0, ""]);
    expect(first.out).toMatch(/^epoch 1: loss \d\.\d{4}, F1 \d\.\d{4} \(best so far\)/);
    const { config: trained, metadata } = readWeights(await readFile(at("run/best.safetensors")));
    expect(trained).toEqual(config);
    expect(metadata.recipe).toBe("best");
    const again = await run("train", "--resume", "run");
    expect([again.code, again.err]).toEqual([0, ""]);
    const settings = JSON.parse(await readFile(at("run/config.json"), "utf8"));
    expect(settings.network.classes).toEqual(["background", "artery", "vein"]);
  });

  it("draws a map of indexed colours with its legend, and an overlay", async () => {
    const { code, out, err } = await run(
      ...["segment", "left.png", "--weights", "classes.safetensors", "-o", "drawn", "--json"],
    );
    expect([code, err]).toEqual([0, ""]);
    expect((await readdir(at("drawn"))).sort()).toEqual(["left-classes.png", "left-overlay.png"]);
    const map = decode(await readFile(at("drawn/left-classes.png")));
    expect(map.palette).toEqual([
      [0, 0, 0],
      [213, 94, 0],
      [0, 114, 178],
    ]);
    expect(map.text.Comment).toBe("classes: 0 background #000000; 1 artery #d55e00; 2 vein #0072b2");
    const network = readWeights(await readFile(at("classes.safetensors")));
    const { classes } = await classSegmenterOf(network).segment(smallFundus(1).image);
    expect([...map.data]).toEqual([...classes.data]);
    const { images, classes: names, threshold } = JSON.parse(out);
    expect([names, threshold]).toEqual([["background", "artery", "vein"], undefined]);
    expect(images[0].classes).toMatchObject([
      { name: "artery", colour: "#d55e00" },
      { name: "vein", colour: "#0072b2" },
    ]);
    const text = await run("segment", "left.png", "--weights", "classes.safetensors", "-o", "drawn");
    expect(text.out).toMatch(
      /^left\.png: 48x48 in .*, artery \(#d55e00\) \d+\.\d % of the field of view; vein \(#0072b2\) /,
    );
  });

  it("tells the figures of each class on synthetic pictures, and writes them as CSV", async () => {
    const options = ["--weights", "classes.safetensors", "--images", "2", "--picture-size", "48"];
    const evaluate = (...argv: string[]) =>
      run("evaluate", "--dataset", "synthetic", ...options, "--scale", "1", ...argv);
    const { code, out, err } = await evaluate("--json", "--csv", "figures.csv");
    expect([code, err]).toEqual([0, ""]);
    const { images, macro, classes } = JSON.parse(out);
    expect(classes).toEqual(["background", "artery", "vein"]);
    const network = readWeights(await readFile(at("classes.safetensors")));
    const fundus = syntheticFundus({ seed: 100, width: 48, height: 48 });
    const { probability } = await classSegmenterOf(network).segment(fundus.image, { scale: 1 });
    const wanted = evaluateClasses({ probability, truth: fundus.classes.data }, classes);
    expect(images[0].id).toBe("synthetic-100");
    // The command runs generated kernels, whose last bits differ.
    for (const name of ["f1", "mcc", "jaccard", "auc"] as const) {
      expect(images[0].full.byClass.vein[name]).toBeCloseTo(wanted.byClass.vein[name], 2);
      expect(images[0].full.mean[name]).toBeCloseTo(wanted.mean[name], 2);
    }
    const [a, b] = images.map(({ fov }: typeof macro) => fov.byClass.vein.auc);
    expect(macro.fov.byClass.vein.auc).toBeCloseTo((a + b) / 2, 12);
    const rows = (await readFile(at("figures.csv"), "utf8")).trim().split("\n");
    expect(rows.length).toBe(1 + 2 * 3);
    expect(rows[0]).toMatch(/^id,class,full_f1,/);
    expect(rows[1]).toMatch(/^synthetic-100,background,/);
    const text = await evaluate();
    expect(text.out).toMatch(/full frame +background .*\n +artery .*\n +vein .*\n +mean without background /);
  });

  it("draws a bar on a terminal while it evaluates, and takes it away at the end", async () => {
    const terminal = keeper({ isTTY: true });
    const argv = ["evaluate", "--dataset", "synthetic", "--images", "1", "--picture-size", "48"];
    const host = { stderr: terminal.stream };
    expect((await saunet(here, [...argv, "--weights", "classes.safetensors"], host)).code).toBe(0);
    const [, end] = terminal.text().split("1/1  synthetic-100");
    // Nothing is left of it below the cursor.
    expect(end).toContain("\u001b[0J");
  });

  it("evaluates weights of one output on synthetic pictures too", async () => {
    const { code, out, err } = await run(
      ...["evaluate", "--dataset", "synthetic", "--images", "2", "--picture-size", "48", "--scale", "1"],
      ...["--weights", "tiny.safetensors", "--json"],
    );
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out).images.map(({ id }: { id: string }) => id)).toEqual([
      "synthetic-100",
      "synthetic-101",
    ]);
  });

  const classes = ["--weights", "classes.safetensors"];
  it.each<[what: string, argv: string[], code: number, line: RegExp]>([
    [
      "profile",
      ["profile", ...classes],
      1,
      /classes\.safetensors: segmenterOf: wants a network with one output \(vessel or not\), but tiny tells 3 classes apart: background, artery, vein/,
    ],
    [
      "export as ONNX",
      ["export", "--onnx", "x.onnx", ...classes],
      1,
      /exportOnnx: wants a network with one output/,
    ],
    [
      "a threshold",
      ["segment", "left.png", ...classes, "--threshold", "0.4"],
      2,
      /'--threshold <p>' does not go/,
    ],
    [
      "masks of vessels",
      ["evaluate", "--dataset", "folder", "--data", "set", ...classes],
      1,
      /classes\.safetensors: tells classes apart \(background, artery, vein\), which masks of vessels do not/,
    ],
    [
      "mirrored opinions",
      ["evaluate", "--dataset", "synthetic", ...classes, "--tta"],
      2,
      /'--tta' does not go with weights that tell classes apart/,
    ],
    [
      "photographs to train on",
      ["train", "--dataset", "folder", "--data", "set", "--classes", "artery", "-o", "x"],
      2,
      /'--classes <names>' needs '--dataset synthetic'/,
    ],
    [
      "classes that nothing knows",
      ["train", "--dataset", "synthetic", "--classes", "artery,nerve", "-o", "x"],
      2,
      /'--classes <names>' argument 'artery,nerve' is invalid\. It must be artery,vein or one of them/,
    ],
    [
      "weights of one output to start from",
      ["train", "--dataset", "synthetic", "--classes", "vein", "--weights", "tiny.safetensors", "-o", "x"],
      1,
      /tiny\.safetensors: the network finds vessels alone, but the run is to find vein \(--classes\)/,
    ],
    [
      "weights of classes to start from",
      ["train", "--dataset", "folder", "--data", "set", ...classes, "-o", "x"],
      1,
      /classes\.safetensors: the network finds artery,vein, but the run is to find vessels alone/,
    ],
    [
      "a folder of synthetic pictures",
      ["evaluate", "--dataset", "synthetic", "--data", "set"],
      2,
      /'--data <folder>' does not go with '--dataset synthetic'/,
    ],
    [
      "a number of photographs",
      ["evaluate", "--dataset", "folder", "--data", "set", "--images", "3"],
      2,
      /'--images <n>' goes with '--dataset synthetic' only/,
    ],
  ])("refuses %s in one line", async (_, argv, code, line) => {
    const ran = await run(...argv);
    expect([ran.code, ran.out]).toEqual([code, ""]);
    expect(ran.err).toMatch(line);
    expect(ran.err.trimEnd()).not.toContain("\n");
  });
});
