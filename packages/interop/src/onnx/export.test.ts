// The exported graphs as onnxruntime runs them, against our own forward pass.

import { noGrad, randomState, sigmoid, type Tensor, uniform } from "@saunet/core";
import {
  ablation,
  forward,
  initialize,
  type NetworkConfig,
  type Parameters,
  saUNetV2,
  uNet,
  type Weights,
} from "@saunet/model";
import * as onnxruntime from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { exportOnnx, type OnnxOptions } from "./export.ts";

/** Weights in which no bias, scale or statistic is a mere zero or one, so that one left out or exchanged shows. */
function weightsOf(config: NetworkConfig): Weights {
  const random = randomState(1);
  const parameters: Parameters = initialize(config, random);
  for (const { data, shape } of Object.values(parameters)) {
    if (shape.length > 1) continue;
    const noise = uniform(shape, random, { low: -0.3, high: 0.3 }).data;
    for (let i = 0; i < data.length; i++) data[i] += noise[i];
  }
  return { config, parameters, metadata: { licence: "MIT" } };
}

/** `[N,H,W,C]` → `[N,C,H,W]` */
function channelsFirst({ data, shape }: Tensor): onnxruntime.Tensor {
  const [N, H, W, C] = shape;
  const out = new Float32Array(data.length);
  for (let n = 0; n < N; n++)
    for (let i = 0; i < H * W; i++)
      for (let c = 0; c < C; c++) out[(n * C + c) * H * W + i] = data[(n * H * W + i) * C + c];
  return new onnxruntime.Tensor("float32", out, [N, C, H, W]);
}

async function largestDifference(weights: Weights, bytes: Uint8Array, sizes: number[][]): Promise<number> {
  const session = await onnxruntime.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  let largest = 0;
  for (const [N, H, W] of sizes) {
    const x = uniform([N, H, W, weights.config.inputChannels], randomState(2), { low: 0, high: 1 });
    const wanted = noGrad(() => sigmoid(forward(weights.config, weights.parameters, x)));
    const { probability } = await session.run({ image: channelsFirst(x) });
    expect(probability.dims).toEqual([N, 1, H, W]);
    const data = probability.data as Float32Array;
    expect(Math.max(...data) - Math.min(...data)).toBeGreaterThan(0.01);
    wanted.data.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - data[i]));
    });
  }
  await session.release();
  return largest;
}

/** Runs a model on black images `[N,3,H,W]`. */
async function shapeOfAnswer(bytes: Uint8Array, [N, H, W]: number[]): Promise<readonly number[]> {
  const session = await onnxruntime.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  try {
    const image = new onnxruntime.Tensor("float32", new Float32Array(N * 3 * H * W), [N, 3, H, W]);
    return (await session.run({ image })).probability.dims;
  } finally {
    await session.release();
  }
}

const small = { channels: [8, 16, 24] } as const;
const sizes = [
  [1, 16, 24],
  [2, 40, 16],
  [1, 8, 72],
];

describe("exportOnnx", () => {
  it.each([...ablation, uNet].map((config) => ({ ...config, ...small })))(
    "gives onnxruntime our $name at several sizes",
    async (config) => {
      const weights = weightsOf(config);
      expect(await largestDifference(weights, exportOnnx(weights), sizes)).toBeLessThan(1e-4);
    },
  );

  it.each<Partial<NetworkConfig>>([
    { normalization: "none" },
    { inputChannels: 1, channels: [4, 6], groups: 2 },
    { epsilon: 1e-5, transposedPadding: 1 },
    { normalization: "batch", epsilon: 0.1 },
    { skipAttention: "spatial", activation: "relu", bottleneckAttention: false },
  ])("serves what no published network has: %j", async (change) => {
    const weights = weightsOf({ ...saUNetV2, ...small, ...change });
    expect(await largestDifference(weights, exportOnnx(weights), sizes)).toBeLessThan(1e-4);
  });

  // https://github.com/onnx/onnx/blob/main/docs/Versioning.md#released-versions
  it.each([
    [13, 7],
    [14, 7],
    [15, 8],
    [18, 8],
    [19, 9],
    [20, 9],
    [21, 10],
  ])("writes opset %i, in version %i of the format", async (opset, version) => {
    const weights = weightsOf({ ...saUNetV2, ...small });
    const bytes = exportOnnx(weights, { opset });
    // The version is the file's first field.
    expect([...bytes.subarray(0, 2)]).toEqual([8, version]);
    expect(await largestDifference(weights, bytes, sizes)).toBeLessThan(1e-4);
  });

  it("fixes the size where it is given", async () => {
    const weights = weightsOf({ ...saUNetV2, ...small });
    const bytes = exportOnnx(weights, { batch: 1, height: 16, width: 24 });
    expect(await largestDifference(weights, bytes, [[1, 16, 24]])).toBeLessThan(1e-4);
    await expect(largestDifference(weights, bytes, [[1, 24, 24]])).rejects.toThrow(/invalid dimensions/i);
  });

  it.each<[string, OnnxOptions, (string | number)[]]>([
    ["all by default", {}, ["N", "H", "W"]],
    ["all but the batch", { batch: 2 }, [2, "H", "W"]],
    ["all but the height", { height: 16 }, ["N", 16, "W"]],
    ["all but the width", { width: 24 }, ["N", "H", 24]],
    ["none", { batch: 2, height: 16, width: 24 }, [2, 16, 24]],
  ])("names the sizes that it leaves open: %s", async (_, options, [N, H, W]) => {
    const bytes = exportOnnx(weightsOf({ ...saUNetV2, ...small }), options);
    const session = await onnxruntime.InferenceSession.create(bytes);
    const [input] = session.inputMetadata;
    const [output] = session.outputMetadata;
    await session.release();
    expect(input).toMatchObject({ name: "image", isTensor: true, type: "float32", shape: [N, 3, H, W] });
    expect(output).toMatchObject({ name: "probability", isTensor: true, shape: [N, 1, H, W] });
  });

  it.each<[string, OnnxOptions, number[]]>([
    ["an open size", {}, [1, 22, 16]],
    ["an open width", { height: 16 }, [1, 16, 22]],
  ])("names what is wrong with an image of another size, at %s", async (_, options, size) => {
    const bytes = exportOnnx(weightsOf({ ...saUNetV2, ...small }), options);
    await expect(shapeOfAnswer(bytes, size)).rejects.toThrow("height_and_width_must_be_multiples_of_4");
    expect(await shapeOfAnswer(bytes, [1, 16, 24])).toEqual([1, 1, 16, 24]);
  });

  it("says what it holds", () => {
    const text = new TextDecoder("latin1").decode(exportOnnx(weightsOf(saUNetV2)));
    for (const word of [
      "RGB, 0 to 1",
      "of a vessel, 0 to 1",
      "sa-unet-v2",
      "divided by 255",
      "threshold",
      "licence",
      "image",
      "probability",
      "sa-unet-v2: vessels in photographs of the retina",
    ]) {
      expect(text).toContain(word);
    }
  });

  it("lets the weights speak for themselves", () => {
    const metadata = { threshold: "0.42", network: "another", "training-data": "photographs" };
    const bytes = exportOnnx({ ...weightsOf({ ...saUNetV2, ...small }), metadata });
    const text = new TextDecoder("latin1").decode(bytes);
    expect(text).toContain("0.42");
    expect(text).toContain("photographs");
    expect(text).not.toContain("another");
  });

  it.each<[OnnxOptions, string]>([
    [{ opset: 12 }, "exportOnnx: opset must be an integer from 13 to 21 but is 12"],
    [{ opset: 17.5 }, "exportOnnx: opset must be an integer from 13 to 21 but is 17.5"],
    [{ height: 593 }, "exportOnnx: height must be a positive multiple of 8 but is 593"],
    [{ width: 0 }, "exportOnnx: width must be a positive multiple of 8 but is 0"],
    [{ batch: -1 }, "exportOnnx: batch must be a positive multiple of 1 but is -1"],
  ])("refuses %j", (options, message) => {
    expect(() => exportOnnx(weightsOf(saUNetV2), options)).toThrow(message);
  });
});
