// Files that PyTorch wrote with the lines of docs/interop.md, against the answers that it stored in them.

import { readFileSync } from "node:fs";
import {
  noGrad,
  randomState,
  readSafetensors,
  SafetensorsError,
  sigmoid,
  Tensor,
  writeSafetensors,
} from "@saunet/core";
import {
  forward,
  initialize,
  type NetworkConfig,
  networks,
  readWeights,
  saUNet,
  withClasses,
  writeWeights,
} from "@saunet/model";
import { describe, expect, it } from "vitest";
import { largestDifference } from "../../../../fixtures/networks.ts";
import { exportOnnx } from "../onnx/export.ts";
import { permute } from "../permute.ts";
import { importTorch } from "./import.ts";

const file = (name: string) =>
  new Uint8Array(
    readFileSync(new URL(`../../../../fixtures/files/torch/${name}.safetensors`, import.meta.url)),
  );

describe("importTorch", () => {
  it.each<[string, Partial<NetworkConfig>]>([
    ["sa-unet-v2", { name: "sa-unet-v2-8-8-16", channels: [8, 8, 16], skipAttention: "cross-scale" }],
    ["shifted", { epsilon: 1e-5, transposedPadding: 1, groups: 2, activation: "silu" }],
    ["sa-unet", { name: "sa-unet-4-6-8-8", epsilon: 1e-5, transposedPadding: 1, activation: "relu" }],
    ["spatial", { skipAttention: "spatial", groups: 4, channels: [8, 8] }],
    ["u-net", { bottleneckAttention: false, normalization: "batch", epsilon: 1e-5 }],
    ["no-bias", { channels: [8, 8, 16], skipAttention: "cross-scale", transposedPadding: 1 }],
    ["no-bias-batch", { channels: [4, 8], normalization: "batch" }],
  ])("takes %s over and answers as PyTorch did", (name, expected) => {
    const imported = importTorch(file(name));
    expect(imported.config).toMatchObject(expected);
    expect(imported.origin).toMatch(/^PyTorch \d/);
    expect(imported.metadata).toEqual({ source: imported.origin });
    // By way of a weights file, as the command does.
    const { config, parameters } = readWeights(writeWeights(imported));
    const { "saunet.example": example, "saunet.answer": answer } = readSafetensors(file(name)).tensors;
    const [N, C, H, W] = example.shape;
    const x = new Tensor(permute(new Float32Array(example.data), example.shape, [0, 2, 3, 1]), [N, H, W, C]);
    const logits = noGrad(() => forward(config, parameters, x));
    const found = name === "shifted" ? logits : sigmoid(logits);
    expect(largestDifference(found.data, answer.data)).toBeLessThan(1e-5);
  });

  it("names PyTorch as the origin of a file that tells no version", () => {
    const { tensors, metadata } = readSafetensors(file("u-net"));
    const { pytorch: _, ...rest } = metadata;
    expect(importTorch(writeSafetensors(tensors, rest)).origin).toBe("PyTorch");
  });

  it("refuses a network that tells classes apart, and so does the export, in one line", () => {
    const config = withClasses(saUNet, ["artery", "vein"]);
    const wants = "wants a network with one output (vessel or not), but sa-unet tells 3 classes apart";
    expect(() => importTorch(file("sa-unet"), { config })).toThrow(`import: ${wants}`);
    const network = { config, parameters: initialize(config, randomState(1)), metadata: {} };
    expect(() => exportOnnx(network)).toThrow(`exportOnnx: ${wants}: background, artery, vein`);
  });

  it.each<[string, number]>([
    ["half", 1e-3],
    ["bfloat16", 4e-3],
  ])("takes over what ran in %s, whose answer is rounded", (name, tolerance) => {
    const { config, parameters, assumed } = importTorch(file(name));
    expect(assumed).toEqual([]);
    const { "saunet.example": example, "saunet.answer": answer } = readSafetensors(file(name)).tensors;
    const [N, C, H, W] = example.shape;
    const x = new Tensor(permute(new Float32Array(example.data), example.shape, [0, 2, 3, 1]), [N, H, W, C]);
    const found = noGrad(() => sigmoid(forward(config, parameters, x)));
    const difference = largestDifference(found.data, answer.data);
    expect(difference).toBeGreaterThan(1e-4);
    expect(difference).toBeLessThan(tolerance);
  });

  it.each(["sa-unet-v2", "shifted", "sa-unet", "spatial", "u-net", "no-bias", "no-bias-batch"])(
    "takes over %s where its numbers are stored in 16 bits",
    (name) => {
      const { tensors, metadata } = readSafetensors(file(name));
      const half = importTorch(writeSafetensors(tensors, metadata, { half: true }));
      expect(half.config).toEqual(importTorch(file(name)).config);
    },
  );

  it("refuses in 16 bits what it refuses in 32", () => {
    const stored = (name: string, from: string, to: string) => {
      const { tensors, metadata } = readSafetensors(file(name));
      const modules = metadata.modules.replaceAll(from, to);
      return writeSafetensors(tensors, { ...metadata, modules }, { half: true });
    };
    for (const bytes of [
      stored("tanh", "", ""),
      stored("u-net", '[0, 0], "output_padding": [0, 0]', '[1, 1], "output_padding": [1, 1]'),
      stored("shifted", '"num_groups": 2', '"num_groups": 1'),
      stored("shifted", '"eps": 1e-05', '"eps": 0.1'),
    ]) {
      expect(() => importTorch(bytes)).toThrow(
        /answers the file's example otherwise than PyTorch did, by up to \d\.\d+, where rounding explains 0\.0\d+/,
      );
    }
  });

  it("takes one that is told which network it must be", () => {
    const config = { ...networks["sa-unet+gn+silu+channels+sa"], channels: [8, 8], groups: 4 };
    expect(importTorch(file("spatial"), { config }).config).toEqual(config);
    expect(() => importTorch(file("sa-unet-v2"), { config: saUNet })).toThrow(
      /^is not a sa-unet: .*nearest to a sa-unet-v2 with 8, 8, 16 channels; encoder1\.conv1\.filter must be \[3,3,3,16\] but layer "encoders\.0\.0\.conv" has \[3,3,3,8\]/,
    );
  });

  it.each([
    ["u-net", "relu", "silu"],
    ["spatial", "silu", "relu"],
  ] as const)("names the activation of %s, %s, where %s is wanted", (name, own, activation) => {
    const { config } = importTorch(file(name));
    expect(importTorch(file(name), { config }).config.activation).toBe(own);
    expect(() => importTorch(file(name), { config: { ...config, activation } })).toThrow(
      `is not a ${config.name}: it has the activation ${own}, not ${activation}`,
    );
  });

  it("refuses a network whose answer is another", () => {
    expect(() => importTorch(file("tanh"))).toThrow(
      /answers the file's example otherwise than PyTorch did, by up to 0\./,
    );
  });

  /** A file with something changed. */
  function changed(change: (parts: ReturnType<typeof readSafetensors>) => void): Uint8Array {
    const parts = readSafetensors(file("u-net"));
    change(parts);
    return writeSafetensors(parts.tensors, parts.metadata);
  }
  const setting = (from: string, to: string) =>
    changed(({ metadata }) => {
      metadata.modules = metadata.modules.replaceAll(from, to);
    });

  it.each<[string, () => Uint8Array, string]>([
    [
      "says nothing of its modules",
      () => changed(({ metadata }) => delete metadata.modules),
      "does not say how its modules are set",
    ],
    [
      "describes them in no JSON",
      () => setting("[{", "{"),
      "describes its modules in a way that is not understood",
    ],
    [
      "describes no list",
      () =>
        changed(({ metadata }) => {
          metadata.modules = "{}";
        }),
      "in a way that is not understood",
    ],
    [
      "holds no answer",
      () => changed(({ tensors }) => delete tensors["saunet.answer"]),
      "holds no example with its answer",
    ],
    [
      "has an example of another size",
      () =>
        changed(({ tensors }) => {
          tensors["saunet.example"] = new Tensor(new Float32Array(3 * 15 * 24), [1, 3, 15, 24]);
        }),
      "has an example of shape [1,3,15,24]; [N,3,H,W] with multiples of 2 is wanted",
    ],
    [
      "has a large example",
      () =>
        changed(({ tensors }) => {
          tensors["saunet.example"] = new Tensor(new Float32Array(3 * 514 * 512), [1, 3, 514, 512]);
        }),
      "has an example of 263168 pixels; up to 262144 are tried",
    ],
    [
      "has an example of many images",
      () =>
        changed(({ tensors }) => {
          tensors["saunet.example"] = new Tensor(new Float32Array(2 * 3 * 258 * 512), [2, 3, 258, 512]);
        }),
      "has an example of 264192 pixels; up to 262144 are tried",
    ],
    [
      "has an answer of another size",
      () =>
        changed(({ tensors }) => {
          tensors["saunet.answer"] = new Tensor(new Float32Array(2), [1, 1, 1, 2]);
        }),
      "has an answer of shape [1,1,1,2]; [1,1,16,24] is wanted",
    ],
    [
      "pads otherwise",
      () => setting('"output_padding": [0, 0]', '"output_padding": [1, 1]'),
      "[stride, padding, output_padding] [[2,2],[0,0],[1,1]]; stride 2",
    ],
    [
      "claims the other padding",
      () => setting('[0, 0], "output_padding": [0, 0]', '[1, 1], "output_padding": [1, 1]'),
      "answers the file's example otherwise",
    ],
    [
      "claims another epsilon",
      () => setting('"eps": 1e-05', '"eps": 0.1'),
      "answers the file's example otherwise",
    ],
    [
      "has no epsilon anywhere",
      () => setting('"eps": 1e-05', '"eps": 0'),
      "has modules with eps 0; one for all is taken over",
    ],
    [
      "has a text for an epsilon everywhere",
      () => setting('"eps": 1e-05', '"eps": "1e-05"'),
      'has modules with eps "1e-05"; one for all is taken over',
    ],
    [
      "has two epsilons",
      () =>
        changed(({ metadata }) => {
          metadata.modules = metadata.modules.replace('"eps": 1e-05', '"eps": 0.1');
        }),
      "has modules with eps 0.1, 0.00001; one for all is taken over",
    ],
    [
      "holds a module that never ran",
      () =>
        changed(({ tensors }) => {
          tensors["aux.weight"] = new Tensor(new Float32Array(1), [1]);
        }),
      'holds a tensor "aux.weight" of a module that did not run',
    ],
    [
      "names a module by no text",
      () => setting('"name": "head"', '"name": {"toString": 1}'),
      "describes its modules in a way that is not understood",
    ],
    [
      "names the type of a module by no text",
      () => setting('"type": "Conv2d"', '"type": 3'),
      "describes its modules in a way that is not understood",
    ],
    [
      "sets an epsilon to no number",
      () => setting('"eps": 1e-05', '"eps": {"toString": 1}'),
      'has modules with eps {"toString":1}, ',
    ],
    [
      "holds NaN",
      () =>
        changed(({ tensors }) => {
          tensors["head.weight"].data[0] = Number.NaN;
        }),
      "holds numbers in head.filter that are not finite",
    ],
    [
      "holds an answer of NaN",
      () =>
        changed(({ tensors }) => {
          tensors["saunet.answer"].data.fill(Number.NaN);
        }),
      "answers the file's example otherwise than PyTorch did, by up to NaN",
    ],
    [
      "holds a tensor with a long name",
      () =>
        changed(({ tensors }) => {
          tensors["a".repeat(5e6)] = new Tensor(new Float32Array(1), [1]);
        }),
      "aaa… of a module that did not run",
    ],
    ["lacks a bias", () => changed(({ tensors }) => delete tensors["head.bias"]), "head.bias [1] is missing"],
  ])("refuses a file that %s", (_, make, message) => {
    expect(() => importTorch(make())).toThrow(message);
  });

  /** A file with one setting of the first module of a type changed. */
  const withSetting = (name: string, type: string, settings: Readonly<Record<string, unknown>>) => {
    const { tensors, metadata } = readSafetensors(file(name));
    const modules = JSON.parse(metadata.modules) as Record<string, unknown>[];
    Object.assign(modules.find((module) => module.type === type)!, settings);
    return writeSafetensors(tensors, { ...metadata, modules: JSON.stringify(modules) });
  };

  it.each<[string, string, Readonly<Record<string, unknown>>, string]>([
    [
      "sa-unet-v2",
      "ConvTranspose2d",
      { padding: [1, 1], output_padding: [1, 1] },
      "has transposed convolutions with [stride, padding, output_padding] [[2,2],[1,1],[1,1]] and [[2,2],[0,0],[0,0]]; stride 2",
    ],
    ["spatial", "ConvTranspose2d", { stride: [1, 1] }, "[[1,1],["],
    ["sa-unet-v2", "GroupNorm", { eps: 0 }, "has modules with eps 0, "],
    [
      "spatial",
      "GroupNorm",
      { num_groups: 2.5 },
      "has modules with num_groups 2.5, 4; one for all is taken over",
    ],
    ["spatial", "GroupNorm", { num_groups: undefined }, "has modules with num_groups "],
  ])("refuses of %s a %s with %j", (name, type, settings, message) => {
    expect(() => importTorch(withSetting(name, type, settings))).toThrow(message);
  });

  it("says what a file is that is no safetensors", () => {
    const other = (name: string) =>
      new Uint8Array(readFileSync(new URL(`../../../../fixtures/files/${name}`, import.meta.url)));
    const checkpoint = "is a PyTorch checkpoint (.pth, .pt), a program rather than data: docs/interop.md";
    expect(() => importTorch(other("torch/checkpoint.pth"))).toThrow(checkpoint);
    expect(() => importTorch(other("torch/checkpoint-legacy.pth"))).toThrow(checkpoint);
    expect(() => importTorch(other("keras2/sa-unet.h5"))).toThrow(
      "is an HDF5 file, as Keras writes them (.h5), not a safetensors file",
    );
    expect(() => importTorch("model.safetensors" as unknown as Uint8Array)).toThrow(
      new TypeError("importTorch: bytes must be a Uint8Array; loadBytes takes paths and URLs"),
    );
  });

  it("refuses what is no safetensors", () => {
    expect(() => importTorch(new Uint8Array(100))).toThrow(SafetensorsError);
  });
});
