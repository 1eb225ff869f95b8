import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { overlay } from "@saunet/data";
import { readMask, readPhotograph } from "@saunet/data/files";
import { loadSegmenter } from "@saunet/model";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keeper, saunet, smallFundus, write, writeFreshWeights } from "../testing.ts";

let here: string;
const segment = (...argv: string[]) => saunet(here, ["segment", "--weights", "tiny.safetensors", ...argv]);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-segment-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await write(join(here, "left.png"), smallFundus(1).image);
  await write(join(here, "right.png"), smallFundus(2).image);
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet segment", () => {
  it("writes what the network says, as pictures of the photograph's size", async () => {
    const { code, out, err } = await segment("left.png", "-o", "one", "--threshold", "0.45");
    expect([code, err]).toEqual([0, ""]);
    expect((await readdir(join(here, "one"))).sort()).toEqual([
      "left-mask.png",
      "left-overlay.png",
      "left-probability.png",
    ]);
    const segmenter = await loadSegmenter({ weights: await readFile(join(here, "tiny.safetensors")) });
    const { image } = smallFundus(1);
    const { probability, mask } = await segmenter.segment(image, { threshold: 0.45 });
    const map = sharp(join(here, "one/left-probability.png"));
    expect(await map.metadata()).toMatchObject({ width: 48, height: 48, channels: 1, depth: "uchar" });
    const levels = await map.extractChannel(0).raw().toBuffer();
    expect([...levels]).toEqual([...probability].map((value) => Math.round(255 * value)));
    expect(await readMask(join(here, "one/left-mask.png"))).toEqual(mask);
    const drawn = await readPhotograph(join(here, "one/left-overlay.png"));
    expect([...drawn.data]).toEqual([...overlay(image, mask).data]);
    expect(out).toMatch(
      /^left\.png: 48x48 in \d+\.\d s, vessels \d+\.\d % of the field of view -> one\/left-probability\.png, .*\n$/,
    );
  });

  it("says in its JSON where the time went", async () => {
    const { out } = await segment("left.png", "right.png", "-o", "times", "--json");
    const { images, seconds } = JSON.parse(out);
    const [left, right] = images.map(({ networkSeconds }: { networkSeconds: number }) => networkSeconds);
    expect(Math.min(left, right)).toBeGreaterThan(0);
    expect(left + right).toBeLessThan(seconds);
  });

  it("gives each of several its own pictures, in the order of their names", async () => {
    await segment("left.png", "-o", "alone");
    await segment("right.png", "-o", "alone");
    const { out, err } = await segment("right.png", "missing.png", "left.png", "-o", "together");
    expect(out.split("\n").map((line) => line.split(":")[0])).toEqual(["right.png", "left.png", ""]);
    expect(err).toMatch(/^saunet: missing\.png: .*\n$/);
    const names = await readdir(join(here, "alone"));
    expect(await readdir(join(here, "together"))).toEqual(names);
    for (const name of names)
      expect(await readFile(join(here, "together", name))).toEqual(await readFile(join(here, "alone", name)));
  });

  it("follows the threshold and pads on request", async () => {
    const share = async (...argv: string[]) => {
      const { out } = await segment("left.png", "-o", "shares", "--json", ...argv);
      return JSON.parse(out).images[0].vesselShare;
    };
    expect(await share("--threshold", "0")).toBe(1);
    expect(await share("--threshold", "1")).toBe(0);
    expect(await share("--pad-to", "96")).not.toBe(await share());
  });

  it("draws its own picture where none is named, and knows how well it did", async () => {
    const { code, out } = await segment("-o", "own", "--json");
    const { images, failed } = JSON.parse(out);
    expect([code, failed]).toEqual([0, []]);
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({ input: "synthetic", width: 592, height: 592 });
    expect(Object.values<string>(images[0].files).sort()).toEqual(
      ["mask", "overlay", "photograph", "probability", "truth"].map((kind) => `own/synthetic-${kind}.png`),
    );
    const mask = await readMask(join(here, "own/synthetic-mask.png"));
    const truth = await readMask(join(here, "own/synthetic-truth.png"));
    const both = mask.data.filter((value, i) => value + truth.data[i] === 2).length;
    const sum = [...mask.data, ...truth.data].reduce((total, value) => total + value, 0);
    expect(images[0].f1).toBeCloseTo((2 * both) / sum, 12);
  });

  it("goes on after a bad file, and says so", async () => {
    const { code, out, err } = await segment("left.png", "missing.png", "right.png", "-o", "many", "--json");
    const { images, failed } = JSON.parse(out);
    expect(code).toBe(1);
    expect(images.map(({ input }: { input: string }) => input)).toEqual(["left.png", "right.png"]);
    expect(failed).toEqual([{ input: "missing.png", error: "missing.png: no such file or folder" }]);
    expect(err).toBe("saunet: missing.png: no such file or folder\n");
    expect(await readdir(join(here, "many"))).toHaveLength(6);
  });

  it("refuses photographs whose outputs would have one name, before any work", async () => {
    const { code, err } = await segment("left.png", "elsewhere/left.jpg", "-o", "clash");
    expect([code, err]).toEqual([
      2,
      "saunet: left.png and elsewhere/left.jpg would both be written as left-mask.png; segment them into different folders\n",
    ]);
    await expect(readdir(join(here, "clash"))).rejects.toThrow("ENOENT");
  });

  it("knows one name in both spellings of Unicode", async () => {
    const { code, err } = await segment("h\u00f6he.png", "elsewhere/ho\u0308he.jpg", "-o", "clash");
    expect(code).toBe(2);
    expect(err).toMatch(/would both be written as .*; segment them into different folders\n$/);
  });

  it("warns of a picture that is no fundus photograph, on stderr and in the JSON", async () => {
    const black = { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3) };
    await write(join(here, "black.png"), black);
    const { code, out, err } = await segment("black.png", "left.png", "-o", "warned", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out).images.map(({ warnings }: { warnings: string[] }) => warnings)).toEqual([
      ["is of one brightness throughout"],
      [],
    ]);
    expect(err).toBe(
      "saunet: warning: black.png: is of one brightness throughout. Is it a fundus photograph?\n",
    );
  });

  it.each(["ppm", "ppm.gz", "pgm"])("reads %s like any other kind", async (ending) => {
    const { image } = smallFundus(1);
    const isGrey = ending === "pgm";
    const samples = Uint8Array.from(image.data).filter((_, i) => !isGrey || i % 3 === 1);
    const plain = Buffer.concat([Buffer.from(isGrey ? "P5 48 48 255\n" : "P6 48 48 255\n"), samples]);
    await writeFile(join(here, `netpbm.${ending}`), ending.endsWith("gz") ? gzipSync(plain) : plain);
    const { code, out, err } = await segment(`netpbm.${ending}`, "-o", `netpbm-${ending}`, "--json");
    expect([code, err]).toEqual([0, ""]);
    const [{ files }] = JSON.parse(out).images;
    const segmenter = await loadSegmenter({ weights: await readFile(join(here, "tiny.safetensors")) });
    const grey = { ...image, data: Uint8Array.from(image.data, (_, i) => image.data[i - (i % 3) + 1]) };
    expect(await readMask(join(here, files.mask))).toEqual(
      (await segmenter.segment(isGrey ? grey : image)).mask,
    );
  });

  it("never writes over a photograph", async () => {
    const { code, err } = await segment("left.png", "./left-mask.png", "-o", ".");
    expect([code, err]).toEqual([
      2,
      "saunet: the mask of left.png would be written over ./left-mask.png; choose another --out\n",
    ]);
  });

  // A folder bears the name of the last of three pictures; one of the other two was there before.
  it("takes its new pictures away where one of the same photograph cannot be written", async () => {
    await segment("left.png", "-o", "blocked");
    await rm(join(here, "blocked/left-probability.png"));
    await rm(join(here, "blocked/left-overlay.png"));
    await mkdir(join(here, "blocked/left-overlay.png"));
    const { code, err } = await segment("left.png", "-o", "blocked", "--overwrite");
    expect([code, err]).toEqual([1, expect.stringMatching(/^saunet: .*left-overlay\.png.*\n$/)]);
    expect((await readdir(join(here, "blocked"))).sort()).toEqual(["left-mask.png", "left-overlay.png"]);
  });

  it("shows a bar on a terminal, and nothing of it elsewhere", async () => {
    const terminal = keeper({ isTTY: true });
    const { out } = await saunet(
      here,
      ["segment", "--weights", "tiny.safetensors", "left.png", "right.png", "-o", "bar"],
      { stderr: terminal.stream },
    );
    expect(terminal.text()).toContain("2/2  right.png");
    expect(out.split("\n")).toHaveLength(3);
    expect(out).not.toContain("\u001b");
  });
});
