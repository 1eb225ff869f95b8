import { draw, randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { bootstrapMean } from "./bootstrap.ts";
import { type Calibration, fitCalibration, readCalibration, writeCalibration } from "./calibration.ts";
import { f1ByThreshold, fitThreshold } from "./threshold.ts";

const oddsOf = (p: number) => Math.log(p / (1 - p));
const probabilityOf = (odds: number) => 1 / (1 + Math.exp(-odds));

/** Brings the best threshold to 0.5 where nothing is shifted. */
const MIDDLE = -2.54;

/**
 * F1 by threshold of a photograph whose probabilities tell vessels from the rest, with all odds shifted as another observer's would be.
 * F1 falls by 0.01 where a threshold's odds are 1 off, as it does on CHASE_DB1 and HRF.
 */
function curve(seed: number, shift: number, noise = 0): Float64Array {
  const random = randomState(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw(random))) * Math.cos(2 * Math.PI * draw(random));
  const own = shift + MIDDLE + noise * normal();
  const truth = Uint8Array.from({ length: 4000 }, () => (draw(random) < 0.12 ? 1 : 0));
  const probability = Float32Array.from(truth, (t) => probabilityOf(own + (t ? 8 : -8) + 4.8 * normal()));
  return f1ByThreshold({ probability, truth });
}

const curves = (first: number, count: number, shift: number, noise = 0) =>
  Array.from({ length: count }, (_, i) => curve(first + i, shift, noise));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const f1At = (of: readonly Float64Array[], threshold: number) =>
  mean(of.map((each) => each[Math.round(1000 * threshold)]));

describe("fitCalibration", () => {
  it.each([
    [-2, 0.9],
    [-1, 0.7],
    [1, 0.7],
    [2, 0.9],
  ])("recovers most of what a shift of %d of the odds costs", (shift, share) => {
    const photographs = curves(1, 8, shift);
    const found = fitCalibration(photographs) as Calibration;
    const best = fitThreshold(photographs)!;
    const [kept, whole] = [oddsOf(found.threshold), oddsOf(best.threshold)];
    expect(kept / whole).toBeGreaterThan(0.5);
    expect(kept / whole).toBeLessThan(1);
    expect(found.fitted - found.before).toBeGreaterThan(share * (best.f1 - found.before));
    expect(found.leaveOneOut?.f1).toBeGreaterThan(found.fitted - 0.01);
    expect(found.leaveOneOut?.gain[0]).toBeGreaterThan(0);
    expect(found.warnings).toEqual([]);
  });

  it("draws the threshold towards 0.5 the less, the more photographs agree and the more they gain", () => {
    const keptOf = (photographs: readonly Float64Array[]) =>
      oddsOf(fitCalibration(photographs)!.threshold) / oddsOf(fitThreshold(photographs)!.threshold);
    const [one, far] = [curve(1, 2), curve(1, 3)];
    const kept = [1, 2, 4, 16].map((count) => keptOf(Array(count).fill(one)));
    for (const [i, share] of kept.slice(1).entries()) expect(share).toBeGreaterThan(kept[i]);
    expect(kept[0]).toBeGreaterThan(0);
    expect(kept[3]).toBeLessThan(1);
    expect(keptOf([far])).toBeGreaterThan(kept[0]);
  });

  it("keeps 0.5 where F1 is no better on the way to what is best", () => {
    const peak = Float64Array.from({ length: 1001 }, (_, step) => (step === 800 ? 0.9 : 0.5));
    expect(fitCalibration([peak, peak])).toMatchObject({ threshold: 0.5, before: 0.5, fitted: 0.5 });
  });

  it("keeps 0.5 where F1 has a valley between it and what is best", () => {
    const summits = Float64Array.from({ length: 1001 }, (_, step) =>
      step > 900 ? 0.9 : step < 550 ? 0.8 : 0.2,
    );
    expect(fitThreshold([summits])?.threshold).toBe(0.901);
    expect(fitCalibration([summits])).toMatchObject({ threshold: 0.5, before: 0.8, fitted: 0.8 });
  });

  it("leaves each out in turn", () => {
    const three = curves(5, 3, 1);
    const [a, b, c] = three.map((_, left) => {
      const { threshold } = fitCalibration(three.filter((_, i) => i !== left)) as Calibration;
      return three[left][Math.round(1000 * threshold)];
    });
    const { f1, gain } = fitCalibration(three)!.leaveOneOut!;
    expect(f1).toBeCloseTo((a + b + c) / 3, 12);
    const gains = [a, b, c].map((value, i) => value - three[i][500]);
    expect(gain).toEqual(bootstrapMean(gains));
  });

  it("is no worse on other photographs than 0.5 by more than chance where nothing is to be gained", () => {
    const differences: number[] = [];
    for (let trial = 0; trial < 40; trial++) {
      const few = curves(1000 * trial, 1 + (trial % 5), 0, 0.7);
      const { threshold } = fitCalibration(few) as Calibration;
      const others = curves(1000 * trial + 500, 10, 0, 0.7);
      differences.push(f1At(others, threshold) - f1At(others, 0.5));
    }
    expect(mean(differences)).toBeGreaterThan(-0.0005);
    expect(Math.min(...differences)).toBeGreaterThan(-0.005);
  });

  it("keeps 0.5 where chance may explain what photographs gain, and says so", () => {
    // One of them asks for a lower threshold, the other for a higher one.
    const found = fitCalibration([curve(1, -1), curve(2, 1)]) as Calibration;
    expect(found).toMatchObject({ threshold: 0.5, fitted: found.before });
    expect(found.warnings).toEqual([
      expect.stringMatching(
        /^2 photographs gain 0\.0\d\d of F1 at the best threshold, 0\.\d+, which chance may explain: 0\.5 stays$/,
      ),
    ]);
  });

  it("warns of a single photograph, and of thresholds far apart", () => {
    expect(fitCalibration([curve(1, 2)])).toMatchObject({
      leaveOneOut: null,
      warnings: ["a single photograph fitted it, and nothing says how it does on another"],
    });
    expect(fitCalibration([curve(1, -0.7)])).toMatchObject({
      ...{ threshold: 0.5, leaveOneOut: null },
      warnings: [
        expect.stringMatching(
          /^a single photograph gains 0\.0\d\d of F1 at the best threshold, 0\.\d+, .*: 0\.5 stays$/,
        ),
      ],
    });
    // Either has a plateau above 0.55, and its best threshold somewhere else on it.
    const plateau = (best: number) =>
      Float64Array.from({ length: 1001 }, (_, step) => (step < 550 ? 0.5 : step === best ? 0.81 : 0.8));
    const wide = fitCalibration([plateau(600), plateau(900)]) as Calibration;
    expect(wide.warnings.join()).toMatch(/hangs on single photographs: it runs from 0\.\d+ to 0\.\d+/);
  });

  it("leaves out photographs without vessels, and has nothing to say of those alone", () => {
    const empty = f1ByThreshold({ probability: new Float32Array(4), truth: [0, 0, 0, 0] });
    expect(fitCalibration([])).toBeUndefined();
    expect(fitCalibration([empty])).toBeUndefined();
    const three = curves(5, 3, 1);
    expect(fitCalibration([empty, ...three])).toEqual(fitCalibration(three));
  });
});

describe("a calibration in a file", () => {
  const file = {
    ...(fitCalibration(curves(1, 3, 1)) as Calibration),
    ...{ weights: "a".repeat(64), sources: ["b".repeat(64)] },
  };

  it("comes back as it was", () => {
    expect(readCalibration(writeCalibration(file))).toEqual({
      kind: "saunet-calibration",
      version: 1,
      ...file,
    });
  });

  it.each([
    ["no JSON", "camera", "it is not JSON"],
    ["null", "null", "its kind is undefined"],
    ["of no version", '{"kind":"saunet-calibration"}', "version must be 1 but is undefined"],
    ["another kind", '{"kind":"camera"}', 'its kind is "camera"'],
    [
      "a newer version",
      writeCalibration(file).replace('"version": 1', '"version": 2'),
      "version must be 1 but is 2",
    ],
    [
      "a threshold above 1",
      JSON.stringify({ ...JSON.parse(writeCalibration(file)), threshold: 2 }),
      "threshold must lie between 0 and 1 but is 2",
    ],
    [
      "a threshold in words",
      JSON.stringify({ ...JSON.parse(writeCalibration(file)), threshold: "0.5" }),
      "threshold must lie between",
    ],
    [
      "no weights",
      JSON.stringify({ ...JSON.parse(writeCalibration(file)), weights: 1 }),
      "weights is no SHA-256",
    ],
    [
      "weights in a list",
      JSON.stringify({ ...JSON.parse(writeCalibration(file)), weights: ["a".repeat(64)] }),
      "weights is no SHA-256",
    ],
    [
      "no sources",
      JSON.stringify({ ...JSON.parse(writeCalibration(file)), sources: ["x"] }),
      "sources is no list of SHA-256",
    ],
  ])("is refused where it is %s", (_, text, message) => {
    expect(() => readCalibration(text)).toThrow(RangeError);
    expect(() => readCalibration(text)).toThrow(message);
    expect(() => readCalibration(text)).toThrow(/^readCalibration: /);
  });

  it("is refused in few words where its kind is long", () => {
    const text = JSON.stringify({ kind: "k".repeat(100) });
    expect(() => readCalibration(text)).toThrow(/its kind is "k{59}$/);
  });
});
