import { randomState, uniform } from "@saunet/core";
import { confusion, evaluate } from "@saunet/model";
import { describe, expect, it } from "vitest";
import { confusionAt, densityAt, STEPS, tallyOf } from "./tally.ts";

const pixels = 5000;
const random = randomState(1);
const draw = () => uniform([pixels], random).data;
const probability = draw();
// Thresholds themselves and their neighbours, where a rounding would show.
const bits = new Uint32Array(probability.buffer);
for (let k = 0; k <= STEPS; k++) {
  for (const at of [k, k + 1001, k + 2002]) probability[at] = k / STEPS;
  if (k > 0) bits[k + 1001]--;
  if (k < STEPS) bits[k + 2002]++;
}
const field = Uint8Array.from(draw(), (value) => (value < 0.7 ? 1 : 0));
const truth = Uint8Array.from(draw(), (value, i) => (value < probability[i] ? 1 : 0));

describe("tallyOf", () => {
  const tally = tallyOf({ probability, field, truth });

  it("answers every threshold as counting would", () => {
    for (let k = 0; k <= STEPS; k++) {
      const expected = [
        confusion({ probability, truth, fieldOfView: field }, k / STEPS),
        confusion({ probability, truth }, k / STEPS),
      ];
      expect([confusionAt(tally, k, true), confusionAt(tally, k, false)]).toEqual(expected);
    }
  });

  it("knows the area under the curve", () => {
    expect(tally.auc.frame).toBe(evaluate({ probability, truth }).auc);
    expect(tally.auc.field).toBe(evaluate({ probability, truth, fieldOfView: field }).auc);
  });

  it("gives densities without a truth", () => {
    const { hasTruth, ...rest } = tallyOf({ probability, field });
    expect(hasTruth).toBe(false);
    const called = probability.filter((p, i) => p >= 0.25 && field[i] === 1).length;
    const counted = field.filter((inside) => inside === 1).length;
    expect(densityAt({ hasTruth, ...rest }, 250, true)).toBe(called / counted);
  });
});
