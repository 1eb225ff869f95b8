import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticFundus } from "../../synthetic.ts";
import { DatasetError } from "../errors.ts";
import { writePng } from "../write.ts";
import { type DatasetKind, filesOf, readDataset, type Split } from "./index.ts";
import { picturesByStem, sampleOf } from "./sample.ts";
import { eye, fill, refusal } from "./testing.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-datasets-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("knows its kinds and splits", async () => {
  const directory = folder;
  await expect(readDataset({ kind: "none" as DatasetKind, directory })).rejects.toThrow(
    "readDataset: kind must be chase or hrf or drive or stare or fives or folder but is none",
  );
  await expect(readDataset({ kind: "chase", directory, split: "half" as Split })).rejects.toThrow(
    "readDataset: split must be train or test or all but is half",
  );
});

it("lists every file of a sample: the photograph, what each observer drew, the field of view", () => {
  const files = { id: "a", image: "a.tif", vessels: { one: "a-1.gif", two: undefined, three: "a-3.gif" } };
  expect(filesOf(sampleOf(files))).toEqual(["a.tif", "a-1.gif", "a-3.gif"]);
  const fieldOfView = "a-field.gif";
  expect(filesOf(sampleOf({ ...files, fieldOfView }))).toEqual(["a.tif", "a-1.gif", "a-3.gif", fieldOfView]);
});

describe("folder", () => {
  const files = {
    "images/a.png": "photograph",
    "images/b.png": "photograph",
    "masks/a.png": "vessels",
    "masks/b.png": "vessels",
  };

  it("matches pictures by name", async () => {
    const directory = await fill(join(folder, "plain"), {
      ...files,
      "images/.DS_Store": "",
      "masks/Thumbs.db": "",
    });
    const samples = await readDataset({ kind: "folder", directory });
    expect(samples.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(await samples[1].vessels()).toEqual(eye.vessels);
  });

  it("reads masks of the field of view where there are any", async () => {
    const directory = await fill(join(folder, "with-fov"), {
      ...files,
      "fov/a.png": "field",
      "fov/b.png": "field",
    });
    const [sample] = await readDataset({ kind: "folder", directory });
    expect(await sample.fieldOfView()).toEqual(eye.fieldOfView);
    expect(
      await refusal("folder", await fill(join(folder, "half-fov"), { ...files, "fov/a.png": "field" })),
    ).toBe("fov/ has nothing for b of images/");
  });

  it("reads a second observer where there is one", async () => {
    const [plain] = await readDataset({
      kind: "folder",
      directory: await fill(join(folder, "plain"), files),
    });
    expect(plain.observers).toEqual(["masks"]);
    const masks = { "masks2/a.gif": "fixture:drive-second.gif", "masks2/b.tif": "fixture:hrf-vessels.tif" };
    const directory = await fill(join(folder, "second"), { ...files, ...masks });
    const samples = await readDataset({ kind: "folder", directory });
    expect(samples[1].observers).toEqual(["masks", "masks2"]);
    for (const sample of samples) expect(await sample.vessels("masks2")).toEqual(eye.vessels);
  });

  it("knows a name in both spellings of Unicode", async () => {
    const [composed, decomposed] = ["gr\u00f6\u00dfe", "gro\u0308\u00dfe"];
    const directory = await fill(join(folder, "unicode"), {
      [`images/${composed}.png`]: "photograph",
      [`masks/${decomposed}.png`]: "vessels",
      [`fov/${composed}.png`]: "field",
    });
    const [sample, ...others] = await readDataset({ kind: "folder", directory });
    expect([sample.id, others]).toEqual([composed, []]);
    expect(await sample.vessels()).toEqual(eye.vessels);
    await fill(directory, { [`masks/${composed}.png`]: "vessels" });
    expect(await refusal("folder", directory)).toMatch(/have one name$/);
  });

  it("reads PPM, PGM and PBM, gzipped ones too", async () => {
    const directory = await fill(join(folder, "netpbm"), {
      "images/a.ppm.gz": "fixture:stare.ppm.gz",
      "masks/a.PGM": "fixture:stare-vessels.ppm",
    });
    const [sample] = await readDataset({ kind: "folder", directory });
    expect(await sample.size()).toEqual({ width: 48, height: 40 });
    expect(await sample.vessels()).toEqual(eye.vessels);
  });

  it("refuses what is larger than the limit without decoding it", async () => {
    const directory = await fill(join(folder, "limit"), files);
    const [sample] = await readDataset({ kind: "folder", directory, maxPixels: 1919 });
    for (const read of [sample.size, sample.image, () => sample.vessels(), sample.fieldOfView]) {
      await expect(read()).rejects.toThrow(/images\/a.png: has 48 x 40 = 1920 pixels; the limit is 1919$/);
    }
  });

  it("names what does not match", async () => {
    const stray = await fill(join(folder, "stray"), {
      ...files,
      "masks/c.png": "vessels",
      "masks/d.png": "vessels",
    });
    expect(await refusal("folder", stray)).toBe("images/ has nothing for c, d of masks/");
    const lonely = await fill(join(folder, "lonely"), { ...files, "images/c.png": "photograph" });
    expect(await refusal("folder", lonely)).toBe("masks/ has nothing for c of images/");
    const twice = await fill(join(folder, "twice"), { ...files, "images/a.jpg": "photograph" });
    expect(await refusal("folder", twice)).toMatch(/^a.jpg and a.png have one name$/);
    const other = await fill(join(folder, "other"), { ...files, "images/c.bmp": "BM" });
    expect(await refusal("folder", other)).toMatch(/^c.bmp is not a picture of a kind that is read/);
  });

  it("says of a folder that cannot be read why", async () => {
    const missing = join(folder, "missing");
    const error: unknown = await picturesByStem(missing).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DatasetError);
    expect(error).toMatchObject({ directory: missing, message: `${missing}: no such file or folder` });
  });

  it("says how the folder must look", async () => {
    const wrong = await fill(join(folder, "wrong"), { "pictures/a.png": "photograph" });
    expect(await refusal("folder", wrong)).toMatch(/^images\/ missing: .*images\/a.jpg …, masks\/a.png/);
    expect(await refusal("folder", await fill(join(folder, "plain"), files), "test")).toMatch(
      /^a plain folder has no test part/,
    );
  });

  it("refuses a label of another size, naming both", async () => {
    const directory = await fill(join(folder, "sizes"), { "images/a.png": "photograph" });
    await mkdir(join(directory, "masks"));
    await writePng(
      join(directory, "masks/a.png"),
      syntheticFundus({ seed: 3, width: 40, height: 40 }).vessels,
    );
    const [sample] = await readDataset({ kind: "folder", directory });
    await expect(sample.vessels()).rejects.toThrow(
      /masks\/a.png: is 40 x 40 but its photograph .* is 48 x 40$/,
    );
  });

  it("refuses a label drawn in black on white", async () => {
    const directory = await fill(join(folder, "inverse"), { "images/a.png": "photograph" });
    await mkdir(join(directory, "masks"));
    const data = eye.vessels.data.map((value) => 1 - value);
    await writePng(join(directory, "masks/a.png"), { ...eye.vessels, data });
    const [sample] = await readDataset({ kind: "folder", directory });
    await expect(sample.vessels()).rejects.toThrow(/marks more than half of the picture as vessel/);
  });
});
