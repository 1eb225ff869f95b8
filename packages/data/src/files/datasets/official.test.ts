import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldOfView } from "../../field-of-view.ts";
import { readDataset } from "./index.ts";
import { eye, fill, idsOf, refusal } from "./testing.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-datasets-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("chase", () => {
  const ids = Array.from({ length: 14 }, (_, i) => String(i + 1).padStart(2, "0")).flatMap((n) => [
    `${n}L`,
    `${n}R`,
  ]);
  const files = Object.fromEntries(
    ids.flatMap((id) => [
      [`Image_${id}.jpg`, "photograph"],
      [`Image_${id}_1stHO.png`, "fixture:chase-vessels.png"],
      [`Image_${id}_2ndHO.png`, "vessels"],
    ]),
  );

  it("splits the 28 pictures as the literature does", async () => {
    const directory = await fill(join(folder, "chase"), { ...files, "Readme.txt": "hello" });
    const [train, test] = [await idsOf("chase", directory, "train"), await idsOf("chase", directory, "test")];
    expect([train.length, train[0], train[19]]).toEqual([20, "Image_01L", "Image_10R"]);
    expect([test.length, test[0], test[7]]).toEqual([8, "Image_11L", "Image_14R"]);
    expect(await idsOf("chase", directory, "all")).toEqual([...train, ...test]);
  });

  it("reads photograph, vessels of either observer and a found field of view", async () => {
    const directory = await fill(join(folder, "chase"), files);
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
    expect(await refusal("chase", await fill(join(folder, "chase-27"), others))).toMatch(
      /^Image_07R.jpg missing: /,
    );
  });
});

describe("hrf", () => {
  const numbers = Array.from({ length: 15 }, (_, i) => String(i + 1).padStart(2, "0"));
  const files = Object.fromEntries(
    numbers.flatMap((number) =>
      ["dr", "g", "h"].flatMap((group) => [
        // The photographs of one group carry their ending in capitals.
        [`images/${number}_${group}.${group === "dr" ? "JPG" : "jpg"}`, "photograph"],
        [`manual1/${number}_${group}.tif`, `fixture:hrf-vessels${group === "h" ? "-big-endian" : ""}.tif`],
        [`mask/${number}_${group}_mask.tif`, "fixture:hrf-field.tif"],
      ]),
    ),
  );

  it("trains on the first five of each group and tests on the others", async () => {
    const directory = await fill(join(folder, "hrf"), files);
    const [train, test] = [await idsOf("hrf", directory, "train"), await idsOf("hrf", directory, "test")];
    expect(train).toEqual(
      numbers.slice(0, 5).flatMap((number) => ["dr", "g", "h"].map((g) => `${number}_${g}`)),
    );
    expect([test.length, test[0], test[29]]).toEqual([30, "06_dr", "15_h"]);
    expect(await idsOf("hrf", directory, "all")).toEqual([...train, ...test]);
  });

  it("reads photograph, vessels and the field of view that comes with the set", async () => {
    const [sample, , healthy] = await readDataset({
      kind: "hrf",
      directory: await fill(join(folder, "hrf"), files),
    });
    expect(sample.observers).toEqual(["manual1"]);
    expect(Uint8Array.from((await sample.image()).data)).toEqual(Uint8Array.from(eye.image.data));
    expect(await sample.vessels()).toEqual(eye.vessels);
    expect(await healthy.vessels()).toEqual(eye.vessels);
    expect(await sample.fieldOfView()).toEqual(eye.fieldOfView);
  });

  it("wants the files of the part that is asked for, no others", async () => {
    const { "mask/07_g_mask.tif": _, ...others } = files;
    const directory = await fill(join(folder, "hrf-incomplete"), others);
    expect(await refusal("hrf", directory, "test")).toMatch(
      /^mask\/07_g_mask.tif missing: HRF is one folder .*Friedrich-Alexander-Universität/,
    );
    expect(await readDataset({ kind: "hrf", directory, split: "train" })).toHaveLength(15);
  });
});

describe("drive", () => {
  const part = (name: string, first: number, observers: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => String(first + i).padStart(2, "0")).flatMap((number) => [
        [`${name}/images/${number}_${name}.tif`, "fixture:drive.tif"],
        [`${name}/mask/${number}_${name}_mask.gif`, "fixture:drive-field.gif"],
        ...observers.map((observer, i) => [
          `${name}/${observer}/${number}_manual${i + 1}.gif`,
          i === 0 ? "fixture:drive-vessels.gif" : "fixture:drive-second.gif",
        ]),
      ]),
    );
  const training = part("training", 21, ["1st_manual"]);
  const files = { ...training, ...part("test", 1, ["1st_manual", "2nd_manual"]) };

  it("splits as the set itself does", async () => {
    const directory = await fill(join(folder, "drive"), files);
    const [train, test] = [await idsOf("drive", directory, "train"), await idsOf("drive", directory, "test")];
    expect([train.length, train[0], train[19]]).toEqual([20, "21_training", "40_training"]);
    expect([test.length, test[0], test[19]]).toEqual([20, "01_test", "20_test"]);
    expect(await idsOf("drive", directory, "all")).toEqual([...train, ...test]);
  });

  it("reads LZW in strips of four rows, masks in GIF and in a palette beside black and white", async () => {
    const directory = await fill(join(folder, "drive"), files);
    const [sample] = await readDataset({ kind: "drive", directory, split: "test" });
    expect(Uint8Array.from((await sample.image()).data)).toEqual(Uint8Array.from(eye.image.data));
    expect(sample.observers).toEqual(["1st_manual", "2nd_manual"]);
    expect(await sample.vessels()).toEqual(eye.vessels);
    expect(await sample.vessels("2nd_manual")).toEqual(eye.vessels);
    expect(await sample.fieldOfView()).toEqual(eye.fieldOfView);
    const [first] = await readDataset({ kind: "drive", directory, split: "train" });
    expect(first.observers).toEqual(["1st_manual"]);
  });

  it("trains where the labels of the test images are missing, as in newer versions, and says so where it tests", async () => {
    const unlabelled = Object.fromEntries(
      Object.entries(files).filter(([file]) => !/^test.*manual/.test(file)),
    );
    const directory = await fill(join(folder, "drive-unlabelled"), unlabelled);
    expect(await idsOf("drive", directory, "train")).toHaveLength(20);
    expect(await refusal("drive", directory, "test")).toMatch(
      /^test\/1st_manual\/01_manual1.gif, .* and 17 more missing: DRIVE is .*without the labels of the test images$/,
    );
  });
});

describe("stare", () => {
  const numbers = [
    ...["0001", "0002", "0003", "0004", "0005", "0044", "0077", "0081", "0082", "0139"],
    ...["0162", "0163", "0235", "0236", "0239", "0240", "0255", "0291", "0319", "0324"],
  ];
  const files = Object.fromEntries(
    numbers.flatMap((number) => [
      [`im${number}.ppm`, "fixture:stare.ppm"],
      [`im${number}.ah.ppm`, "fixture:stare-vessels.ppm"],
      [`im${number}.vk.ppm`, "fixture:stare-vessels.ppm"],
    ]),
  );

  it("trains on the first 16 and tests on the last 4", async () => {
    const directory = await fill(join(folder, "stare"), files);
    expect(await idsOf("stare", directory, "test")).toEqual(["im0255", "im0291", "im0319", "im0324"]);
    expect(await idsOf("stare", directory, "train")).toHaveLength(16);
    expect(await idsOf("stare", directory, "all")).toEqual(numbers.map((number) => `im${number}`));
  });

  it("reads PPM whose label is a PGM by the name of a PPM", async () => {
    const directory = await fill(join(folder, "stare"), files);
    const [sample] = await readDataset({ kind: "stare", directory });
    expect(sample.observers).toEqual(["ah", "vk"]);
    expect(Uint8Array.from((await sample.image()).data)).toEqual(Uint8Array.from(eye.image.data));
    expect(await sample.vessels("vk")).toEqual(eye.vessels);
    expect(await sample.fieldOfView()).toEqual(fieldOfView(eye.image));
  });

  it("reads it gzipped, and from the folders that its archives unpack to", async () => {
    const apart = Object.fromEntries(
      numbers.flatMap((number) => [
        [`stare-images/im${number}.ppm.gz`, "fixture:stare.ppm.gz"],
        [`labels-ah/im${number}.ah.ppm.gz`, "fixture:stare-vessels.ppm.gz"],
      ]),
    );
    const directory = await fill(join(folder, "stare-apart"), apart);
    const [sample] = await readDataset({ kind: "stare", directory });
    expect(sample.observers).toEqual(["ah"]);
    expect(Uint8Array.from((await sample.image()).data)).toEqual(Uint8Array.from(eye.image.data));
    expect(await sample.vessels()).toEqual(eye.vessels);
  });

  it("says how the folder must look, and where the set is to be had", async () => {
    const directory = await fill(join(folder, "stare-27"), { "im0001.ppm": "fixture:stare.ppm" });
    expect(await refusal("stare", directory)).toMatch(
      /^im0001.ah.ppm, im0002.ppm, im0002.ah.ppm and 36 more missing: STARE is .*Clemson/,
    );
  });
});

describe("fives", () => {
  const part = (name: string, stems: readonly string[]) =>
    Object.fromEntries(
      stems.flatMap((stem) => [
        [`${name}/Original/${stem}.png`, "photograph"],
        [`${name}/Ground truth/${stem}.png`, "vessels"],
      ]),
    );
  const files = { ...part("train", ["1_A", "2_A", "151_D"]), ...part("test", ["1_A", "2_N"]) };

  it("keeps the parts apart, whose pictures have the same names", async () => {
    const directory = await fill(join(folder, "fives"), { ...files, "train/Original/Thumbs.db": "" });
    const [train, test] = [await idsOf("fives", directory, "train"), await idsOf("fives", directory, "test")];
    expect(train).toEqual(["train/151_D", "train/1_A", "train/2_A"]);
    expect(test).toEqual(["test/1_A", "test/2_N"]);
    expect(await idsOf("fives", directory, "all")).toEqual([...train, ...test]);
    const [sample] = await readDataset({ kind: "fives", directory });
    expect(sample.observers).toEqual(["Ground truth"]);
    expect(await sample.vessels()).toEqual(eye.vessels);
    expect(await sample.fieldOfView()).toEqual(fieldOfView(eye.image));
  });

  it("names what is missing", async () => {
    expect(await refusal("fives", join(folder, "nowhere"))).toMatch(
      /^train\/Original\/ missing: FIVES is .*figshare/,
    );
    const { "test/Ground truth/2_N.png": _, ...others } = files;
    expect(await refusal("fives", await fill(join(folder, "fives-lonely"), others), "test")).toBe(
      "Ground truth/ has nothing for 2_N of Original/",
    );
  });
});
