import { adam, randomState, Tensor } from "@saunet/core";
import { initialize, paperLoss, saUNetV2, train } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { syntheticBatches } from "./training-pictures.ts";

const [BATCH, CROP] = [1, 16];
const batchOf = syntheticBatches(1, BATCH, CROP);

function begin() {
  const parameters = initialize(saUNetV2, randomState(1));
  return { parameters, optimizer: adam(parameters, { learningRate: 2e-3 }), random: randomState(1, 2) };
}

async function lossesOf(state: ReturnType<typeof begin>, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  const nextBatch = (step: number) => {
    const { x, target } = batchOf(step);
    return {
      x: new Tensor(x, [BATCH, CROP, CROP, 3]),
      target: new Tensor(target, [BATCH, CROP, CROP, 1]),
    };
  };
  const run = {
    config: saUNetV2,
    ...state,
    loss: paperLoss(),
    epochs: 1,
    stepsPerEpoch: to,
    firstStep: from,
  };
  for await (const event of train({ ...run, nextBatch })) if (event.kind === "step") losses.push(event.loss);
  return losses;
}

describe("checkpoint", () => {
  it("takes a run up to the bit", async () => {
    const whole = await lossesOf(begin(), 0, 4);
    const first = begin();
    const before = await lossesOf(first, 0, 2);
    const bytes = writeCheckpoint(first, 2);
    const second = begin();
    second.optimizer.learningRate[0] = 1;
    const step = readCheckpoint(bytes, second);
    expect(step).toBe(2);
    expect([...before, ...(await lossesOf(second, step, 4))]).toEqual(whole);
  });

  it("refuses another network's, and changes nothing then", () => {
    const small = begin();
    const { "head.bias": _, ...parameters } = small.parameters;
    const bytes = writeCheckpoint({ ...small, parameters }, 2);
    const state = begin();
    const before = state.parameters["encoder1.conv1.filter"].data.slice();
    state.parameters["encoder1.conv1.filter"].data[0] += 1;
    expect(() => readCheckpoint(bytes, state)).toThrow(/does not belong to this network/);
    expect(state.parameters["encoder1.conv1.filter"].data[0]).toBe(before[0] + 1);
  });
});
