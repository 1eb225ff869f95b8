import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readWeights, uNet } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saunet, writeFreshWeights } from "../testing.ts";

const files = fileURLToPath(new URL("../../../../fixtures/files/", import.meta.url));
let here: string;
const take = (file: string, ...argv: string[]) =>
  saunet(here, ["import", file, "-o", "out.safetensors", ...argv]);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-import-"));
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet import", () => {
  it.each(["keras2/sa-unet-v2.h5", "keras3/sa-unet-v2.keras", "torch/sa-unet-v2.safetensors"])(
    "writes weights that segment and inspect take: %s",
    async (file) => {
      const { code, out, err } = await take(join(files, file));
      expect([code, err]).toEqual([0, ""]);
      expect(out).toMatch(/^in the file +shape +in the network\n/);
      expect(out).toMatch(/\n\S+ +3x3x3x8 +encoder1\.conv1\.filter\n +8 +encoder1\.conv1\.bias\n/);
      expect(out).toMatch(
        /\nsa-unet-v2-8-8-16, 11,191 parameters, from (Keras|PyTorch) [\d.]+\S* -> out\.safetensors\n$/,
      );
      const inspected = await saunet(here, ["inspect", "out.safetensors", "--size", "16x16", "--json"]);
      expect(JSON.parse(inspected.out)).toMatchObject({ model: "sa-unet-v2-8-8-16", parameters: 11191 });
      const segmented = await saunet(here, ["segment", "--weights", "out.safetensors", "--json"]);
      expect(segmented.code).toBe(0);
    },
  );

  it("says as JSON what went where, and what it had to assume", async () => {
    const { out } = await take(
      join(files, "keras3/sa-unet-v2.weights.h5"),
      ...["--groups", "8", "--json", "--half"],
    );
    const { network, origin, assumed, assignments, file } = JSON.parse(out);
    expect(network).toMatchObject({ channels: [8, 8, 16], groups: 8 });
    expect([origin, file]).toEqual(["Keras", "out.safetensors"]);
    expect(assumed).toEqual(["activation silu", "cross-scale attention in the skips"]);
    expect(assignments[0]).toEqual({ layer: "conv2d", entry: "encoder1.conv1.filter", shape: [3, 3, 3, 8] });
    const bytes = await readFile(join(here, "out.safetensors"));
    expect(bytes.length).toBeLessThan(2.7 * 11191);
    expect(readWeights(bytes).metadata).toEqual({
      source: "Keras",
      "imported-from": "sa-unet-v2.weights.h5",
    });
  });

  it("tells in the table's last line what was assumed", async () => {
    const { out } = await take(join(files, "keras3/sa-unet.weights.h5"));
    expect(out).toMatch(/\nThe file does not say, and so was assumed: activation relu \(--network/);
  });

  it("takes the groups that it is told alone, and does not call them assumed", async () => {
    const { code, out } = await take(join(files, "keras3/sa-unet-v2.weights.h5"), "--groups", "4");
    expect(code).toBe(0);
    expect(out).toMatch(/ assumed: activation silu, cross-scale attention in the skips \(/);
    expect(readWeights(await readFile(join(here, "out.safetensors"))).config.groups).toBe(4);
  });

  it("says of a network for grey pictures what it is good for, and so do the commands", async () => {
    const grey = { ...uNet, name: "grey", channels: [2, 3], inputChannels: 1 };
    await writeFreshWeights(join(here, "grey.safetensors"), grey);
    const refused = /^saunet: (grey\.safetensors: )?.*takes 1 channels, but photographs have 3 \(RGB\)\n$/;
    for (const argv of [
      ["segment", "--weights", "grey.safetensors"],
      ["train", "--weights", "grey.safetensors", "--dataset", "synthetic", "-o", "run"],
    ]) {
      const { code, err } = await saunet(here, argv);
      expect([code, err]).toEqual([1, expect.stringMatching(refused)]);
    }
    const exported = await saunet(here, ["export", "--weights", "grey.safetensors", "--onnx", "grey.onnx"]);
    expect([exported.code, exported.err]).toEqual([0, ""]);
  });

  it("takes the network that it is told", async () => {
    const spatial = ["--network", "sa-unet+gn+silu+channels+sa", "--channels", "8,16", "--groups", "8"];
    const { out } = await take(join(files, "keras3/spatial.weights.h5"), ...spatial, "--json");
    expect(JSON.parse(out).network).toMatchObject({
      name: "sa-unet+gn+silu+channels+sa-8-16",
      skipAttention: "spatial",
    });
  });

  it.each<[string, readonly string[], number, RegExp]>([
    [
      "keras2/sa-unet.h5",
      ["--network", "sa-unet-v2"],
      1,
      /is not a sa-unet-v2: it has 1 attention filter, not 4; its stages have 4, 6, 8, 8 channels, not 16, 32, 48, 64; it is nearest to a sa-unet with 4, 6, 8, 8 channels; encoder1\.conv1\.filter must be \[3,3,3,16\] but layer "conv2d" has \[3,3,3,4\]/,
    ],
    [
      "keras2/sa-unet.h5",
      ["--layout", "torch"],
      1,
      /sa-unet\.h5: is an HDF5 file, as Keras writes them \(\.h5\), not a safetensors file/,
    ],
    [
      "torch/sa-unet.safetensors",
      ["--layout", "keras"],
      1,
      /is a safetensors file, not Keras's \(HDF5 or \.keras\)/,
    ],
    ["keras2/sa-unet.h5", ["--channels", "4,6,8,8"], 2, /--channels needs --network/],
    ["keras3/sa-unet-v2.weights.h5", [], 1, /does not say how many groups its normalisation has/],
    ["keras3/sa-unet-v2.keras", ["--groups", "4"], 1, /it has 8 groups, not 4/],
    ["torch/checkpoint.pth", [], 1, /checkpoint\.pth: is a PyTorch checkpoint \(\.pth, \.pt\), a program/],
    ["torch/checkpoint-legacy.pth", [], 1, /legacy\.pth: is a PyTorch checkpoint \(\.pth, \.pt\), a program/],
    ["/dev/zero", [], 1, /\/dev\/zero: is neither Keras's \(HDF5 or \.keras\) nor a safetensors file/],
    [
      "keras2/sa-unet.h5",
      ["--channels", "4"],
      2,
      /'--channels <list>' argument '4' is invalid\. It must be two to eight integers/,
    ],
    ["keras2/none.h5", [], 1, /none\.h5: no such file/],
    ["keras2", [], 1, /keras2: is a folder/],
    ["../README.md", [], 1, /README\.md: is neither Keras's \(HDF5 or \.keras\) nor a safetensors file/],
  ])("refuses %s %j in one line, and leaves no file", async (file, argv, exit, line) => {
    const folder = await mkdtemp(join(here, "bad-"));
    const { code, out, err } = await saunet(folder, [
      "import",
      file.startsWith("/") ? file : join(files, file),
      "-o",
      "out.safetensors",
      ...argv,
    ]);
    expect([code, out]).toEqual([exit, ""]);
    expect(err).toMatch(line);
    expect(err.trimEnd()).not.toContain("\n");
    expect(await readdir(folder)).toEqual([]);
  });

  it("refuses what is a weights file already, and a file cut short", async () => {
    await writeFreshWeights(join(here, "tiny.safetensors"));
    expect((await take("tiny.safetensors")).err).toBe(
      "saunet: tiny.safetensors: is a weights file of this project already\n",
    );
    const whole = await readFile(join(files, "keras2/sa-unet.h5"));
    await writeFile(join(here, "short.h5"), whole.subarray(0, whole.length / 2));
    expect((await take("short.h5")).err).toMatch(
      /^saunet: short\.h5: is HDF5 that cannot be read: truncated file: .*\n$/,
    );
  });
});
