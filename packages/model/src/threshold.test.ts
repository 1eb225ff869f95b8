import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confusion, metricsFromConfusion } from "./metrics.ts";
import { f1ByThreshold, fitThreshold } from "./threshold.ts";

const picture = fc
  .array(
    fc.record({
      // Probabilities on, just below and just above thresholds.
      p: fc.oneof(
        fc
          .nat(1000)
          .chain((k) =>
            fc.constantFrom(k / 1000, Math.max(0, k / 1000 - 1e-8), Math.min(1, k / 1000 + 1e-7)),
          ),
        fc.double({ min: 0, max: 1, noNaN: true }),
      ),
      t: fc.nat(1),
    }),
    { minLength: 1, maxLength: 50 },
  )
  .map((pixels) => ({
    probability: new Float32Array(pixels.map(({ p }) => p)),
    truth: pixels.map(({ t }) => t),
  }));

describe("f1ByThreshold", () => {
  it("is at every threshold what counting there gives", () => {
    fc.assert(
      fc.property(picture, fc.nat(1000), (prediction, step) => {
        const { f1 } = metricsFromConfusion(confusion(prediction, step / 1000));
        expect(f1ByThreshold(prediction)[step]).toBe(f1);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves out what lies outside the field of view", () => {
    const prediction = { probability: new Float32Array([0.9, 0.9]), truth: [1, 0], fieldOfView: [1, 0] };
    expect(f1ByThreshold(prediction)[500]).toBe(1);
  });
});

describe("fitThreshold", () => {
  const curve = (probability: number[], truth: number[]) =>
    f1ByThreshold({ probability: new Float32Array(probability), truth });

  it("takes the mean over pictures, and of equals the one nearest to 0.5", () => {
    expect(fitThreshold([curve([0.2, 0.8], [0, 1])])).toEqual({ threshold: 0.5, f1: 1 });
    expect(fitThreshold([curve([0.6, 0.8], [0, 1])])).toEqual({ threshold: 0.601, f1: 1 });
    // Of two as near as each other, the lower.
    const peaks = Float64Array.from({ length: 1001 }, (_, step) => (step === 250 || step === 750 ? 1 : 0.5));
    expect(fitThreshold([peaks])).toEqual({ threshold: 0.25, f1: 1 });
    // The first wants more than 0.6, the second no more than 0.4, and the second loses more.
    const pictures = [curve([0.6, 0.8], [0, 1]), curve([0.4, 0.1], [1, 0])];
    expect(fitThreshold(pictures)).toEqual({ threshold: 0.4, f1: (2 / 3 + 1) / 2 });
  });

  it("has none to give without vessels", () => {
    expect(fitThreshold([])).toBeUndefined();
    const none = new Float64Array(1001).fill(Number.NaN);
    expect(fitThreshold([none])).toBeUndefined();
  });
});
