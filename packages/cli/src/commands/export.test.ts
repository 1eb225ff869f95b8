import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportOnnx } from "@saunet/interop";
import { loadSegmenter, readWeights } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saunet, writeFreshWeights, writeSpoiltWeights } from "../testing.ts";

let here: string;
const write = (...argv: string[]) => saunet(here, ["export", ...argv]);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-export-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeSpoiltWeights(join(here, "nan.safetensors"));
  await writeSpoiltWeights(join(here, "inf.safetensors"), Number.POSITIVE_INFINITY);
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet export", () => {
  it("writes ONNX models whose sizes are open or fixed", async () => {
    const open = await write("--onnx", "open.onnx", "--dynamic", "--weights", "tiny.safetensors");
    expect(open).toMatchObject({ code: 0, err: "" });
    expect(open.out).toMatch(
      /^tiny \(weights tiny\.safetensors\) -> open\.onnx: ONNX, any height and width that are multiples of 2, 0\.0\d MB\n$/,
    );
    const fixed = await write(
      "--onnx",
      "fixed.onnx",
      "--size",
      "64x96",
      "--batch",
      "1",
      "--opset",
      "18",
      "--json",
    );
    const { network, weights, files } = JSON.parse(fixed.out);
    expect([network.name, weights]).toEqual(["sa-unet-v2", "bundled"]);
    const bytes = await readFile(join(here, "fixed.onnx"));
    expect(files).toEqual([
      { file: "fixed.onnx", format: "onnx", bytes: bytes.length, holds: "ONNX, 64 x 96 pixels" },
    ]);
    // What the weights say of themselves goes along.
    for (const word of ["licence", "training-data", "threshold"]) expect(bytes.includes(word)).toBe(true);
  });

  it.each<[string[], Parameters<typeof exportOnnx>[1]]>([
    [[], {}],
    [["--batch", "3"], { batch: 3 }],
    [["--opset", "19"], { opset: 19 }],
    [["--batch", "2", "--opset", "18", "--size", "16x24"], { batch: 2, opset: 18, height: 16, width: 24 }],
  ])("writes the model that it is asked for: %j", async (argv, options) => {
    const { code } = await write("--onnx", "asked.onnx", "--weights", "tiny.safetensors", ...argv);
    const weights = readWeights(await readFile(join(here, "tiny.safetensors")));
    const wanted = Buffer.from(exportOnnx(weights, options));
    expect([code, wanted.equals(await readFile(join(here, "asked.onnx")))]).toEqual([0, true]);
  });

  it("writes the bundled weights in 16 bits, which read back as the nearest", async () => {
    const { out } = await write("--safetensors", "half.safetensors", "--half");
    expect(out).toMatch(/half\.safetensors: 16-bit floats, 0\.53 MB\n$/);
    const half = readWeights(await readFile(join(here, "half.safetensors")));
    const { config, parameters, metadata } = await loadSegmenter();
    expect([half.config, half.metadata]).toEqual([config, metadata]);
    for (const [name, { data }] of Object.entries(parameters)) {
      const worst = data.reduce(
        (most, value, i) =>
          Math.max(most, Math.abs(half.parameters[name].data[i] - value) - Math.abs(value) / 2048),
        0,
      );
      expect(worst, name).toBeLessThanOrEqual(2 ** -25);
    }
  });

  it("writes both at once", async () => {
    const { out } = await write(
      "--onnx",
      "a.onnx",
      "--safetensors",
      "a.safetensors",
      "--weights",
      "tiny.safetensors",
    );
    expect(out.trimEnd().split("\n")).toHaveLength(2);
    const [before, after] = await Promise.all(
      ["tiny.safetensors", "a.safetensors"].map((name) => readFile(join(here, name))),
    );
    expect(after.equals(before)).toBe(true);
  });

  it.each<[readonly string[], number, RegExp]>([
    [[], 2, /nothing to write: --onnx or --safetensors names a file/],
    [["--onnx", "x", "--size", "64x64", "--dynamic"], 2, /--size and --dynamic exclude each other/],
    [["--safetensors", "x", "--opset", "17"], 2, /--opset needs --onnx/],
    [["--onnx", "x", "--half"], 2, /--half needs --safetensors/],
    [["--onnx", "x", "--opset", "12"], 1, /opset must be an integer from 13 to 21 but is 12/],
    [["--onnx", "x", "--weights", "none"], 1, /none: no such file/],
    [
      ["--onnx", "x", "--weights", "nan.safetensors"],
      1,
      /nan\.safetensors: weights: "head\.bias" holds 1 of 1/,
    ],
    [
      ["--safetensors", "x", "--weights", "inf.safetensors"],
      1,
      /inf\.safetensors: weights: "head\.bias" holds 1/,
    ],
    [["--onnx", "x", "--weights", "/dev/zero"], 1, /\/dev\/zero: weights: not a safetensors file/],
    [["--onnx", "no/folder/x"], 1, /no\/folder\/x: /],
  ])("refuses %j in one line, and leaves no file", async (argv, exit, line) => {
    const before = await readdir(here);
    const { code, out, err } = await write(...argv);
    expect([code, out]).toEqual([exit, ""]);
    expect(err).toMatch(line);
    expect(err.trimEnd()).not.toContain("\n");
    expect(await readdir(here)).toEqual(before);
  });
});
