// The whole network against Keras 2.12: logits, probabilities, loss, every gradient, and the losses of ten steps of
// Adam from the same start. fixtures/README.md says how the numbers were made.

import { adam, backward, noGrad, randomState, sigmoid, Tensor } from "@saunet/core";
import { expectClose, relativeError } from "@saunet/core/testing";
import { describe, expect, it } from "vitest";
import { type Fixture, largestDifference, readNetwork, section } from "../../../fixtures/networks.ts";
import { type NetworkConfig, saUNet, saUNetV2 } from "./config.ts";
import { paperLoss } from "./losses.ts";
import { forward } from "./network.ts";
import type { Parameters } from "./parameters.ts";
import { trainStep } from "./train.ts";
import { parametersFrom } from "./weights.ts";

const noDropBlock = { rate: 0, size: 7 };
const v2: NetworkConfig = { ...saUNetV2, dropBlock: noDropBlock };
const halfWidthV1: NetworkConfig = { ...saUNet, channels: [8, 16, 32, 64], dropBlock: noDropBlock };

const parametersOf = (config: NetworkConfig, fixture: Fixture): Parameters =>
  parametersFrom(config, section(fixture, "param"));

const training = { training: true, random: randomState(0) } as const;

describe.each([
  ["sa-unet-v2", v2],
  ["sa-unet", halfWidthV1],
] as const)("%s as Keras runs it, 64x64, batch of 2", (file, config) => {
  const fixture = readNetwork(file);
  const { x, target } = fixture;

  it("has its logits, probabilities and loss", () => {
    const parameters = parametersOf(config, fixture);
    const logits = noGrad(() => forward(config, parameters, x, training));
    expectClose(logits, fixture.logits, 1e-5);
    expect(largestDifference(sigmoid(logits).data, fixture.probability.data)).toBeLessThan(1e-5);
    expect(Math.abs(paperLoss()(logits, target).item() - fixture.loss.item())).toBeLessThan(1e-5);
  });

  it("has its gradients", () => {
    const parameters = parametersOf(config, fixture);
    backward(paperLoss()(forward(config, parameters, x, training), target));
    for (const [name, wanted] of Object.entries(section(fixture, "grad"))) {
      // Batch normalisation takes any bias before it away: that gradient is zero but for rounding.
      if (
        config.normalization === "batch" &&
        name.endsWith("bias") &&
        name !== "head.bias" &&
        !name.includes(".up.")
      ) {
        expect(largestDifference(parameters[name].grad!, wanted.data), name).toBeLessThan(1e-6);
      } else expect(relativeError(parameters[name].grad!, wanted.data), name).toBeLessThan(1e-4);
    }
  });

  it("follows it through ten steps of Adam", () => {
    const parameters = parametersOf(config, fixture);
    const optimizer = adam(parameters);
    const run = { config, parameters, optimizer, loss: paperLoss(), random: randomState(0) };
    const losses = Array.from({ length: fixture.losses.size }, () => trainStep(run, { x, target }).item());
    expect(largestDifference(losses, fixture.losses.data)).toBeLessThan(1e-4);
  });
});

describe("sa-unet", () => {
  it("moves its running statistics and uses them at inference", () => {
    const fixture = readNetwork("sa-unet");
    const parameters = parametersOf(halfWidthV1, fixture);
    const inference = noGrad(() => forward(halfWidthV1, parameters, fixture.x));
    expectClose(inference, fixture.inference_logits, 1e-5);
    noGrad(() => forward(halfWidthV1, parameters, fixture.x, training));
    for (const [name, wanted] of Object.entries(section(fixture, "updated")))
      expectClose(parameters[name], wanted, 1e-5);
  });
});

/** The picture of fixtures/README.md: integers from a hash and a slow wave, divided by 255. */
function picture592(): Tensor {
  const size = 592;
  const data = new Float32Array(size * size * 3);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let c = 0; c < 3; c++) {
        let h = Math.imul(y, 73856093) ^ Math.imul(x, 19349663) ^ Math.imul(c, 83492791);
        h ^= h >>> 16;
        h = Math.imul(h, 0x45d9f3b);
        h ^= h >>> 16;
        const wave = Math.abs(((x + 2 * y + 40 * c) % 256) - 128);
        data[(y * size + x) * 3 + c] = (32 + wave + (h >>> 26)) / 255;
      }
  return new Tensor(data, [1, size, size, 3]);
}

describe("sa-unet-v2 at 592x592", () => {
  it("has Keras's probabilities", () => {
    const { grid, corners, statistics } = readNetwork("sa-unet-v2-592");
    const parameters = parametersOf(v2, readNetwork("sa-unet-v2"));
    const { data } = noGrad(() => sigmoid(forward(v2, parameters, picture592())));
    const onGrid = Array.from(data).filter((_, i) => Math.floor(i / 592) % 7 === 0 && (i % 592) % 7 === 0);
    expect(onGrid.length).toBe(grid.size);
    expect(largestDifference(onGrid, grid.data)).toBeLessThan(1e-5);
    const inCorners = [0, 584].flatMap((top) =>
      [0, 584].flatMap((left) =>
        Array.from({ length: 64 }, (_, i) => data[(top + Math.floor(i / 8)) * 592 + left + (i % 8)]),
      ),
    );
    expect(largestDifference(inCorners, corners.data)).toBeLessThan(1e-5);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(mean - statistics.data[2])).toBeLessThan(1e-5);
  });
});
