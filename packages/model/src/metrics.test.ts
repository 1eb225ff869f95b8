import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ByRegion,
  confusion,
  evaluate,
  METRIC_NAMES,
  type Metrics,
  macroAverage,
  metricsFromConfusion,
  microAverage,
  type Prediction,
  REGIONS,
  rocAuc,
} from "./metrics.ts";

/** A few values only, so that ties are common. */
const pixel = fc.record({
  p: fc.constantFrom(0, -0, 1e-8, 0.25, 0.5, 0.5000001, 1),
  t: fc.nat(1),
  f: fc.nat(1),
});
const picture = fc.array(pixel, { minLength: 1, maxLength: 60 }).map((pixels) => ({
  probability: new Float32Array(pixels.map(({ p }) => p)),
  truth: pixels.map(({ t }) => t),
  fieldOfView: pixels.map(({ f }) => f),
}));

describe("counts", () => {
  it("of a small picture, by hand", () => {
    const prediction = { probability: new Float32Array([0.9, 0.5, 0.2, 0.4, 0.7]), truth: [1, 0, 0, 1, 1] };
    const counts = confusion(prediction);
    expect(counts).toEqual({ truePositives: 2, falsePositives: 1, trueNegatives: 1, falseNegatives: 1 });
    const { f1, jaccard, sensitivity, specificity, accuracy, mcc } = metricsFromConfusion(counts);
    expect([f1, jaccard, sensitivity, specificity, accuracy]).toEqual([2 / 3, 1 / 2, 2 / 3, 1 / 2, 3 / 5]);
    expect(mcc).toBeCloseTo(1 / 6);
  });

  it("leave out what lies outside the field of view", () => {
    const prediction = { probability: new Float32Array([0.9, 0.9]), truth: [1, 0], fieldOfView: [1, 0] };
    expect(evaluate(prediction).accuracy).toBe(1);
  });

  it("refuse arrays of different length", () => {
    expect(() => confusion({ probability: new Float32Array(3), truth: [1, 0] })).toThrow(
      "metrics: truth has 2 pixels but probability has 3",
    );
    const short = { probability: new Float32Array(2), truth: [1, 0], fieldOfView: [1] };
    expect(() => confusion(short)).toThrow("metrics: fieldOfView has 1 pixels but probability has 2");
  });

  it("refuse thresholds that are no probability, by name", () => {
    const prediction = { probability: new Float32Array(2), truth: [1, 0] };
    for (const threshold of [-0.1, 1.1, Number.NaN])
      expect(() => confusion(prediction, threshold)).toThrow(
        `metrics: threshold must lie between 0 and 1 but is ${threshold}`,
      );
  });
});

describe("AUC", () => {
  it("equals the share of rightly ordered pairs, ties half", () => {
    fc.assert(
      fc.property(picture, (prediction) => {
        const { probability, truth, fieldOfView } = prediction;
        let pairs = 0;
        let ordered = 0;
        for (let i = 0; i < truth.length; i++)
          for (let j = 0; j < truth.length; j++) {
            if (!(fieldOfView[i] && fieldOfView[j] && truth[i] === 1 && truth[j] === 0)) continue;
            pairs++;
            if (probability[i] > probability[j]) ordered++;
            if (probability[i] === probability[j]) ordered += 0.5;
          }
        const auc = rocAuc(prediction);
        if (pairs === 0) expect(auc).toBeNaN();
        else expect(auc).toBeCloseTo(ordered / pairs, 12);
      }),
    );
  });

  it.each([Number.NaN, -0.1, 1.5])("refuses a probability of %s", (p) => {
    expect(() => rocAuc({ probability: new Float32Array([p]), truth: [1] })).toThrow(
      "must lie between 0 and 1",
    );
  });
});

describe("against scikit-learn", () => {
  const { pictures, pooled, threshold } = JSON.parse(
    readFileSync(new URL("../../../fixtures/metrics/metrics.json", import.meta.url), "utf8"),
  ) as {
    readonly pictures: readonly (ByRegion<Metrics> & {
      readonly probability64: number[];
      readonly truth: number[];
      readonly fieldOfView: number[];
    })[];
    readonly pooled: ByRegion<Metrics>;
    readonly threshold: number;
  };
  const predictionOf = (picture: (typeof pictures)[number], region: string): Prediction => ({
    probability: Float32Array.from(picture.probability64, (value) => value / 64),
    truth: picture.truth,
    fieldOfView: region === "fov" ? picture.fieldOfView : undefined,
  });
  const expectFigures = (figures: Metrics, wanted: Metrics) => {
    for (const name of METRIC_NAMES) expect(figures[name], name).toBeCloseTo(wanted[name], 14);
  };

  it.each(REGIONS)("the seven figures, of each picture and of all pixels: %s", (region) => {
    for (const picture of pictures)
      expectFigures(evaluate(predictionOf(picture, region), threshold), picture[region]);
    const all = pictures.map((picture) => predictionOf(picture, region));
    expectFigures(microAverage(all, threshold), pooled[region]);
  });
});

describe("averages", () => {
  it("macro is the mean of the images, micro the figure of their pixels in one", () => {
    fc.assert(
      fc.property(fc.array(picture, { minLength: 1, maxLength: 4 }), (pictures) => {
        const joined = {
          probability: new Float32Array(pictures.flatMap(({ probability }) => [...probability])),
          truth: pictures.flatMap(({ truth }) => truth),
          fieldOfView: pictures.flatMap(({ fieldOfView }) => fieldOfView),
        };
        expect(microAverage(pictures)).toEqual(evaluate(joined));
      }),
    );
    const images = [0.5, 0.7, Number.NaN].map((auc) => ({
      ...evaluate({ probability: new Float32Array([1]), truth: [1] }),
      auc,
    }));
    expect(macroAverage(images).auc).toBeCloseTo(0.6);
  });
});
