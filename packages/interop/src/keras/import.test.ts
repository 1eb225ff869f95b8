// Files that Keras 2.12 and 3 wrote, against what the networks in them answered (fixtures/README.md).

import { readFileSync } from "node:fs";
import { noGrad, readSafetensors, sigmoid } from "@saunet/core";
import {
  forward,
  type NetworkConfig,
  networks,
  readWeights,
  saUNet,
  saUNetV2,
  writeWeights,
} from "@saunet/model";
import { BlobWriter, TextReader, Uint8ArrayReader, ZipWriter } from "@zip.js/zip.js";
import * as onnxruntime from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { largestDifference } from "../../../../fixtures/networks.ts";
import { ImportError } from "../errors.ts";
import { hdf5Reader } from "../hdf5/read.ts";
import { type ImportOptions, importModel } from "../imported.ts";
import { exportOnnx } from "../onnx/export.ts";
import { permute } from "../permute.ts";
import { unpackKeras } from "./archive.ts";
import { importKeras, readKeras } from "./import.ts";

const folder = new URL("../../../../fixtures/files/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

/** As importKeras does it, but for a worker that starts once for all files. */
const reader = hdf5Reader();
afterAll(() => reader.close());
const take = async (bytes: Uint8Array, options: ImportOptions = {}) =>
  importModel(await readKeras(bytes, reader), options);

const channels = [8, 8, 16];
const spatial = networks["sa-unet+gn+silu+channels+sa"];

/** What a file must be taken for. */
type Expected = Partial<NetworkConfig> & { origin: string; assumed: number };

describe("importKeras", () => {
  it.each<[string, Expected, ImportOptions?]>([
    ["keras2/sa-unet-v2.h5", { name: "sa-unet-v2-8-8-16", channels, origin: "Keras 2.12.0", assumed: 0 }],
    [
      "keras2/sa-unet-v2-weights.h5",
      { name: "sa-unet-v2-8-8-16", channels, origin: "Keras 2.12.0", assumed: 2 },
      { groups: 8 },
    ],
    [
      "keras2/sa-unet-v2.weights.h5",
      { name: "sa-unet-v2-8-8-16", channels, origin: "Keras", assumed: 2 },
      { groups: 8 },
    ],
    [
      "keras2/sa-unet.h5",
      { name: "sa-unet-4-6-8-8", activation: "relu", origin: "Keras 2.12.0", assumed: 0 },
    ],
    [
      "keras2/sa-unet.keras",
      { name: "sa-unet-4-6-8-8", normalization: "batch", origin: "Keras 2.12.0", assumed: 0 },
    ],
    [
      "keras2/no-norm-weights.h5",
      { normalization: "none", origin: "Keras 2.12.0", assumed: 0 },
      {
        config: {
          ...networks["u-net"],
          name: "plain",
          channels: [4, 8],
          normalization: "none",
          activation: "silu",
        },
      },
    ],
    ["keras3/sa-unet-v2.keras", { name: "sa-unet-v2-8-8-16", channels, origin: "Keras 3.15.1", assumed: 0 }],
    [
      "keras3/sa-unet-v2.weights.h5",
      { name: "sa-unet-v2-8-8-16", channels, origin: "Keras", assumed: 2 },
      { groups: 8 },
    ],
    ["keras3/sa-unet-v2.h5", { name: "sa-unet-v2-8-8-16", channels, origin: "Keras 3.15.1", assumed: 0 }],
    ["keras3/sa-unet.weights.h5", { name: "sa-unet-4-6-8-8", origin: "Keras", assumed: 1 }],
    [
      "keras3/four-groups.keras",
      { groups: 4, channels: [4, 8, 8], skipAttention: "spatial", origin: "Keras 3.15.1", assumed: 0 },
    ],
    ["keras3/named.weights.h5", { channels, origin: "Keras", assumed: 2 }, { groups: 8 }],
    [
      "keras3/spatial.weights.h5",
      { skipAttention: "spatial", origin: "Keras", assumed: 0 },
      { config: { ...spatial, channels: [8, 16] } },
    ],
  ])("takes %s over and answers as Keras did", async (name, { origin, assumed, ...expected }, options) => {
    const imported = await take(file(name), options);
    expect(imported.config).toMatchObject(expected);
    expect(imported.origin).toBe(origin);
    expect(imported.assumed).toHaveLength(assumed);
    expect(imported.assignments.map(({ entry }) => entry)).toEqual(Object.keys(imported.parameters));
    // By way of a weights file, as the command does.
    const { config, parameters } = readWeights(writeWeights(imported));
    const { x, probability } = readSafetensors(file(name.replace("/", "/answers/") + ".safetensors")).tensors;
    const found = noGrad(() => sigmoid(forward(config, parameters, x)));
    expect(found.shape).toEqual(probability.shape);
    expect(largestDifference(found.data, probability.data)).toBeLessThan(1e-5);
  });
});

/** An archive of texts and bytes. */
async function archive(parts: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array> {
  const writer = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  for (const [name, part] of Object.entries(parts)) {
    await writer.add(name, typeof part === "string" ? new TextReader(part) : new Uint8ArrayReader(part));
  }
  return new Uint8Array(await (await writer.close()).arrayBuffer());
}

/** The place of a text in a file, and the file with another text of the same length there. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  expect(text).toContain(from);
  return new Uint8Array(Buffer.from(text.replaceAll(from, to), "latin1"));
}

describe("importKeras", () => {
  it("gives onnxruntime, by way of ONNX, what Keras answered", async () => {
    const imported = await importKeras(file("keras2/sa-unet-v2.h5"));
    const session = await onnxruntime.InferenceSession.create(exportOnnx(imported), { intraOpNumThreads: 1 });
    const { x, probability } = readSafetensors(file("keras2/answers/sa-unet-v2.h5.safetensors")).tensors;
    const [N, H, W, C] = x.shape;
    const image = permute(new Float32Array(x.data), x.shape, [0, 3, 1, 2]);
    const answer = await session.run({ image: new onnxruntime.Tensor("float32", image, [N, C, H, W]) });
    const found = answer.probability.data as Float32Array;
    expect(found.length).toBe(probability.size);
    expect(largestDifference(found, probability.data)).toBeLessThan(1e-5);
    await session.release();
  });
});

describe("importKeras refuses", () => {
  const h5 = file("keras2/sa-unet-v2.h5");
  const weights = file("keras3/sa-unet-v2.weights.h5");
  const description = (layers: object[]) => JSON.stringify({ class_name: "Functional", config: { layers } });
  const layer = (class_name: string, config: object, name = "layer") => ({
    class_name,
    config: { name, ...config },
  });
  const withConfig = (config: string) => () =>
    archive({ "config.json": config, "model.weights.h5": weights });

  it.each<[string, () => Uint8Array | Promise<Uint8Array>, string | RegExp, ImportOptions?]>([
    ["nothing", () => new Uint8Array(0), "is not Keras's (HDF5 or .keras)"],
    ["a text", () => new TextEncoder().encode("not a model"), "is not Keras's (HDF5 or .keras)"],
    ["a page", () => new TextEncoder().encode("<html>"), "is a web page, not Keras's (HDF5 or .keras)"],
    [
      "weights of PyTorch",
      () => file("torch/u-net.safetensors"),
      "is a safetensors file, not Keras's (HDF5 or .keras)",
    ],
    [
      "a checkpoint of PyTorch",
      () => file("torch/checkpoint.pth"),
      "is a PyTorch checkpoint (.pth, .pt), a program rather than data: docs/interop.md",
    ],
    [
      "one of before 1.6",
      () => file("torch/checkpoint-legacy.pth"),
      "is a PyTorch checkpoint (.pth, .pt), a program rather than data: docs/interop.md",
    ],
    [
      "HDF5 cut short",
      () => h5.subarray(0, 100_000),
      /^is HDF5 that cannot be read: truncated file: eof = 100000/,
    ],
    ["nothing but a signature", () => h5.subarray(0, 8), /^is HDF5 that cannot be read: /],
    [
      "an archive cut short",
      () => file("keras2/sa-unet.keras").subarray(0, 100_000),
      /^is a damaged archive: /,
    ],
    [
      "an archive of something else",
      () => archive({ "a.txt": "a" }),
      "is an archive, but none of Keras's: it has no config.json",
    ],
    [
      "a PyTorch checkpoint that begins with something else",
      () => archive({ "readme.txt": "", "model/data.pkl": "" }),
      "is a PyTorch checkpoint",
    ],
    [
      "an archive with a changed byte",
      () => {
        const bytes = file("keras2/sa-unet.keras");
        bytes[(bytes.length / 2) | 0] ^= 1;
        return bytes;
      },
      "is a damaged archive: Invalid CRC32",
    ],
    [
      "a bomb",
      () => archive({ "config.json": " ".repeat(2 ** 24 + 1) }),
      /is an archive whose config\.json unpacks to 16777217 bytes; up to 16777216 are read$/,
    ],
    [
      "weights that unpack to far more than Keras packs",
      () => archive({ "config.json": "{}", "model.weights.h5": new Uint8Array(2 ** 24 + 1) }),
      /model\.weights\.h5 unpacks to 16777217 bytes; up to 16777216 are read of \d{4,6} packed ones$/,
    ],
    [
      "weights that are zeros",
      () => archive({ "config.json": "{}", "model.weights.h5": new Uint8Array(2 ** 20) }),
      "is an archive whose model.weights.h5 is not HDF5",
    ],
    [
      "a bomb that lies about its size",
      async () => {
        // The size unpacked, in the local header and in the directory.
        const bytes = await archive({ "config.json": " ".repeat(2 ** 24 + 1) });
        const size = [1, 0, 0, 1];
        for (let i = 0; i + 4 <= bytes.length; i++) {
          if (size.every((byte, j) => bytes[i + j] === byte)) bytes.set([100, 0, 0, 0], i);
        }
        return bytes;
      },
      /^is a damaged archive: (Invalid uncompressed size|its config.json unpacks to more than the 100 bytes)/,
    ],
    [
      "too many files",
      () => archive(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}`, ""]))),
      "more than 1000 files",
    ],
    ["a description that is no JSON", withConfig("{"), "describes its model in what is not JSON"],
    ["a description without end", withConfig("[".repeat(200) + "]".repeat(200)), "nested too deeply"],
    [
      "another activation",
      withConfig(description([layer("Activation", { activation: "elu" })])),
      "has the activation elu; networks of this family have relu or silu",
    ],
    [
      "an activation named like something that every object has",
      withConfig(description([layer("Activation", { activation: "constructor" })])),
      "has the activation constructor",
    ],
    [
      "half a group",
      withConfig(description([layer("GroupNormalization", { epsilon: 1e-3, groups: 0.5 })])),
      "has normalisations with groups 0.5",
    ],
    [
      "dilated filters",
      withConfig(description([layer("Conv2D", { strides: [1, 1], dilation_rate: [2, 2], padding: "same" })])),
      'has a Conv2D "layer" with dilation_rate [2,2]; this family has [1,1]',
    ],
    [
      "epsilons that are no numbers",
      withConfig(description([layer("BatchNormalization", { epsilon: { toString: 1 } })])),
      'has normalisations with epsilon {"toString":1}',
    ],
    [
      "a layer of Keras 1",
      withConfig(description([layer("Convolution2D", { nb_filter: 3 })])),
      "was written by Keras 1",
    ],
    [
      "averages",
      withConfig(description([layer("AveragePooling2D", {})])),
      'pools by average in layer "layer"',
    ],
    [
      "two epsilons",
      withConfig(
        description([
          layer("BatchNormalization", { epsilon: 1e-3 }),
          layer("BatchNormalization", { epsilon: 1e-5 }),
        ]),
      ),
      "has normalisations with epsilon 0.001, 0.00001",
    ],
    [
      "groups that are none",
      withConfig(description([layer("Custom>GroupNormalization", { epsilon: 1e-3, groups: -1 })])),
      "has normalisations with groups -1",
    ],
    [
      "a layer that is listed and not there",
      () => replaced(h5, "conv2d_13", "conv2d_99"),
      /lists a layer|HDF5 that cannot be read/,
    ],
    [
      "another network",
      () => h5,
      /^is not a sa-unet: .*it has 3 attention filters, not 1; .*; it is nearest to a sa-unet-v2 with 8, 8, 16 channels; encoder1\.conv1\.filter must be \[3,3,3,16\] but layer "conv2d" has \[3,3,3,8\]/,
      { config: saUNet },
    ],
    [
      "other groups than asked for",
      () => h5,
      "is not a sa-unet-v2: it has 8 groups, not 4",
      { config: { ...saUNetV2, channels, groups: 4 } },
    ],
    [
      "groups that nothing tells",
      async () => (await unpackKeras(file("keras3/four-groups.keras"))).weights,
      "does not say how many groups its normalisation has, and its weights do not tell: state them (--groups",
    ],
    [
      "groups that do not divide the channels",
      async () => (await unpackKeras(file("keras3/four-groups.keras"))).weights,
      "has 4 channels, which do not make up 8 groups",
      { groups: 8 },
    ],
  ])("%s", async (_, make, message, options) => {
    const error = await take(await make(), options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ImportError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.length).toBeLessThan(1000);
  });

  it("names what is no bytes", async () => {
    await expect(importKeras("model.h5" as unknown as Uint8Array)).rejects.toThrow(
      new TypeError("importKeras: bytes must be a Uint8Array; loadBytes takes paths and URLs"),
    );
  });
});

describe("weights of Keras whose groups are stated", () => {
  it("answer as Keras did, by four groups and no others", async () => {
    // The weights of an archive alone do not say that there are 4.
    const { weights } = await unpackKeras(file("keras3/four-groups.keras"));
    const config = { ...spatial, channels: [4, 8, 8] };
    const { x, probability } = readSafetensors(file("keras3/answers/four-groups.keras.safetensors")).tensors;
    const errorOf = async (groups: number) => {
      const imported = await take(weights, { config, groups });
      const found = noGrad(() => sigmoid(forward(imported.config, imported.parameters, x)));
      return largestDifference(found.data, probability.data);
    };
    expect(await errorOf(4)).toBeLessThan(1e-5);
    expect(await errorOf(2)).toBeGreaterThan(0.01);
  });
});
