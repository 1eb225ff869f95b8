import { expect, it } from "vitest";
import { saUNet, saUNetV2 } from "./config.ts";
import { inspectNetwork } from "./inspect.ts";

const small = { height: 16, width: 24 };
/** Numbers in a map of one channel at full size, and at half. */
const [FULL, HALF] = [16 * 24, 8 * 12];

/** Two for each tap and channel that a number of the result comes from, one for its bias. */
const conv = (numbers: number, taps: number, bias = 1) => numbers * (2 * taps + bias);

it("counts FLOPs operator by operator: what each layer of a small SA-UNetv2 needs, worked out by hand", () => {
  const unit = (stage: string, index: number, size: number, channels: number, from: number) => [
    [`${stage}.conv${index}`, "conv2d", 9 * from * channels + channels, conv(size * channels, 9 * from)],
    [`${stage}.norm${index}`, "groupNorm", 2 * channels, 7 * size * channels],
    [stage, "silu", 0, size * channels],
  ];
  const { model, input, layers, flops } = inspectNetwork({ ...saUNetV2, channels: [8, 16] }, small);
  const wanted = [
    ...unit("encoder1", 1, FULL, 8, 3),
    ...unit("encoder1", 2, FULL, 8, 8),
    ["encoder1", "maxPool2d", 0, FULL * 8],
    ...unit("bottleneck", 1, HALF, 16, 8),
    ["bottleneck", "mean", 0, HALF * 16],
    ["bottleneck", "max", 0, HALF * 16],
    ["bottleneck", "concat", 0, 0],
    ["bottleneck.attention", "conv2d", 98, conv(HALF, 98, 0)],
    ["bottleneck", "sigmoid", 0, 0],
    ["bottleneck", "mul", 0, HALF * 16],
    ...unit("bottleneck", 2, HALF, 16, 16),
    // Each number of its input, not of its result, meets the taps.
    ["decoder1.up", "convTranspose2d", 9 * 16 * 8 + 8, HALF * 16 * 2 * 9 * 8 + FULL * 8],
    ["decoder1", "mean", 0, FULL * 8],
    ["decoder1", "mean", 0, FULL * 8],
    ["decoder1", "concat", 0, 0],
    ["decoder1.attention", "conv2d", 98, conv(FULL, 98, 0)],
    ["decoder1", "sigmoid", 0, 0],
    ["decoder1", "mul", 0, FULL * 8],
    ["decoder1", "concat", 0, 0],
    ...unit("decoder1", 1, FULL, 8, 16),
    ...unit("decoder1", 2, FULL, 8, 8),
    ["head", "conv2d", 9, conv(FULL, 8)],
  ];
  expect(layers.map(({ layer, op, parameters, flops }) => [layer, op, parameters, flops])).toEqual(wanted);
  expect(flops).toBe(wanted.reduce((sum, [, , , own]) => sum + (own as number), 0));
  expect([model, input]).toEqual(["sa-unet-v2", [16, 24, 3]]);
});

it("counts batch normalisation and ReLU as what stands in their place, without the running statistics", () => {
  const [first, second] = [saUNet, { ...saUNetV2, skipAttention: "none" } as const].map((config) =>
    inspectNetwork({ ...config, channels: [8, 16] }, small),
  );
  const others: Readonly<Record<string, string>> = { batchNorm: "groupNorm", relu: "silu" };
  expect(first.layers.map((layer) => ({ ...layer, op: others[layer.op] ?? layer.op }))).toEqual(
    second.layers,
  );
  expect(first.flops).toBe(second.flops);
  // A mean and a variance for each of 64 normalised channels.
  expect(first.parameters - second.parameters).toBe(2 * 64);
});
