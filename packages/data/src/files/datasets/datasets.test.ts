import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldOfView } from "../../field-of-view.ts";
import { syntheticFundus } from "../../synthetic.ts";
import { DatasetError } from "../errors.ts";
import { writePng } from "../write.ts";
import { type DatasetKind, readDataset, type Split } from "./index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-datasets-"));
});
afterAll(() => rm(folder, { recursive: true }));

const eye = syntheticFundus({ seed: 3, width: 48, height: 40 });

/** Fills a folder: `photograph`, `vessels` and `field` stand for the pictures of one eye, anything else is text. */
async function fill(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const pictures = { photograph: eye.image, vessels: eye.vessels, field: eye.fieldOfView };
  const directory = join(folder, name);
  for (const [file, content] of Object.entries(files)) {
    const path = join(directory, file);
    await mkdir(dirname(path), { recursive: true });
    if (content in pictures) await writePng(path, pictures[content as keyof typeof pictures]);
    else await writeFile(path, content);
  }
  return directory;
}

async function refusal(kind: DatasetKind, directory: string, split?: Split): Promise<string> {
  const error = await readDataset({ kind, directory, ...(split && { split }) }).then(
    () => expect.fail("was not refused"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DatasetError);
  const { message, directory: named } = error as DatasetError;
  expect(named.startsWith(directory)).toBe(true);
  expect(message.startsWith(`${named}: `)).toBe(true);
  return message.slice(named.length + 2);
}

it("knows its kinds and splits", async () => {
  const directory = folder;
  await expect(readDataset({ kind: "none" as DatasetKind, directory })).rejects.toThrow(
    "readDataset: kind must be chase or hrf or folder but is none",
  );
  await expect(readDataset({ kind: "chase", directory, split: "half" as Split })).rejects.toThrow(
    "readDataset: split must be train or test or all but is half",
  );
});

describe("chase", () => {
  const ids = Array.from({ length: 14 }, (_, i) => String(i + 1).padStart(2, "0")).flatMap((n) => [
    `${n}L`,
    `${n}R`,
  ]);
  const files = Object.fromEntries(
    ids.flatMap((id) => [
      [`Image_${id}.jpg`, "photograph"],
      [`Image_${id}_1stHO.png`, "vessels"],
      [`Image_${id}_2ndHO.png`, "vessels"],
    ]),
  );

  it("splits the 28 pictures as the literature does", async () => {
    const directory = await fill("chase", { ...files, "Readme.txt": "hello" });
    const idsOf = async (split: Split): Promise<string[]> =>
      (await readDataset({ kind: "chase", directory, split })).map(({ id }) => id);
    const [train, test] = [await idsOf("train"), await idsOf("test")];
    expect([train.length, train[0], train[19]]).toEqual([20, "Image_01L", "Image_10R"]);
    expect([test.length, test[0], test[7]]).toEqual([8, "Image_11L", "Image_14R"]);
    expect(await idsOf("all")).toEqual([...train, ...test]);
  });

  it("reads photograph, vessels of either observer and a found field of view", async () => {
    const directory = await fill("chase", files);
    const [sample] = await readDataset({ kind: "chase", directory });
    expect(sample.observers).toEqual(["1stHO", "2ndHO"]);
    expect(Uint8Array.from((await sample.image()).data)).toEqual(Uint8Array.from(eye.image.data));
    expect(await sample.vessels()).toEqual(eye.vessels);
    expect(await sample.vessels("2ndHO")).toEqual(eye.vessels);
    await expect(sample.vessels("3rdHO")).rejects.toThrow(
      "vessels: observer of Image_01L must be 1stHO or 2ndHO but is 3rdHO",
    );
    expect(await sample.fieldOfView()).toEqual(fieldOfView(eye.image));
  });

  it("says how the folder must look, and where the set is to be had", async () => {
    const empty = join(folder, "empty");
    await mkdir(empty);
    const wanted =
      /^Image_01L.jpg, Image_01L_1stHO.png, Image_01R.jpg and 53 more missing: .*Kingston University/;
    expect(await refusal("chase", empty)).toMatch(wanted);
    expect(await refusal("chase", join(folder, "nowhere"))).toMatch(
      /^no such file or folder: CHASE_DB1 is one folder with .*Kingston University/,
    );
    const { "Image_07R.jpg": _, ...others } = files;
    expect(await refusal("chase", await fill("chase-27", others))).toMatch(/^Image_07R.jpg missing: /);
  });
});

describe("hrf", () => {
  const numbers = Array.from({ length: 15 }, (_, i) => String(i + 1).padStart(2, "0"));
  const files = Object.fromEntries(
    numbers.flatMap((number) =>
      ["dr", "g", "h"].flatMap((group) => [
        // The photographs of one group carry their ending in capitals.
        [`images/${number}_${group}.${group === "dr" ? "JPG" : "jpg"}`, "photograph"],
        [`manual1/${number}_${group}.tif`, "vessels"],
        [`mask/${number}_${group}_mask.tif`, "field"],
      ]),
    ),
  );

  it("trains on the first five of each group and tests on the others", async () => {
    const directory = await fill("hrf", files);
    const idsOf = async (split: Split): Promise<string[]> =>
      (await readDataset({ kind: "hrf", directory, split })).map(({ id }) => id);
    const [train, test] = [await idsOf("train"), await idsOf("test")];
    expect(train).toEqual(
      numbers.slice(0, 5).flatMap((number) => ["dr", "g", "h"].map((g) => `${number}_${g}`)),
    );
    expect([test.length, test[0], test[29]]).toEqual([30, "06_dr", "15_h"]);
    expect(await idsOf("all")).toEqual([...train, ...test]);
  });

  it("reads photograph, vessels and the field of view that comes with the set", async () => {
    const [sample] = await readDataset({ kind: "hrf", directory: await fill("hrf", files) });
    expect(sample.observers).toEqual(["manual1"]);
    expect(Uint8Array.from((await sample.image()).data)).toEqual(Uint8Array.from(eye.image.data));
    expect(await sample.vessels()).toEqual(eye.vessels);
    expect(await sample.fieldOfView()).toEqual(eye.fieldOfView);
  });

  it("wants the files of the part that is asked for, no others", async () => {
    const { "mask/07_g_mask.tif": _, ...others } = files;
    const directory = await fill("hrf-incomplete", others);
    expect(await refusal("hrf", directory, "test")).toMatch(
      /^mask\/07_g_mask.tif missing: HRF is one folder .*Friedrich-Alexander-Universität/,
    );
    expect(await readDataset({ kind: "hrf", directory, split: "train" })).toHaveLength(15);
  });
});

describe("folder", () => {
  const files = {
    "images/a.png": "photograph",
    "images/b.png": "photograph",
    "masks/a.png": "vessels",
    "masks/b.png": "vessels",
  };

  it("matches pictures by name", async () => {
    const directory = await fill("plain", { ...files, "images/.DS_Store": "", "masks/Thumbs.db": "" });
    const samples = await readDataset({ kind: "folder", directory });
    expect(samples.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(await samples[1].vessels()).toEqual(eye.vessels);
  });

  it("reads masks of the field of view where there are any", async () => {
    const directory = await fill("with-fov", { ...files, "fov/a.png": "field", "fov/b.png": "field" });
    const [sample] = await readDataset({ kind: "folder", directory });
    expect(await sample.fieldOfView()).toEqual(eye.fieldOfView);
    expect(await refusal("folder", await fill("half-fov", { ...files, "fov/a.png": "field" }))).toBe(
      "fov/ has nothing for b of images/",
    );
  });

  it("names what does not match", async () => {
    const stray = await fill("stray", { ...files, "masks/c.png": "vessels", "masks/d.png": "vessels" });
    expect(await refusal("folder", stray)).toBe("images/ has nothing for c, d of masks/");
    const lonely = await fill("lonely", { ...files, "images/c.png": "photograph" });
    expect(await refusal("folder", lonely)).toBe("masks/ has nothing for c of images/");
    const twice = await fill("twice", { ...files, "images/a.jpg": "photograph" });
    expect(await refusal("folder", twice)).toMatch(/^a.jpg and a.png have one name$/);
    const other = await fill("other", { ...files, "images/c.ppm": "P6" });
    expect(await refusal("folder", other)).toMatch(/^c.ppm is not a picture of a kind that is read/);
  });

  it("says how the folder must look", async () => {
    const wrong = await fill("wrong", { "pictures/a.png": "photograph" });
    expect(await refusal("folder", wrong)).toMatch(/^images\/ missing: .*images\/a.jpg …, masks\/a.png/);
    expect(await refusal("folder", await fill("plain", files), "test")).toMatch(
      /^a plain folder has no test part/,
    );
  });

  it("refuses a label of another size, naming both", async () => {
    const directory = await fill("sizes", { "images/a.png": "photograph" });
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
    const directory = await fill("inverse", { "images/a.png": "photograph" });
    await mkdir(join(directory, "masks"));
    const data = eye.vessels.data.map((value) => 1 - value);
    await writePng(join(directory, "masks/a.png"), { ...eye.vessels, data });
    const [sample] = await readDataset({ kind: "folder", directory });
    await expect(sample.vessels()).rejects.toThrow(/marks more than half of the picture as vessel/);
  });
});
