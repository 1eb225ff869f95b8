import { readFileSync } from "node:fs";
import {
  backward,
  normal,
  parameter,
  randomState,
  readSafetensors,
  type Tensor,
  tensor,
  zeros,
} from "@saunet/core";
import { expectClose, gradcheck } from "@saunet/core/testing";
import { describe, expect, it } from "vitest";
import { crossEntropyLoss, diceLoss, jaccardLoss, type Loss, mccLoss, paperLoss } from "./losses.ts";
import { metricsFromConfusion } from "./metrics.ts";

const losses: Record<string, Loss> = {
  sigmoidCrossEntropy: crossEntropyLoss,
  mcc: mccLoss,
  dice: diceLoss,
  jaccard: jaccardLoss,
  combined: paperLoss(),
};

const targetOf = (values: number[]) => tensor(values);

describe("losses", () => {
  const fixture = readSafetensors(
    readFileSync(new URL("../../../fixtures/ops/losses.safetensors", import.meta.url)),
  );
  const cases = JSON.parse(fixture.metadata.cases) as {
    name: string;
    inputs: string[];
    options: { op: string };
  }[];

  it.each(cases.filter(({ options }) => options.op !== "sigmoidCrossEntropy"))(
    "$name is TensorFlow's",
    ({ name, inputs, options }) => {
      const [logitsName, targetName] = inputs;
      const logits = parameter(fixture.tensors[`${name}.${logitsName}`]);
      const loss = losses[options.op](logits, fixture.tensors[`${name}.${targetName}`]);
      expectClose(loss, fixture.tensors[`${name}.out`], 1e-5);
      const upstream = fixture.tensors[`${name}.gy`].item();
      backward(loss);
      expectClose(
        logits.grad!.map((g) => g * upstream),
        fixture.tensors[`${name}.g_${logitsName}`],
        1e-5,
      );
    },
  );

  it.each(Object.entries(losses))("%s has the right gradient", (_, loss) => {
    const target = targetOf([1, 0, 0, 1, 1, 0]);
    gradcheck(([logits]) => loss(logits, target), [normal([6], randomState(1))]);
  });

  const empty = zeros([8]);
  const fullTarget = tensor([1, 1, 1, 1, 1, 1, 1, 1]);
  it.each(
    Object.entries(losses).flatMap(([name, loss]) => [
      [name, "empty", loss, empty] as const,
      [name, "full", loss, fullTarget] as const,
    ]),
  )("%s is finite, and so is its gradient, on an %s target", (_name, _kind, loss, target) => {
    for (const logit of [-200, -1, 0, 1, 200]) {
      const logits = parameter(
        tensor(Array.from({ length: 8 }, (_, i) => logit + (Math.abs(logit) < 100 ? i / 8 : 0))),
      );
      const value = loss(logits, target);
      backward(value);
      expect(Number.isFinite(value.item())).toBe(true);
      expect([...logits.grad!].every(Number.isFinite)).toBe(true);
    }
  });

  it("agree with the metrics where the prediction is certain", () => {
    const logits = tensor([50, 50, -50, -50, 50, -50, -50, -50]);
    const target = tensor([1, 0, 1, 0, 1, 0, 0, 0]);
    const { mcc, f1, jaccard } = metricsFromConfusion({
      truePositives: 2,
      falsePositives: 1,
      falseNegatives: 1,
      trueNegatives: 4,
    });
    const value = (loss: Loss) => 1 - loss(logits, target).item();
    expect(value(mccLoss)).toBeCloseTo(mcc, 5);
    expect(value(diceLoss)).toBeCloseTo(f1, 5);
    expect(value(jaccardLoss)).toBeCloseTo(jaccard, 5);
  });

  it("the paper's weighs its two parts", () => {
    const logits: Tensor = normal([10], randomState(3));
    const target = targetOf([1, 0, 0, 1, 1, 0, 1, 0, 0, 0]);
    const [ce, mcc] = [crossEntropyLoss, mccLoss].map((loss) => loss(logits, target).item());
    expect(paperLoss({ crossEntropy: 0.7, mcc: 0.3 })(logits, target).item()).toBeCloseTo(
      0.7 * ce + 0.3 * mcc,
      5,
    );
  });

  it("refuse a target of another shape", () => {
    for (const [name, loss] of Object.entries({ crossEntropyLoss, mccLoss, diceLoss, jaccardLoss }))
      expect(() => loss(zeros([2, 2]), zeros([4]))).toThrow(`${name}: target must be [2,2] but is [4]`);
  });
});
