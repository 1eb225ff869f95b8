// A step of training in parts, as programs of the arena: DropBlock's masks as bytes, with a scale from outside.

import { adam, type Parameters, randomState, type Tensor, uniform } from "@saunet/core";
import { initialize, paperLoss, saUNetV2, train } from "@saunet/model";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accelerate, restore } from "./accelerate.ts";

beforeAll(async () => {
  await accelerate({ threads: 2 });
});
afterAll(restore);

async function trained(
  microBatch?: number,
): Promise<{ losses: number[]; parameters: Parameters; random: ArrayLike<number> }> {
  const state = randomState(3);
  const binary = (x: Tensor) => {
    x.data.forEach((value, i) => {
      x.data[i] = value > 0.8 ? 1 : 0;
    });
    return x;
  };
  const batch = { x: uniform([3, 64, 48, 3], state), target: binary(uniform([3, 64, 48, 1], state)) };
  const parameters = initialize(saUNetV2, randomState(1));
  const random = randomState(2);
  const run = {
    ...{ config: saUNetV2, parameters, optimizer: adam(parameters), loss: paperLoss(), random, microBatch },
    ...{ epochs: 1, stepsPerEpoch: 3, nextBatch: () => batch },
  };
  const losses: number[] = [];
  for await (const event of train(run)) if (event.kind === "step") losses.push(event.loss);
  return { losses, parameters, random };
}

it("a batch in parts goes the way of the whole", async () => {
  const whole = await trained();
  expect(new Set(whole.losses).size).toBe(3);
  for (const microBatch of [1, 2]) {
    const parts = await trained(microBatch);
    parts.losses.forEach((value, i) => {
      expect(value).toBeCloseTo(whole.losses[i], 4);
    });
    expect(parts.random).toEqual(whole.random);
  }
});
