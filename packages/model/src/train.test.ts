import { adam, mul, randomState, relu, type Tensor, tensor, uniform } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { movingAverage } from "./average.ts";
import { type NetworkConfig, saUNetV2 } from "./config.ts";
import { DivergedError, firstNotFiniteOf } from "./diverged.ts";
import { paperLoss } from "./losses.ts";
import { initialize } from "./parameters.ts";
import { type TrainingRun, train } from "./train.ts";

const tiny: NetworkConfig = { ...saUNetV2, name: "tiny", channels: [8, 8] };

function runOf(overrides: Partial<TrainingRun> = {}) {
  const parameters = initialize(tiny, randomState(1));
  const optimizer = adam(parameters);
  const random = randomState(2);
  const nextBatch = (step: number) => {
    const state = randomState(3, step);
    const target = uniform([2, 16, 16, 1], state);
    target.data.forEach((value, i) => {
      target.data[i] = value > 0.8 ? 1 : 0;
    });
    return { x: uniform([2, 16, 16, 3], state), target };
  };
  return {
    config: tiny,
    parameters,
    optimizer,
    loss: paperLoss(),
    random,
    epochs: 2,
    stepsPerEpoch: 3,
    nextBatch,
    ...overrides,
  };
}

async function lossesOf(run: TrainingRun): Promise<number[]> {
  const losses: number[] = [];
  for await (const event of train(run)) if (event.kind === "step") losses.push(event.loss);
  return losses;
}

describe("train", () => {
  it("goes on from any step, with what the steps before left behind", async () => {
    const whole = await lossesOf(runOf());
    const run = runOf();
    const first: number[] = [];
    for await (const event of train(run)) {
      if (event.kind === "step") first.push(event.loss);
      if (first.length === 2) break;
    }
    expect([...first, ...(await lossesOf({ ...run, firstStep: 2 }))]).toEqual(whole);
  });

  it("tells the end of each epoch, after its last step alone", async () => {
    const told: string[] = [];
    for await (const { kind, epoch } of train(runOf({ firstStep: 1 }))) told.push(`${kind} ${epoch}`);
    expect(told).toEqual(["step 0", "step 0", "epoch 0", "step 1", "step 1", "step 1", "epoch 1"]);
  });

  it("clips gradients and averages parameters only when asked to", async () => {
    const plain = await lossesOf(runOf());
    expect(await lossesOf(runOf({ clipNorm: 1e6 }))).toEqual(plain);
    // Adam does not mind the size of gradients, but their sizes against each other.
    expect(await lossesOf(runOf({ clipNorm: 1e-4 }))).not.toEqual(plain);
    const run = runOf();
    const average = movingAverage(run.parameters, 0.5);
    expect(await lossesOf({ ...run, average })).toEqual(plain);
    const name = "head.filter";
    expect(average.parameters[name].data).not.toEqual(run.parameters[name].data);
  });

  it.each<[string, (run: TrainingRun, batch: { x: Tensor; target: Tensor }) => void, RegExp]>([
    ["a photograph", (_, { x }) => x.data.fill(Number.NaN, 3, 4), /is the photographs$/],
    ["a truth", (_, { target }) => target.data.fill(Number.POSITIVE_INFINITY, 0, 1), /is their vessels$/],
    [
      "a parameter",
      ({ parameters }) => parameters["bottleneck.conv1.filter"].data.fill(Number.NaN, 0, 1),
      /is bottleneck\.conv1\.filter$/,
    ],
    [
      "a result",
      ({ parameters }) => parameters["encoder1.conv2.filter"].data.fill(3e38),
      /is y of conv2d\.forward, at encoder1\.conv2\.filter$/,
    ],
  ])(
    "stops at %s that is not finite, names it and leaves everything as it was",
    async (_, spoil, message) => {
      const run = runOf();
      const nextBatch = async (step: number) => {
        const batch = await run.nextBatch(step);
        if (step === 3) spoil(run, batch);
        return batch;
      };
      let before = new Float32Array();
      const losses: number[] = [];
      const error = await (async () => {
        for await (const event of train({ ...run, nextBatch })) {
          if (event.kind !== "step") continue;
          losses.push(event.loss);
          before = run.parameters["decoder1.conv2.filter"].data.slice();
        }
      })().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DivergedError);
      const { step, message: text } = error as DivergedError;
      expect([step, losses.length]).toEqual([3, 3]);
      expect(text).toMatch(/^train: the loss of step 4 is/);
      expect(text).toMatch(message);
      expect(run.parameters["decoder1.conv2.filter"].data).toEqual(before);
      expect(run.optimizer.state.count.data[0]).toBe(3);
    },
  );

  it("names what a kernel has written, not what it read, and of the input where no parameter was read before", () => {
    const x = tensor([1, Number.NaN]);
    expect(firstNotFiniteOf(() => relu(x), {})).toBe("y of relu.forward, at the input");
    const w = tensor([Number.POSITIVE_INFINITY, 1]);
    expect(firstNotFiniteOf(() => mul(tensor([0, 1]), w), { w })).toBe("out of mul.forward, at w");
    expect(firstNotFiniteOf(() => relu(tensor([1, -1])), {})).toBeUndefined();
  });

  it("tells when parameters are spoilt though the loss is a number", async () => {
    const learningRate = (step: number) => (step === 1 ? Number.POSITIVE_INFINITY : 1e-3);
    await expect(lossesOf(runOf({ learningRate }))).rejects.toThrow(
      /^train: the loss of step 2 is \d.*is w of adam\.update, at /,
    );
  });

  it("says so where the step that failed is well when it is repeated", async () => {
    const paper = paperLoss();
    let calls = 0;
    // The program is captured from the first call; the step is repeated by the second.
    const loss: TrainingRun["loss"] = (logits, target) =>
      calls++ === 0 ? mul(paper(logits, target), tensor([Number.NaN])) : paper(logits, target);
    const run = runOf({ loss });
    const before = run.parameters["head.filter"].data.slice();
    await expect(lossesOf(run)).rejects.toThrow(
      /^train: the loss of step 1 is NaN.*none when the step is repeated$/,
    );
    expect(run.parameters["head.filter"].data).toEqual(before);
  });
});
