// Whole networks with the generated kernels: eager and captured, one thread and several, against Keras's fixtures.

import { adam, backward, capture, noGrad, prepare, randomState, sigmoid, type Tensor } from "@saunet/core";
import { conv2dForward, installKernel } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import {
  captureTrainStep,
  forward,
  type NetworkConfig,
  type Parameters,
  paperLoss,
  parametersFrom,
  saUNet,
  saUNetV2,
  trainStep,
} from "@saunet/model";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { largestDifference, readNetwork, section } from "../../../fixtures/networks.ts";
import { accelerate, FUSION_NAMES, restore } from "./accelerate.ts";

/**
 * How far gradients may be from Keras's, relative to the largest of their tensor, and losses of ten steps. A ReLU
 * whose input lies within Winograd's rounding of zero changes sides, and its gradient with it: the half-width SA-UNet
 * at 64x64 then is 8e-3 off in single tensors (Keras in 32 bits is 4e-4 from itself in 64). With the portable
 * convolution in the forward pass alone, everything else accelerated, it is 1e-5: the second test below.
 */
const BOUNDS = {
  "sa-unet-v2": { gradients: 2e-4, losses: 1e-4 },
  "sa-unet": { gradients: 2e-2, losses: 1e-3 },
} as const;

const noDropBlock = { rate: 0, size: 7 };
const networks: Record<string, NetworkConfig> = {
  "sa-unet-v2": { ...saUNetV2, dropBlock: noDropBlock },
  "sa-unet": { ...saUNet, channels: [8, 16, 32, 64], dropBlock: noDropBlock },
};

const training = { training: true, random: randomState(0) } as const;

describe.each([1, 2])("with %i threads", (threads) => {
  beforeEach(async () => {
    expect((await accelerate({ threads, relaxed: false })).threads).toBe(threads);
  });
  afterEach(restore);

  describe.each(Object.entries(networks))("%s", (file, config) => {
    const fixture = readNetwork(file);
    const { x, target } = fixture;
    const bounds = BOUNDS[file as keyof typeof BOUNDS];
    const parameters = (): Parameters => parametersFrom(config, section(fixture, "param"));

    it("has Keras's probabilities and gradients", () => {
      const p = parameters();
      const logits = forward(config, p, x, training);
      expect(largestDifference(sigmoid(logits).data, fixture.probability.data)).toBeLessThan(2e-5);
      backward(paperLoss()(logits, target));
      for (const [name, wanted] of Object.entries(section(fixture, "grad"))) {
        const vanishes = config.normalization === "batch" && /conv\d\.bias$/.test(name);
        const gradient = p[name].grad!;
        if (vanishes) expect(largestDifference(gradient, wanted.data), name).toBeLessThan(1e-5);
        else expect(relativeError(gradient, wanted.data), name).toBeLessThan(bounds.gradients);
      }
    });

    it("follows Keras through ten steps, eager and captured alike", () => {
      const runs = [false, true].map((captured) => {
        const p = parameters();
        const step = { config, parameters: p, optimizer: adam(p), loss: paperLoss(), random: randomState(0) };
        const program = captured ? captureTrainStep(step, { x, target }) : undefined;
        return Array.from({ length: fixture.losses.size }, () =>
          (program ? program.runSync([x, target])[0] : trainStep(step, { x, target })).item(),
        );
      });
      for (const losses of runs)
        expect(largestDifference(losses, fixture.losses.data)).toBeLessThan(bounds.losses);
    });

    it("gives the same bits twice, eager or captured", async () => {
      const p = parameters();
      const infer = ([image]: readonly Tensor[]) => [noGrad(() => sigmoid(forward(config, p, image)))];
      const eager = infer([x])[0].data;
      expect(infer([x])[0].data.every((value, i) => value === eager[i])).toBe(true);
      const program = prepare(capture(infer, [x]));
      const fused = program.runSync([x])[0].data;
      expect(program.runSync([x])[0].data.every((value, i) => value === fused[i])).toBe(true);
      // Either is up to 6e-6 from Keras's (e^x by other instructions, statistics in another order), on sides of its own.
      expect(relativeError(fused, eager)).toBeLessThan(2e-5);
      await accelerate({ threads, relaxed: false, withoutFusions: FUSION_NAMES });
      const unfused = prepare(capture(infer, [x])).runSync([x])[0].data;
      expect(unfused.every((value, i) => value === eager[i])).toBe(true);
    });
  });
});

describe("all kernels but the convolution forward", () => {
  it.each(Object.entries(networks))("give %s Keras's gradients within 2e-4", async (file, config) => {
    const fixture = readNetwork(file);
    const p = parametersFrom(config, section(fixture, "param"));
    await accelerate({ threads: 2, relaxed: false });
    installKernel(conv2dForward, undefined);
    backward(paperLoss()(forward(config, p, fixture.x, training), fixture.target));
    restore();
    for (const [name, wanted] of Object.entries(section(fixture, "grad"))) {
      if (config.normalization === "batch" && /conv\d\.bias$/.test(name)) continue;
      expect(relativeError(p[name].grad!, wanted.data), name).toBeLessThan(2e-4);
    }
  });
});

describe("any number of threads", () => {
  it("gives the same bits", async () => {
    const fixture = readNetwork("sa-unet-v2");
    const p = parametersFrom(networks["sa-unet-v2"], section(fixture, "param"));
    const results: Float32Array[] = [];
    for (const threads of [1, 2, 4]) {
      await accelerate({ threads, relaxed: false });
      results.push(noGrad(() => forward(networks["sa-unet-v2"], p, fixture.x)).data);
      restore();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});
