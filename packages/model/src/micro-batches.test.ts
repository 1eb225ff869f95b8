import {
  adam,
  mean,
  type Optimizer,
  type Parameters,
  randomState,
  Tensor,
  uniform,
  zeros,
} from "@saunet/core";
import { copyOfGradient } from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import { type NetworkConfig, saUNetV2, withClasses } from "./config.ts";
import { crossEntropyLoss, diceLoss, jaccardLoss, type Loss, lossOf, mccLoss, paperLoss } from "./losses.ts";
import { partsOf } from "./micro-batches.ts";
import { initialize } from "./parameters.ts";
import { type Batch, type TrainingRun, train, trainStep } from "./train.ts";

const tiny: NetworkConfig = { ...saUNetV2, name: "tiny", channels: [8, 8] };

/** Pictures of which no two are alike: averages, and what DropBlock leaves, differ from part to part. */
function batchOf(pictures: number, classes = 1): Batch {
  const state = randomState(3);
  const [x, target] = [uniform([pictures, 16, 16, 3], state), uniform([pictures, 16, 16, classes], state)];
  const rows = target.size / pictures;
  target.data.forEach((value, i) => {
    const share = (Math.floor(i / rows) + 1) / (pictures + 1);
    target.data[i] = classes > 1 ? 1 / classes : value < share ? 1 : 0;
  });
  return { x, target };
}

function runOf(config: NetworkConfig, loss: Loss, batch: Batch) {
  const parameters = initialize(config, randomState(1));
  const run = { config, parameters, loss, random: randomState(2), epochs: 1, stepsPerEpoch: 1 };
  return { ...run, nextBatch: () => batch };
}

async function lossesOf(run: TrainingRun): Promise<number[]> {
  const losses: number[] = [];
  for await (const event of train(run)) if (event.kind === "step") losses.push(event.loss);
  return losses;
}

/** An optimiser that changes nothing and keeps the gradients that it is given. */
function keeper(parameters: Parameters): Optimizer & { readonly gradients: Parameters } {
  const learning = Object.entries(parameters).filter(([, { requiresGrad }]) => requiresGrad);
  const gradients = Object.fromEntries(learning.map(([name, { shape }]) => [name, zeros(shape)]));
  return {
    learningRate: new Float32Array(1),
    state: {},
    gradients,
    step() {
      for (const [name, w] of learning) {
        copyOfGradient({ out: gradients[name].data, g: w.grad as Float32Array }, undefined);
        w.grad = undefined;
      }
    },
  };
}

/** How far gradients are from others, by the length of the others. */
function distance(of: Parameters, from: Parameters): number {
  let [difference, length] = [0, 0];
  for (const [name, { data }] of Object.entries(from))
    data.forEach((value, i) => {
      difference += (of[name].data[i] - value) ** 2;
      length += value ** 2;
    });
  return Math.sqrt(difference / length);
}

describe("a batch in parts", () => {
  const binary: [string, NetworkConfig, Loss][] = [
    ["the paper's loss", tiny, paperLoss()],
    ["cross entropy", tiny, crossEntropyLoss],
    ["MCC", tiny, mccLoss],
    ["Dice", tiny, diceLoss],
    ["Jaccard", tiny, jaccardLoss],
    ["no DropBlock", { ...tiny, dropBlock: { ...tiny.dropBlock, rate: 0 } }, paperLoss()],
    ["much DropBlock", { ...tiny, dropBlock: { ...tiny.dropBlock, rate: 0.5 } }, paperLoss()],
  ];
  const classes = withClasses(tiny, ["artery", "vein"]);
  it.each([...binary, ["three classes", classes, lossOf(classes)] as const])(
    "has the loss, the gradient and the draws of the whole: %s",
    async (_, config, loss) => {
      const batch = batchOf(5, config.classes?.length);
      const step = async (microBatch?: number) => {
        const run = runOf(config, loss, batch);
        const optimizer = keeper(run.parameters);
        const [value] = await lossesOf({ ...run, optimizer, microBatch });
        return { value, gradients: optimizer.gradients, random: run.random };
      };
      const whole = await step();
      for (const microBatch of [1, 2, 5, 8]) {
        const parts = await step(microBatch);
        expect(parts.value).toBeCloseTo(whole.value, 6);
        // An untrained network's MCC is a small difference of averages, whose rounding both ways of adding up have.
        expect(distance(parts.gradients, whole.gradients)).toBeLessThan(loss === mccLoss ? 5e-6 : 1e-6);
        expect(parts.random).toEqual(whole.random);
      }
    },
  );

  it("goes the way of the whole over several steps, with Adam and clipping", async () => {
    const of = (microBatch?: number) => {
      const run = runOf(tiny, paperLoss(), batchOf(4));
      const optimizer = adam(run.parameters, { learningRate: 1e-3 });
      return lossesOf({ ...run, optimizer, clipNorm: 0.1, stepsPerEpoch: 4, microBatch });
    };
    const [whole, parts] = [await of(), await of(1)];
    expect(new Set(whole).size).toBe(4);
    parts.forEach((value, i) => {
      expect(value).toBeCloseTo(whole[i], 5);
    });
  });

  it("leaves a parameter that does not learn without a gradient, as the whole does", async () => {
    const of = async (microBatch?: number) => {
      const run = runOf(tiny, paperLoss(), batchOf(4));
      const name = "encoder1.conv1.filter";
      const { data, shape } = run.parameters[name];
      const parameters = { ...run.parameters, [name]: new Tensor(data, shape, false) };
      const before = data.slice();
      const optimizer = adam(parameters, { learningRate: 1e-3 });
      const losses = await lossesOf({
        ...run,
        parameters,
        optimizer,
        clipNorm: 1,
        stepsPerEpoch: 3,
        microBatch,
      });
      expect(parameters[name].data).toEqual(before);
      expect(parameters[name].grad).toBeUndefined();
      return losses;
    };
    const [whole, parts] = [await of(), await of(1)];
    parts.forEach((value, i) => {
      expect(value).toBeCloseTo(whole[i], 5);
    });
  });

  it("is refused where a part is not the whole", async () => {
    const batch = batchOf(2);
    const refused = (config: NetworkConfig, loss: Loss, microBatch: number) => {
      const run = runOf(config, loss, batch);
      return expect(lossesOf({ ...run, optimizer: adam(run.parameters), microBatch })).rejects;
    };
    await refused(tiny, (logits) => mean(logits), 1).toThrow("train: microBatch wants a loss of averages");
    const byBatch: NetworkConfig = { ...tiny, name: "byBatch", normalization: "batch" };
    await refused(byBatch, paperLoss(), 1).toThrow("train: microBatch does not go with byBatch");
    await refused(tiny, paperLoss(), 0).toThrow("train: microBatch must be a whole number from 1 but is 0");
  });

  it("names what is not finite, and leaves everything as it was", async () => {
    const batch = batchOf(3);
    batch.x.data.fill(Number.NaN, 0, 1);
    const run = runOf(tiny, paperLoss(), batch);
    const before = run.random.slice();
    const training = lossesOf({ ...run, optimizer: adam(run.parameters), microBatch: 1 });
    await expect(training).rejects.toThrow(/the first tensor that is not finite is the photographs$/);
    expect(run.random).toEqual(before);
    expect(run.parameters["head.bias"].data).toEqual(initialize(tiny, randomState(1))["head.bias"].data);
  });

  it("is not what its parts would be alone, which the test above would notice", () => {
    const batch = batchOf(2);
    const gradient = (of: Batch) => {
      const run = runOf(tiny, paperLoss(), batch);
      const optimizer = keeper(run.parameters);
      trainStep({ ...run, optimizer }, of);
      return optimizer.gradients;
    };
    const whole = gradient(batch);
    for (const part of partsOf(batch, 1)) expect(distance(gradient(part), whole)).toBeGreaterThan(1e-2);
  });
});
