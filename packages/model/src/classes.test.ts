// Networks that tell classes apart: from the logits to the figures.

import { readFileSync } from "node:fs";
import {
  adam,
  backward,
  normal,
  oneHot,
  parameter,
  randomState,
  readSafetensors,
  reshape,
  softmax,
  Tensor,
  tensor,
  uniform,
  writeSafetensors,
} from "@saunet/core";
import { expectClose, gradcheck } from "@saunet/core/testing";
import { syntheticFundus } from "@saunet/data";
import { describe, expect, it } from "vitest";
import { averageWeights } from "./average.ts";
import { saUNetV2, withClasses } from "./config.ts";
import { inspectNetwork } from "./inspect.ts";
import {
  classCrossEntropyLoss,
  classLoss,
  classMccLoss,
  crossEntropyLoss,
  type Loss,
  lossOf,
  mccLoss,
  paperLoss,
} from "./losses.ts";
import { evaluate, evaluateClasses } from "./metrics.ts";
import { forward } from "./network.ts";
import { initialize, parameterSpecs } from "./parameters.ts";
import { classSegmenterOf, loadSegmenter, segmenterOf } from "./segmenter.ts";
import { trainStep } from "./train.ts";
import { readWeights, type Weights, WeightsError, writeWeights } from "./weights.ts";

const tiny = { ...saUNetV2, name: "tiny", channels: [8, 8] };
const config = withClasses(tiny, ["artery", "vein"]);
const network = (): Weights => ({ config, parameters: initialize(config, randomState(1)), metadata: {} });

const losses: Readonly<Record<string, Loss>> = {
  classCrossEntropy: classCrossEntropyLoss,
  classMcc: classMccLoss,
  classLoss: classLoss(),
};

describe("losses of classes", () => {
  const fixture = readSafetensors(
    readFileSync(new URL("../../../fixtures/ops/class-losses.safetensors", import.meta.url)),
  );
  const cases = JSON.parse(fixture.metadata.cases) as { name: string; options: { op: string } }[];

  it.each(cases)("$name is PyTorch's", ({ name, options }) => {
    const of = (part: string) => fixture.tensors[`${name}.${part}`];
    const logits = parameter(of("logits"));
    const loss = losses[options.op](logits, of("target"));
    expectClose(loss, of("out"), 1e-5);
    backward(loss);
    const upstream = of("gy").item();
    expectClose(
      logits.grad!.map((g) => g * upstream),
      of("g_logits"),
      1e-5,
    );
  });

  it.each(Object.entries(losses))("%s has the right gradient", (_, loss) => {
    const target = softmax(normal([2, 3, 2, 4], randomState(5)));
    gradcheck(([logits]) => loss(logits, target), [normal([2, 3, 2, 4], randomState(1))]);
  });

  it.each([
    ["classCrossEntropy", classCrossEntropyLoss, crossEntropyLoss],
    ["classMcc", classMccLoss, mccLoss],
    ["classLoss", classLoss(), paperLoss()],
  ])("%s of two classes is the loss of one output", (_, ofClasses, ofOne) => {
    const logits = normal([3, 4, 1], randomState(2));
    const target = uniform([3, 4, 1], randomState(3));
    const pairs = (values: Float32Array, first: (value: number) => number) =>
      new Tensor(Float32Array.from([...values].flatMap((value) => [first(value), value])), [3, 4, 2]);
    const found = ofClasses(
      pairs(logits.data as Float32Array, () => 0),
      pairs(target.data as Float32Array, (share) => 1 - share),
    );
    expect(found.item()).toBeCloseTo(ofOne(logits, target).item(), 6);
  });

  it.each(Object.entries(losses))("%s and its gradient are finite where classes are missing", (_, loss) => {
    const target = tensor(Array.from({ length: 6 }, () => [1, 0, 0]));
    for (const size of [0, 1, 200]) {
      const logits = parameter(tensor(Array.from({ length: 6 }, (_, i) => [size, -size, i / 8])));
      const value = loss(logits, target);
      backward(value);
      expect([value.item(), ...logits.grad!].every(Number.isFinite)).toBe(true);
    }
  });

  it("refuse a target of another shape, also one of class numbers", () => {
    const logits = tensor([[1, 2, 3]]);
    expect(() => classLoss()(logits, tensor([1]))).toThrow("classLoss: target must be [1,3] but is [1]");
    expect(() => classMccLoss(logits, tensor([[1, 0]]))).toThrow(
      "classMccLoss: target must be [1,3] but is [1,2]",
    );
  });

  it("are chosen by the network", () => {
    const [logits, target] = [tensor([[2, 0, 1]]), tensor([[1, 0, 0]])];
    expect(lossOf(config)(logits, target).item()).toBe(classLoss()(logits, target).item());
    expect(lossOf(tiny)(logits, target).item()).toBe(paperLoss()(logits, target).item());
  });
});

describe("a network that tells classes apart", () => {
  it("has a logit for each, and differs in its head alone", () => {
    const { parameters } = network();
    expect(forward(config, parameters, uniform([1, 16, 16, 3], randomState(1))).shape).toEqual([
      1, 16, 16, 3,
    ]);
    const [one, three] = [parameterSpecs(tiny), parameterSpecs(config)];
    const different = Object.keys(three).filter(
      (name) => String(one[name].shape) !== String(three[name].shape),
    );
    expect(different).toEqual(["head.filter", "head.bias"]);
    expect(inspectNetwork(config, { height: 16, width: 16 }).layers.at(-1)!.shape).toEqual([1, 16, 16, 3]);
  });

  it("keeps the names of its classes in its file, where one output leaves nothing new", () => {
    const bytes = writeWeights(network());
    expect(readWeights(bytes).config.classes).toEqual(["background", "artery", "vein"]);
    const one = { config: tiny, parameters: initialize(tiny, randomState(1)), metadata: {} };
    expect(readSafetensors(writeWeights(one)).metadata.network).toBe(JSON.stringify(tiny));
    expect(() => averageWeights([network(), one])).toThrow(/one network but are of tiny and of tiny/);
  });

  it.each([
    ["none", []],
    ["two alike", ["vein", "vein"]],
    ["the background", ["background"]],
    ["an empty one", [""]],
    ["one with a comma", ["a,b"]],
    ["one with a line break", ["a\nb"]],
  ])("refuses names of classes: %s", (_, names) => {
    expect(() => withClasses(tiny, names)).toThrow(/^withClasses: names must be 1 to 255 different names/);
    const described = JSON.stringify({ ...tiny, classes: ["background", ...names] });
    const bytes = writeSafetensors(network().parameters, { network: described });
    expect(() => readWeights(bytes)).toThrow(/describes its network in a way that is not understood/);
  });

  it("gives each pixel shares and its most likely class, at the photograph's size", async () => {
    const { image } = syntheticFundus({ seed: 3, width: 41, height: 35 });
    for (const scale of [1, 1.5]) {
      const { probability, classes, width, height } = await classSegmenterOf(network()).segment(image, {
        scale,
      });
      expect([width, height, classes.data.length, probability.length]).toEqual([
        41,
        35,
        41 * 35,
        3 * 41 * 35,
      ]);
      for (let pixel = 0; pixel < 41 * 35; pixel++) {
        const shares = [...probability.subarray(3 * pixel, 3 * pixel + 3)];
        expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
        expect(shares[classes.data[pixel]]).toBe(Math.max(...shares));
      }
    }
  });

  it("is refused where one output is wanted, and the other way round, in one line", async () => {
    const message =
      "segmenterOf: wants a network with one output (vessel or not), but tiny tells 3 classes apart: background, artery, vein";
    expect(() => segmenterOf(network())).toThrow(new WeightsError(message));
    await expect(loadSegmenter({ weights: writeWeights(network()) })).rejects.toThrow(message);
    const one = { config: tiny, parameters: initialize(tiny, randomState(1)), metadata: {} };
    expect(() => classSegmenterOf(one)).toThrow(
      "classSegmenterOf: wants a network that tells classes apart, but tiny has one output (vessel or not)",
    );
  });
});

it("a network learns to tell a narrow bright vessel from a wide dark one", () => {
  const [side, classes] = [24, ["background", "artery", "vein"]];
  const truth = Array.from({ length: side * side }, (_, i) => {
    const column = i % side;
    return column >= 5 && column < 7 ? 1 : column >= 14 && column < 18 ? 2 : 0;
  });
  const grain = uniform([side * side * 3], randomState(7)).data;
  const x = new Tensor(
    grain.map((value, i) => [0.5, 0.65, 0.3][truth[Math.floor(i / 3)]] + 0.1 * (value - 0.5)),
    [1, side, side, 3],
  );
  const target = oneHot(tensor(truth), 3);
  const { parameters } = network();
  const withoutDrops = { ...config, dropBlock: { ...config.dropBlock, rate: 0 } };
  const step = {
    ...{ config: withoutDrops, parameters, loss: lossOf(config), random: randomState(2) },
    optimizer: adam(parameters, { learningRate: 5e-3 }),
  };
  const batch = { x, target: reshape(target, [1, side, side, 3]) };
  const [first, ...later] = Array.from({ length: 40 }, () => trainStep(step, batch).item());
  expect(later.at(-1)).toBeLessThan(first / 2);
  const probability = softmax(forward(withoutDrops, parameters, x)).data as Float32Array;
  const { byClass } = evaluateClasses({ probability, truth }, classes);
  expect(byClass.artery.f1).toBeGreaterThan(0.8);
  expect(byClass.vein.f1).toBeGreaterThan(0.8);
});

describe("figures of classes", () => {
  it("are those of each class against all others, by hand", () => {
    const probability = new Float32Array([0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.5, 0.4, 0.3, 0.3, 0.4]);
    const prediction = { probability, truth: [0, 1, 2, 2] };
    const { byClass, mean } = evaluateClasses(prediction, ["background", "artery", "vein"]);
    // Predicted are 0, 1, 1, 2.
    expect(byClass.background).toMatchObject({ f1: 1, jaccard: 1, auc: 1 });
    expect(byClass.artery).toMatchObject({ f1: 2 / 3, jaccard: 1 / 2, sensitivity: 1, auc: 1 });
    expect(byClass.artery.mcc).toBeCloseTo((1 * 2 - 1 * 0) / Math.sqrt(2 * 1 * 3 * 2));
    expect(byClass.vein).toMatchObject({ f1: 2 / 3, jaccard: 1 / 2, specificity: 1, auc: 1 });
    expect(mean.f1).toBeCloseTo(2 / 3);
    const within = { ...prediction, fieldOfView: [1, 1, 0, 0] };
    const inside = evaluateClasses(within, ["background", "artery", "vein"]);
    expect(inside.byClass.artery.f1).toBe(1);
    expect(inside.byClass.vein.f1).toBeNaN();
    expect(inside.mean.f1).toBe(1);
  });

  it("of two classes are those of one output", () => {
    const vessel = Float32Array.from({ length: 60 }, (_, i) => ((i * 37) % 64) / 64);
    const truth = Array.from(vessel, (_, i) => (i % 3 === 0 ? 1 : 0));
    const probability = Float32Array.from([...vessel].flatMap((share) => [1 - share, share]));
    const { byClass, mean } = evaluateClasses({ probability, truth }, ["background", "vessel"]);
    // At 0.5 exactly both are equally likely, and the first one is taken.
    expect(byClass.vessel).toEqual(evaluate({ probability: vessel, truth }, 0.5 + 1e-9));
    expect(mean).toEqual(byClass.vessel);
    expect(byClass.background.mcc).toBeCloseTo(byClass.vessel.mcc, 12);
  });

  it("refuse sizes that differ", () => {
    expect(() => evaluateClasses({ probability: new Float32Array(6), truth: [0] }, ["a", "b", "c"])).toThrow(
      "metrics: truth has 1 pixels but probability has 2 of 3 classes",
    );
  });
});
