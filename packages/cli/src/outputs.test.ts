// Commands whose output is one of their inputs, by whatever path: refused before any work, and every input is kept.

import { cp, link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isOwnPicture, markedPng } from "./own-picture.ts";
import { saunet, smallFundus, write, writeFolder, writeFreshWeights } from "./testing.ts";

const keras = fileURLToPath(new URL("../../../fixtures/files/keras2/sa-unet-v2.h5", import.meta.url));
const bundled = fileURLToPath(new URL("../../model/weights/sa-unet-v2.safetensors", import.meta.url));
let here: string;
const at = (...names: string[]) => join(here, ...names);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-outputs-"));
  await writeFreshWeights(at("a.safetensors"));
  await writeFreshWeights(at("b.safetensors"));
  await cp(keras, at("m.h5"));
  await write(at("real", "x.png"), smallFundus(1).image);
  await writeFolder(at("set"), ["p", "q"]);
  await symlink("real", at("alias"));
  await symlink("set", at("same-set"));
  await symlink("a.safetensors", at("linked.safetensors"));
  await link(at("a.safetensors"), at("hard.safetensors"));
});
afterAll(() => rm(here, { recursive: true }));

const small = ["--weights", "a.safetensors"];
const evaluated = ["evaluate", "--dataset", "folder", "--data", "set", ...small];

const trained = [
  "train",
  "--dataset",
  "folder",
  "--crop",
  "16",
  "--epochs",
  "1",
  "--steps",
  "1",
  "--no-report",
];

describe("an output that is an input is refused, and the input kept:", () => {
  it.each<[input: string, line: RegExp, argv: string[]]>([
    [
      "m.h5",
      /^saunet: the weights would be written over m\.h5; choose another --out\n$/,
      ["import", "m.h5", "-o", "m.h5"],
    ],
    ["m.h5", /the weights would be written over m\.h5/, ["import", "m.h5", "-o", "./real/../m.h5"]],
    [
      "b.safetensors",
      /the average would be written over b\.safetensors/,
      ["average", "a.safetensors", "b.safetensors", "-o", "b.safetensors"],
    ],
    [
      "a.safetensors",
      /the average would be written over a\.safetensors/,
      ["average", "a.safetensors", "b.safetensors", "-o", "linked.safetensors"],
    ],
    [
      "a.safetensors",
      /the average would be written over a\.safetensors/,
      ["average", "a.safetensors", "b.safetensors", "-o", "hard.safetensors"],
    ],
    [
      "a.safetensors",
      /the weights file would be written over a\.safetensors; choose another --safetensors/,
      ["export", ...small, "--safetensors", "a.safetensors", "--half"],
    ],
    [
      "a.safetensors",
      /the ONNX model would be written over a\.safetensors; choose another --onnx/,
      ["export", ...small, "--onnx", "linked.safetensors"],
    ],
    [
      "a.safetensors",
      /would both be written as \.\/n\.bin/,
      ["export", ...small, "--onnx", "n.bin", "--safetensors", "./n.bin"],
    ],
    [
      "a.safetensors",
      /would both be written as alias\/n\.bin/,
      ["export", ...small, "--onnx", "real/n.bin", "--safetensors", "alias/n.bin"],
    ],
    [
      "real/x.png",
      /the trace would be written over real\/x\.png; choose another --trace/,
      ["profile", "real/x.png", ...small, "--runs", "1", "--trace", "alias/x.png"],
    ],
    [
      "a.safetensors",
      /the trace would be written over a\.safetensors/,
      ["profile", "real/x.png", ...small, "--runs", "1", "--trace", "a.safetensors"],
    ],
    [
      "set/images/p.png",
      /the figures would be written over .*p\.png; choose another --csv/,
      [...evaluated, "--csv", "same-set/images/p.png"],
    ],
    [
      "set/masks/q.png",
      /the figures would be written over .*q\.png/,
      [...evaluated, "--csv", "set/masks/q.png"],
    ],
    [
      "a.safetensors",
      /the figures would be written over a\.safetensors/,
      [...evaluated, "--csv", "a.safetensors"],
    ],
  ])("%s, %s, %j", async (input, line, argv) => {
    const before = await readFile(at(input));
    const files = await readdir(here, { recursive: true });
    const { code, out, err } = await saunet(here, argv);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(line);
    expect(await readFile(at(input))).toEqual(before);
    expect(await readdir(here, { recursive: true })).toEqual(files);
  });

  it("the weights that come with saunet", async () => {
    const { code, err } = await saunet(here, ["export", "--onnx", bundled]);
    expect([code, err]).toMatchObject([
      2,
      expect.stringMatching(/would be written over .*sa-unet-v2\.safetensors/),
    ]);
  });

  it("the weights that a run starts from, in the folder that it is to fill", async () => {
    await mkdir(at("run"));
    await writeFreshWeights(at("run", "last.safetensors"));
    const before = await readFile(at("run", "last.safetensors"));
    const argv = [...trained, "--data", "set", "--weights", "run/last.safetensors", "-o", "run"];
    const { code, err } = await saunet(here, argv);
    expect([code, err]).toEqual([
      2,
      "saunet: the last weights would be written over run/last.safetensors; choose another --out\n",
    ]);
    expect(await readFile(at("run", "last.safetensors"))).toEqual(before);
    expect(await readdir(at("run"))).toEqual(["last.safetensors"]);
  });

  it("a photograph that a run's report is linked to", async () => {
    await mkdir(at("linked-run"));
    await writeFile(
      at("linked-run", "config.json"),
      JSON.stringify({ sets: [{ dataset: "folder", data: "set" }] }),
    );
    await writeFile(at("linked-run", "log.jsonl"), "");
    await symlink("../set/images/p.png", at("linked-run", "report.html"));
    const before = await readFile(at("set/images/p.png"));
    const { code, err } = await saunet(here, ["report", "linked-run", ...small]);
    expect([code, err]).toMatchObject([
      2,
      expect.stringMatching(/the report would be written over .*p\.png/),
    ]);
    expect(await readFile(at("set/images/p.png"))).toEqual(before);
  });
});

describe("saunet segment", () => {
  const segment = (...argv: string[]) => saunet(here, ["segment", "real/x.png", ...small, ...argv]);

  it("does not write over what a person drew, unless it is told to", async () => {
    const drawn = await sharp({ create: { width: 48, height: 48, channels: 3, background: "white" } })
      .png()
      .toBuffer();
    await mkdir(at("drawn"));
    await writeFile(at("drawn", "x-mask.png"), drawn);
    const { code, out, err } = await segment("-o", "drawn");
    expect([code, out, err]).toEqual([
      2,
      "",
      "saunet: drawn/x-mask.png is there, and saunet did not write it or it was changed since; choose another --out, or --overwrite it\n",
    ]);
    expect(await readdir(at("drawn"))).toEqual(["x-mask.png"]);
    expect(await readFile(at("drawn", "x-mask.png"))).toEqual(drawn);
    expect((await segment("-o", "drawn", "--overwrite")).code).toBe(0);
    expect(await readFile(at("drawn", "x-mask.png"))).not.toEqual(drawn);
    // Now it is its own.
    expect((await segment("-o", "drawn")).code).toBe(0);
  });

  it("takes its own picture for a person's once that was changed, whatever texts are kept", async () => {
    expect((await segment("-o", "own")).code).toBe(0);
    const mask = at("own", "x-mask.png");
    expect(await isOwnPicture(mask)).toBe(true);
    const { comments } = await sharp(mask).metadata();
    expect(comments).toEqual([
      { keyword: "Software", text: expect.stringMatching(/^saunet segment; SHA-256 /) },
    ]);
    // What an editor does that keeps texts: the old mark in a picture with other pixels.
    const kept = await readFile(mask);
    const text = kept.indexOf("tEXt") - 4;
    const chunk = kept.subarray(text, text + 12 + kept.readUInt32BE(text));
    const other = await readFile(at("real", "x.png"));
    await writeFile(mask, Buffer.concat([other.subarray(0, 33), chunk, other.subarray(33)]));
    expect((await sharp(mask).metadata()).comments).toEqual(comments);
    expect((await segment("-o", "own")).code).toBe(2);
  });

  it("marks PNGs that every reader reads", async () => {
    const png = await readFile(at("real", "x.png"));
    const pixels = await sharp(markedPng(png), { failOn: "warning" }).raw().toBuffer();
    expect(pixels).toEqual(await sharp(png).raw().toBuffer());
  });
});
