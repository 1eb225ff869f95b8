import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fieldOfView, type Mask } from "@saunet/data";
import { readMask } from "@saunet/data/files";
import { brokenPieces, clDice } from "@saunet/data/measure";
import {
  bootstrapIntervals,
  calibrationError,
  confusion,
  levelsOf,
  loadSegmenter,
  evaluate as metricsOf,
  microAverage,
  reliabilityBins,
  segmentWithFlips,
  sumOfBins,
} from "@saunet/model";
import { accelerate, restore } from "@saunet/wasm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Comparison } from "../evaluation.ts";
import { FIELD_NAMES } from "../field-figures.ts";
import { describeEvaluation } from "../figures.ts";
import { saunet, smallFundus, write, writeFolder, writeFreshWeights } from "../testing.ts";

// Figures follow from any probabilities; train.test.ts and calibrate.test.ts evaluate with the generated kernels.
vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

const ids = ["a", "b, with a comma", "c"];
let here: string;
const evaluate = (...argv: string[]) =>
  saunet(here, [
    "evaluate",
    "--dataset",
    "folder",
    "--data",
    "set",
    "--weights",
    "tiny.safetensors",
    ...argv,
  ]);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-evaluate-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ids);
});
afterAll(() => rm(here, { recursive: true }));

/** F1 from pixels, counted in the plainest way, over images pooled. */
function f1Of(images: readonly { mask: Mask; truth: Mask; within: Mask }[]): number {
  let [both, either] = [0, 0];
  for (const { mask, truth, within } of images) {
    mask.data.forEach((value, i) => {
      if (within.data[i] === 0) return;
      both += value & truth.data[i];
      either += value + truth.data[i];
    });
  }
  return (2 * both) / either;
}

describe("saunet evaluate", () => {
  it("gives, as JSON, the figures that follow from the masks which segment writes", async () => {
    const { code, out, err } = await evaluate("--json", "--threshold", "0.4");
    expect([code, err]).toEqual([0, ""]);
    const { images, macro, micro, intervals, field, comparisons, seconds, ...settings } = JSON.parse(out);
    expect(settings).toEqual({
      dataset: "folder",
      data: "set",
      split: "all",
      threshold: 0.4,
      weights: "tiny.safetensors",
      tta: false,
    });
    const what = { prediction: "network", truth: "masks", threshold: 0.4 };
    expect(comparisons).toEqual([{ ...what, images, macro, micro, intervals, field }]);
    expect(Object.keys(seconds)).toEqual(["segmentation", "figures"]);
    const names = ["f1", "jaccard", "sensitivity", "specificity", "accuracy", "mcc", "auc"];
    for (const figures of [...images, macro, micro]) {
      expect(Object.keys(figures.full)).toEqual(names);
      expect(Object.keys(figures.fov)).toEqual(names);
    }

    const inputs = ids.map((id) => `set/images/${id}.png`);
    await saunet(here, [
      "segment",
      "--weights",
      "tiny.safetensors",
      "--threshold",
      "0.4",
      "-o",
      "out",
      ...inputs,
    ]);
    const pictures = await Promise.all(
      ids.map(async (id, index) => {
        const { image, vessels } = smallFundus(index + 1);
        const mask = await readMask(join(here, "out", `${id}-mask.png`));
        const everywhere = { ...mask, data: new Uint8Array(mask.data.length).fill(1) };
        return { mask, truth: vessels, full: everywhere, fov: fieldOfView(image) };
      }),
    );
    for (const region of ["full", "fov"] as const) {
      const counted = pictures.map(({ mask, truth, ...within }) => ({ mask, truth, within: within[region] }));
      const single = counted.map((image) => f1Of([image]));
      expect(images.map((image: Record<string, { f1: number }>) => image[region].f1)).toEqual(single);
      expect(macro[region].f1).toBeCloseTo(single.reduce((sum, f1) => sum + f1, 0) / single.length, 12);
      expect(micro[region].f1).toBeCloseTo(f1Of(counted), 12);
    }
    expect(images.map(({ id }: { id: string }) => id)).toEqual(ids);
  });

  it("prints a line an image and a table with intervals, and writes a line an image as CSV", async () => {
    const { code, out } = await evaluate("--csv", "figures.csv");
    expect(code).toBe(0);
    expect(out).toMatch(/^a: F1 0\.\d{4} \(field of view 0\.\d{4}\) in /);
    expect(out).toContain("3 images of set (folder, all), weights tiny.safetensors\n");
    expect(out).toMatch(
      /segmentation took .* s, the figures .* s; 95 % intervals from 1000 draws of the images/,
    );
    expect(out).toMatch(
      /network against masks, threshold 0.5\npixels +mean +f1 +jaccard +sensitivity +specificity +accuracy +mcc +auc\n/,
    );
    expect(out).toMatch(/\nfull frame +macro +0\.\d{4} .*\n +95 % +0\.\d{3}–0\.\d{3} .*\n +micro +0/);
    expect(out).toMatch(/\nfield of view +macro +0\.\d{4} .*\n +95 % +0\.\d{3}–0\.\d{3} .*\n +micro +0/);
    const json = JSON.parse((await evaluate("--json")).out);
    const lines = (await readFile(join(here, "figures.csv"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(1 + ids.length);
    expect(lines[0]).toMatch(
      /^id,prediction,truth,threshold,full_f1,full_jaccard,.*,fov_auc,fov_clDice,fov_pieces,.*,fov_ece$/,
    );
    expect(lines[2]).toMatch(/^"b, with a comma",network,masks,0.5,/);
    expect(lines[1].split(",").slice(4).map(Number)).toEqual([
      ...Object.values(json.images[0].full),
      ...Object.values(json.images[0].fov),
      ...FIELD_NAMES.map((name) => json.field.images[0][name]),
    ]);
  });

  it("gives the figures of all pixels and their intervals as the library does", async () => {
    const { micro, macro, intervals } = JSON.parse((await evaluate("--json")).out);
    const segmenter = await loadSegmenter({ weights: await readFile(join(here, "tiny.safetensors")) });
    const predictions = [];
    await accelerate();
    for (const [index] of ids.entries()) {
      const { image, vessels } = smallFundus(index + 1);
      const { probability } = await segmenter.segment(image);
      predictions.push({ probability, truth: vessels.data, fieldOfView: fieldOfView(image).data });
    }
    restore();
    expect(micro.fov).toEqual(microAverage(predictions));
    expect(micro.full).toEqual(microAverage(predictions.map((one) => ({ ...one, fieldOfView: undefined }))));
    const summaries = predictions.map((prediction) => ({
      metrics: metricsOf(prediction),
      counts: confusion(prediction),
      levels: levelsOf(prediction).fov,
    }));
    expect(intervals.fov).toEqual(bootstrapIntervals(summaries));
    const [low, high] = intervals.fov.macro.f1;
    expect(low).toBeLessThanOrEqual(macro.fov.f1);
    expect(high).toBeGreaterThanOrEqual(macro.fov.f1);
  });

  it("says how well trees agree and probabilities keep their word, inside the field of view, as the library does", async () => {
    const { field } = JSON.parse((await evaluate("--json", "--threshold", "0.4")).out);
    const segmenter = await loadSegmenter({ weights: await readFile(join(here, "tiny.safetensors")) });
    await accelerate();
    const bins = [];
    for (const [index, id] of ids.entries()) {
      const { image, vessels } = smallFundus(index + 1);
      const inside = fieldOfView(image);
      const { probability, mask } = await segmenter.segment(image, { threshold: 0.4 });
      const within = ({ data, ...size }: Mask) => ({
        ...size,
        data: data.map((value, i) => value & inside.data[i]),
      });
      const prediction = { probability, truth: vessels.data, fieldOfView: inside.data };
      bins.push(reliabilityBins(prediction));
      const { missed, spurious, piecesPerPiece = null } = brokenPieces(within(mask), within(vessels));
      expect(field.images[index]).toEqual({
        ...{ id, missed, spurious, pieces: piecesPerPiece },
        clDice: clDice(within(mask), within(vessels)),
        ece: calibrationError(reliabilityBins(prediction)),
      });
    }
    restore();
    expect(field.pooled).toEqual({ error: calibrationError(sumOfBins(bins)), bins: sumOfBins(bins) });
    const mean = field.images.reduce((sum: number, { ece }: { ece: number }) => sum + ece / ids.length, 0);
    expect(field.mean.ece).toBeCloseTo(mean, 12);
    expect(field.intervals.ece[0]).toBeLessThanOrEqual(mean);
    const text = (await evaluate()).out;
    expect(text).toMatch(
      /\npixels +mean +clDice +pieces per vessel tree +missed pieces +spurious pieces +calibration error\n/,
    );
    expect(text).toMatch(
      /\nfield of view +macro +0\.\d{4} .*\n +95 % +0\.\d{3}–0\.\d{3} .*\n +micro +0\.\d{4}\n/,
    );
  });

  it.each([[[], {}] as const, [["--scale", "0.5"], { scale: 0.5 }] as const])(
    "averages over mirror images as the library does, with %j",
    async (argv, how) => {
      const { tta, images } = JSON.parse((await evaluate("--json", "--tta", ...argv)).out);
      expect(tta).toBe(true);
      const segmenter = await loadSegmenter({ weights: await readFile(join(here, "tiny.safetensors")) });
      for (const [index, figures] of images.entries()) {
        const { image, vessels } = smallFundus(index + 1);
        const segmentation = await segmentWithFlips(segmenter, image, how);
        const wanted = metricsOf({ ...segmentation, truth: vessels.data });
        expect(figures.full).toEqual(wanted);
      }
    },
  );

  it("has no interval for a single image", async () => {
    await writeFolder(join(here, "single"), ["a"]);
    const { out } = await saunet(here, [
      ...["evaluate", "--dataset", "folder", "--data", "single", "--weights", "tiny.safetensors"],
    ]);
    expect(out).toContain("1 image of single");
    expect(out).not.toContain("95 %");
  });
});

describe("saunet evaluate, of a data set with two observers and two parts", () => {
  const evaluateChase = (...argv: string[]) =>
    saunet(here, [
      "evaluate",
      "--dataset",
      "chase",
      "--data",
      "chase",
      "--weights",
      "tiny.safetensors",
      ...argv,
    ]);
  const second = (seed: number): Mask => {
    const { vessels } = smallFundus(seed);
    return { ...vessels, data: vessels.data.map((value, i) => (i % 11 === 0 ? 0 : value)) };
  };

  beforeAll(async () => {
    for (let child = 1; child <= 14; child++) {
      for (const [side, eye] of ["L", "R"].entries()) {
        const id = `chase/Image_${String(child).padStart(2, "0")}${eye}`;
        const seed = 2 * child + side;
        await write(join(here, `${id}.jpg`), smallFundus(seed).image);
        await write(join(here, `${id}_1stHO.png`), smallFundus(seed).vessels);
        // The second observer did not draw the very last one.
        if (seed < 29) await write(join(here, `${id}_2ndHO.png`), second(seed));
      }
    }
  });

  it("compares with either observer, and the second with the first", async () => {
    const { code, out } = await evaluateChase("--json");
    expect(code).toBe(0);
    const { comparisons } = JSON.parse(out);
    const names = comparisons.map((one: Comparison) => [
      one.prediction,
      one.truth,
      one.threshold,
      one.images.length,
    ]);
    expect(names).toEqual([
      ["network", "1stHO", 0.5, 8],
      ["network", "2ndHO", 0.5, 7],
      ["2ndHO", "1stHO", null, 7],
    ]);
    const people = comparisons[2];
    const [figures] = people.images;
    const everywhere = new Uint8Array(48 * 48).fill(1);
    const counted = f1Of([
      { mask: second(22), truth: smallFundus(22).vessels, within: { ...second(22), data: everywhere } },
    ]);
    expect(figures).toMatchObject({ id: "Image_11L", full: { f1: counted, specificity: 1, auc: null } });
    expect([people.micro.full.auc, people.macro.fov.auc]).toEqual([null, null]);
    const text = (await evaluateChase()).out;
    expect(text).toContain("\n2ndHO against 1stHO: how far people agree\n");
  });

  it("fits a threshold to the training images and shows both", async () => {
    const { code, out } = await evaluateChase("--fit-threshold", "--json", "--csv", "both.csv");
    expect(code).toBe(0);
    const { threshold, ...evaluation } = JSON.parse(out);
    const { fitted, comparisons } = evaluation;
    expect([threshold, fitted.images]).toEqual([0.5, 20]);
    expect(comparisons.map((one: Comparison) => one.threshold)).toEqual([
      ...[0.5, fitted.threshold, 0.5, fitted.threshold, null],
    ]);
    expect((await readFile(join(here, "both.csv"), "utf8")).trimEnd().split("\n")).toHaveLength(
      1 + 2 * (8 + 7) + 7,
    );
    const text = describeEvaluation({ ...evaluation, failed: [], comparisons: comparisons.slice(0, 2) });
    expect(text).toMatch(
      /\nthreshold 0\.\d+ fitted on 20 training images, where it gives F1 0\.\d{4}\n.*, threshold 0\.5\n.*, threshold 0\.\d+\n/s,
    );
    const training = await evaluateChase("--split", "train", "--threshold", `${fitted.threshold}`, "--json");
    expect(JSON.parse(training.out).macro.full.f1).toBeCloseTo(fitted.f1, 12);
  });

  it.each([
    [["--split", "train"], "says nothing on these images themselves"],
    [["--dataset", "folder", "--data", "set"], "a plain folder has no training images"],
  ])("refuses to fit one with %j", async (argv, reason) => {
    const { code, err } = await evaluateChase("--fit-threshold", ...argv);
    expect(code).toBe(2);
    expect(err).toMatch(/^saunet: option '--fit-threshold': /);
    expect(err).toContain(reason);
  });
});
