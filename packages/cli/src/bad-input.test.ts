// What people hand to a command by mistake: each time one line, an exit code, and no file that was not there before.

import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomState } from "@saunet/core";
import { initialize, saUNet, writeWeights } from "@saunet/model";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  claiming,
  saunet,
  smallFundus,
  tiny,
  write,
  writeFolder,
  writeFreshWeights,
  writeSparse,
  writeSpoiltWeights,
} from "./testing.ts";

vi.mock("@saunet/wasm", async (original) => (await import("./testing-engine.ts")).portableEngine(original));

let here: string;
let count = 0;

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-bad-input-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await write(join(here, "good.png"), smallFundus(1).image);
});
afterAll(() => rm(here, { recursive: true }));

const at = (...names: string[]) => join(here, ...names);

/** A picture through sharp, for the kinds that only it writes. */
function picture(width = 48, height = 40) {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 251);
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** A photograph through sharp. */
function eye() {
  const { width, height, data } = smallFundus(1).image;
  return sharp(Uint8Array.from(data), { raw: { width, height, channels: 3 } });
}

async function expectFailure(argv: readonly string[], line: RegExp, exit = 1): Promise<void> {
  const before = await readdir(here, { recursive: true });
  const { code, out, err } = await saunet(here, argv);
  expect(err).toMatch(line);
  expect(err.trimEnd()).not.toContain("\n");
  expect([code, out]).toEqual([exit, ""]);
  const fresh = (await readdir(here, { recursive: true })).filter((name) => !before.includes(name));
  expect(fresh.filter((name) => /\.\w+$/.test(name))).toEqual([]);
}

/** Segments into a folder of its own. */
const segment = (...argv: string[]) => [
  "segment",
  "--weights",
  "tiny.safetensors",
  "-o",
  `out${count++}`,
  ...argv,
];

describe("a photograph", () => {
  it("that is missing", () =>
    expectFailure(segment("no.jpg"), /^saunet: no\.jpg: no such file or folder\n$/));

  it("that is a folder", async () => {
    await mkdir(at("folder.jpg"));
    await expectFailure(segment("folder.jpg"), /^saunet: folder\.jpg: is a folder, not a picture\n$/);
  });

  it("that is empty", async () => {
    await writeFile(at("empty.jpg"), "");
    await expectFailure(segment("empty.jpg"), /^saunet: empty\.jpg: is empty\n$/);
  });

  it.each<["jpeg" | "png" | "tiff", RegExp]>([
    ["jpeg", /^saunet: short\.jpeg: is damaged or cut short/],
    ["png", /^saunet: short\.png: is damaged or cut short/],
    // What says how a TIFF is to be read stands at its end.
    ["tiff", /^saunet: short\.tiff: is not a picture of a kind that is read/],
  ])("that is cut short: %s", async (format, line) => {
    const bytes = await picture(200, 200).toFormat(format).toBuffer();
    await writeFile(at(`short.${format}`), bytes.subarray(0, bytes.length * 0.6));
    await expectFailure(segment(`short.${format}`), line);
  });

  it("that is a text", async () => {
    await writeFile(at("text.jpg"), "not a photograph\n");
    await expectFailure(segment("text.jpg"), /^saunet: text\.jpg: is not a picture of a kind that is read/);
  });

  it("that is above the limit", () =>
    expectFailure(
      segment("--max-pixels", "2000", "good.png"),
      /^saunet: good\.png: has 48 x 48 = 2304 pixels; the limit is 2000\n$/,
    ));

  it("that is above the limit once padded", () =>
    expectFailure(
      segment("--max-pixels", "2400", "--pad-to", "64", "good.png"),
      /^saunet: good\.png: .*padded to 64 x 64.*the limit is 2400\n$/,
    ));

  it.each([
    [1, 1],
    [1, 33],
    [50, 1],
  ])("of %i x %i is segmented", async (width, height) => {
    const name = `${width}x${height}`;
    await picture(width, height)
      .png()
      .toFile(at(`${name}.png`));
    const { code, out, err } = await saunet(here, segment(`${name}.png`, "--json"));
    expect(code).toBe(0);
    const [{ files, warnings }] = JSON.parse(out).images;
    expect(warnings).toEqual([`is only ${width} x ${height} pixels`]);
    expect(err).toBe(
      `saunet: warning: ${name}.png: is only ${width} x ${height} pixels. Is it a fundus photograph?\n`,
    );
    expect(await sharp(at(files.mask)).metadata()).toMatchObject({ width, height });
  });

  it.each<[kind: string, make: () => Sharp]>([
    ["rgb16.png", () => eye().toColourspace("rgb16").png()],
    ["grey.png", () => eye().toColourspace("b-w").png()],
    ["grey16.png", () => eye().toColourspace("grey16").png()],
    ["alpha.png", () => eye().ensureAlpha(0.5).png()],
    ["palette.png", () => eye().png({ palette: true })],
    ["cmyk.jpg", () => eye().toColourspace("cmyk").withIccProfile("cmyk").jpeg()],
    ["rgb16.tif", () => eye().toColourspace("rgb16").tiff()],
  ])("is converted where that is natural: %s", async (name, make) => {
    await make().toFile(at(name));
    const { code, err } = await saunet(here, segment(name));
    expect([code, err]).toEqual([0, ""]);
  });
});

describe("an output", () => {
  it("below a file", () =>
    expectFailure(
      ["segment", "good.png", "--weights", "tiny.safetensors", "-o", "good.png/out"],
      /^saunet: good\.png\/out: a part of the path is a file, not a folder\n$/,
    ));

  it("that is a file", () =>
    expectFailure(
      ["segment", "good.png", "--weights", "tiny.safetensors", "-o", "good.png"],
      /^saunet: good\.png: a file is in the way of a folder\n$/,
    ));

  it("whose name is taken by a folder: what was written of that photograph goes again", async () => {
    await mkdir(at("taken", "good-overlay.png"), { recursive: true });
    await expectFailure(
      ["segment", "good.png", "--weights", "tiny.safetensors", "-o", "taken"],
      /^saunet: taken\/good-overlay\.png: cannot be written/,
    );
    expect(await readdir(at("taken"))).toEqual(["good-overlay.png"]);
  });

  it("of training below a file", () =>
    expectFailure(
      ["train", "--dataset", "synthetic", "--picture-size", "32", "-o", "good.png/run"],
      /^saunet: good\.png\/run: a part of the path is a file, not a folder\n$/,
    ));
});

describe("weights", () => {
  const use = (name: string) => ["segment", "good.png", "-o", "unused", "--weights", name];

  it("that are missing", () =>
    expectFailure(use("no.safetensors"), /^saunet: no\.safetensors: no such file or folder\n$/));

  it("that are a folder", async () => {
    await mkdir(at("folder.safetensors"));
    await expectFailure(
      use("folder.safetensors"),
      /^saunet: folder\.safetensors: is a folder, not a file\n$/,
    );
  });

  it("of another network", async () => {
    await writeFreshWeights(at("v1.safetensors"), saUNet);
    await expectFailure(
      [
        "train",
        "--dataset",
        "synthetic",
        "--network",
        "sa-unet-v2",
        "--weights",
        "v1.safetensors",
        "-o",
        "r",
      ],
      /^saunet: v1\.safetensors: weights: not a sa-unet-v2: .*; and \d+ more\n$/,
    );
  });

  it("of a network that they do not say", async () => {
    // The header without its description of the network: the same length, another key.
    const bytes = await readFile(at("tiny.safetensors"));
    const text = bytes.toString("latin1").replace('"network"', '"netwerk"');
    await writeFile(at("unsaid.safetensors"), text, "latin1");
    await expectFailure(
      use("unsaid.safetensors"),
      /^saunet: unsaid\.safetensors: weights: not a sa-unet-v2: /,
    );
  });

  const damage: [how: string, make: (bytes: Buffer) => Buffer][] = [
    ["nothing at all", () => Buffer.alloc(0)],
    ["five bytes", (bytes) => bytes.subarray(0, 5)],
    ["half of the file", (bytes) => bytes.subarray(0, bytes.length / 2)],
    ["a photograph", () => Buffer.from("\x89PNG\r\n\x1a\n and so on", "latin1")],
    [
      "a header longer than the file",
      (bytes) => Buffer.concat([Buffer.from([255, 255, 255, 255, 255, 255, 255, 127]), bytes]),
    ],
    [
      "offsets that lie",
      (bytes) =>
        Buffer.from(bytes.toString("latin1").replace('"data_offsets":[0,', '"data_offsets":[4,'), "latin1"),
    ],
    ["a byte too many", (bytes) => Buffer.concat([bytes, Buffer.from([0])])],
  ];
  it.each(damage)("that are %s", async (how, make) => {
    const name = `${how.replaceAll(" ", "-")}.safetensors`;
    await writeFile(at(name), make(await readFile(at("tiny.safetensors"))));
    await expectFailure(use(name), new RegExp(`^saunet: ${name}: (safetensors|weights): `));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("that hold %d", async (value) => {
    await writeSpoiltWeights(at("spoilt.safetensors"), value);
    const line = new RegExp(
      `^saunet: spoilt\\.safetensors: weights: "head\\.bias" holds 1 of 1 numbers that are not finite, such as ${value}\\n$`,
    );
    await expectFailure(use("spoilt.safetensors"), line);
    const start = ["train", "--dataset", "synthetic", "--weights", "spoilt.safetensors", "-o", "unused-run"];
    await expectFailure(start, line);
  });

  it("that lead to no probability", async () => {
    const huge = initialize(tiny, randomState(3));
    for (const { data } of Object.values(huge)) data.fill(3e38);
    await writeFile(at("huge.safetensors"), writeWeights({ config: tiny, parameters: huge, metadata: {} }));
    const line = /tiny gives this photograph probabilities that are not finite/;
    const { code, err } = await saunet(here, use("huge.safetensors"));
    expect([code, err]).toEqual([1, expect.stringMatching(line)]);
    expect((await readdir(here)).filter((name) => /^good-/.test(name))).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ["a PyTorch checkpoint", "torch/checkpoint.pth", /is a PyTorch checkpoint \(\.pth, \.pt\), not a safet/],
    [
      "one of before 1.6",
      "torch/checkpoint-legacy.pth",
      /is a PyTorch checkpoint \(\.pth, \.pt\), not a safet/,
    ],
    [
      "Keras's",
      "keras2/sa-unet.h5",
      /is an HDF5 file, as Keras writes them \(\.h5\), not .*; saunet import takes/,
    ],
    [
      "an archive of Keras",
      "keras2/sa-unet.keras",
      /is a Keras archive \(\.keras\), not .*; saunet import takes/,
    ],
  ])("that are %s", async (_, name, line) => {
    await copyFile(new URL(`../../../fixtures/files/${name}`, import.meta.url), at("other"));
    await expectFailure(use("other"), line);
    await rm(at("other"));
  });

  it("that have no end, or are too many, before they are read", async () => {
    await writeSparse(at("sparse"), "", 1.9e9);
    const before = process.memoryUsage().rss;
    await expectFailure(use("/dev/zero"), /^saunet: \/dev\/zero: weights: not a safetensors file\n$/);
    await expectFailure(
      use("sparse"),
      /^saunet: sparse: weights: the file has 1900000000 bytes or more; the limit/,
    );
    await expectFailure(
      ["import", "sparse", "-o", "unused"],
      /^saunet: sparse: weights: the file has 1900000000 b/,
    );
    await expectFailure(["average", "sparse", "/dev/zero", "-o", "unused"], /^saunet: \S+: weights: /);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });
});

describe("a data set", () => {
  const evaluate = (data: string) => [
    ...["evaluate", "--dataset", "folder", "--data", data],
    ...["--weights", "tiny.safetensors"],
  ];
  const train = (data: string) => [
    ...["train", "--dataset", "folder", "--data", data, "-o", "unused"],
    ...["--weights", "tiny.safetensors", "--crop", "16", "--epochs", "1", "--steps", "1"],
  ];

  it("that is missing", async () => {
    await expectFailure(evaluate("no-set"), /^saunet: no-set: images\/ missing/);
    await expectFailure(train("no-set"), /^saunet: no-set: images\/ missing/);
    await expectFailure(
      ["evaluate", "--dataset", "chase", "--data", "no-set"],
      /^saunet: no-set: no such file or folder: CHASE_DB1 is one folder with .*\n$/,
    );
  });

  it("whose only mask has another size than its photograph", async () => {
    await writeFolder(at("sizes"), ["a", "b"]);
    await picture(40, 48).threshold(250).png().toFile(at("sizes/masks/b.png"));
    const line = /sizes\/masks\/b\.png: is 40 x 48 but its photograph sizes\/images\/b\.png is 48 x 48\n$/;
    await expectFailure(train("sizes"), line);
    // The other image is evaluated, and the table says of how many the figures are.
    const { code, out, err } = await saunet(here, evaluate("sizes"));
    expect(code).toBe(1);
    expect(err).toMatch(line);
    expect(out).toContain("1 of 2 images of sizes");
  });

  it("with a photograph in place of a mask", async () => {
    await writeFolder(at("swapped"), ["a"]);
    await write(at("swapped/masks/a.png"), smallFundus(2).image);
    const { code, err } = await saunet(here, evaluate("swapped"));
    expect(code).toBe(1);
    expect(err).toMatch(
      /^saunet: a: swapped\/masks\/a\.png: is no mask.*\nsaunet: swapped: no image could be evaluated\n$/,
    );
    await writeFolder(at("half-swapped"), ["a", "b"]);
    for (const id of ["a", "b"]) await write(at(`half-swapped/masks/${id}.png`), smallFundus(2).image);
    await expectFailure(train("half-swapped"), /^saunet: half-swapped\/masks\/[ab]\.png: is no mask/);
  });

  it("too small to keep anything back", async () => {
    await writeFolder(at("single"), ["a"]);
    await expectFailure(train("single"), /^saunet: single: 1 training image: too few to keep 1 back/);
  });

  it("with a photograph above the limit", async () => {
    await writeFolder(at("large"), ["a", "b"]);
    await expectFailure(
      [...train("large"), "--max-pixels", "2000"],
      /^saunet: large: a has 48 x 48 pixels; the limit is 2000/,
    );
  });

  it("of two pictures of 10,000 x 10,000, before anything is decoded", async () => {
    // Headers alone: to decode one of them would fail in another way.
    await writeFolder(at("huge"), ["a", "b"]);
    const header = claiming(await readFile(at("huge/images/a.png")), 10_000, 10_000);
    for (const id of ["a", "b"]) await writeFile(at(`huge/images/${id}.png`), header);
    const line = /a(\.png:)? has 10000 x 10000 (= 100000000 )?pixels; the limit is 10000000/;
    await expectFailure(train("huge"), line);
    const { code, err } = await saunet(here, evaluate("huge"));
    expect(code).toBe(1);
    expect(err).toMatch(line);
    expect(err).toMatch(/no image could be evaluated\n$/);
    // The second is too large, the first is damaged: sizes come first.
    await writeFile(at("huge/images/a.png"), (await readFile(at("good.png"))).subarray(0, 900));
    await expectFailure(train("huge"), /b has 10000 x 10000 pixels/);
  });

  it("whose figures cannot be written: they are shown all the same", async () => {
    await writeFolder(at("figures"), ["a"]);
    const { code, out, err } = await saunet(here, [
      ...evaluate("figures"),
      "--csv",
      "good.png/figures.csv",
      "--json",
    ]);
    expect([code, err]).toEqual([
      1,
      "saunet: good.png/figures.csv: cannot be written: a part of the path is a file, not a folder\n",
    ]);
    expect(JSON.parse(out).images).toHaveLength(1);
  });

  it("whose figures go where a folder is: nothing temporary stays", async () => {
    await writeFolder(at("whole"), ["a"]);
    await mkdir(at("whole", "figures.csv"));
    const { code, err } = await saunet(here, [...evaluate("whole"), "--csv", "whole/figures.csv"]);
    expect([code, err]).toEqual([
      1,
      "saunet: whole/figures.csv: cannot be written: is a folder, not a file\n",
    ]);
    expect((await readdir(at("whole"))).sort()).toEqual(["figures.csv", "images", "masks"]);
  });
});
