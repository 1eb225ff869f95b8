import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fieldOfView, type Mask } from "@saunet/data";
import { readMask } from "@saunet/data/files";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saunet, smallFundus, writeFolder, writeFreshWeights } from "../testing.ts";

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
    const { images, macro, micro, ...settings } = JSON.parse(out);
    expect(settings).toEqual({
      dataset: "folder",
      split: "all",
      threshold: 0.4,
      weights: "tiny.safetensors",
    });
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

  it("prints a line an image and a table, and writes a line an image as CSV", async () => {
    const { code, out } = await evaluate("--csv", "figures.csv");
    expect(code).toBe(0);
    expect(out).toMatch(/^a: F1 0\.\d{4} \(field of view 0\.\d{4}\) in /);
    expect(out).toContain("3 images of set (folder, all), threshold 0.5, weights tiny.safetensors");
    expect(out).toMatch(
      /\npixels +mean +f1 +jaccard +sensitivity +specificity +accuracy +mcc +auc\nfull frame +macro +0\./,
    );
    const json = JSON.parse((await evaluate("--json")).out);
    const lines = (await readFile(join(here, "figures.csv"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(1 + ids.length);
    expect(lines[0]).toMatch(/^id,full_f1,full_jaccard,.*,fov_mcc,fov_auc$/);
    expect(lines[2]).toMatch(/^"b, with a comma",/);
    expect(lines[1].split(",").slice(1).map(Number)).toEqual([
      ...Object.values(json.images[0].full),
      ...Object.values(json.images[0].fov),
    ]);
  });
});
