// A camera, or an observer, in one number: the threshold that a few labelled photographs ask for. Networks carry their order of
// pixels over to other cameras far better than how much is drawn, and that differs between observers of the same photograph,
// too.
//
// So few photographs can mislead, most of all where 0.5 is right. What they ask for is drawn towards it, the more the less they gain:
// the logarithm of the odds of their best threshold is multiplied by 1 - CHANCE / (what all of them gain together), or by 0. Breiman's garrote
// (Technometrics 37(4), 1995) does so with coefficients of a regression. Nothing is estimated from how few photographs
// differ: with three of them a bootstrap or Student's t either lets chance through or nothing at all.

import { expectBetween } from "@saunet/core/kernels";
import { bootstrapMean } from "./bootstrap.ts";
import { DEFAULT_THRESHOLD } from "./metrics.ts";
import { fitThreshold } from "./threshold.ts";

/** What is known of a threshold. F1 is over the full frame, a mean over the photographs. */
export interface Calibration {
  /** From this probability on a pixel is vessel. */
  readonly threshold: number;
  /** How many photographs it was fitted to. */
  readonly photographs: number;
  /** F1 of these photographs at 0.5 and at the threshold; the latter flatters, since it was fitted to them. */
  readonly before: number;
  readonly fitted: number;
  /** F1 of each photograph at the threshold of the others; null of a single photograph. */
  readonly leaveOneOut: LeaveOneOut | null;
  /** Why the threshold says little, in words. */
  readonly warnings: readonly string[];
}

/** What is to be expected of a photograph that the threshold has not seen. */
export interface LeaveOneOut {
  readonly f1: number;
  /** The lowest and the highest threshold that came out. */
  readonly thresholds: readonly [low: number, high: number];
  /** 95 % interval of what it gains over 0.5: the paired bootstrap over photographs. */
  readonly gain: readonly [low: number, high: number];
}

/**
 * What photographs may gain by chance at their own best threshold, added up. Near the best threshold F1 falls by 0.007 to 0.011 where
 * the logarithm of the odds is 1 off, and single photographs of CHASE_DB1 and HRF ask for one that is 0.6 to 0.9 off, as standard
 * deviations go: 0.003 to 0.009 on average, which n photographs gain together as one does. `scripts/measure-calibration.mjs` measures
 * what the rule gains and loses (docs/training.md).
 */
const CHANCE = 0.02;

/** Thresholds that lie further apart than this have no mean that suits all. */
const WIDE = 0.2;

/**
 * Fits a threshold to a few photographs: that with the highest mean F1, drawn towards 0.5 by what may be chance.
 *
 * @param curves `f1ByThreshold` of each photograph; those of photographs without vessels and predictions are left out
 * @returns undefined where no photograph has a vessel
 * @example
 * const probability = new Float32Array([0.1, 0.25, 0.3, 0.35, 0.4, 0.55]);
 * const curve = f1ByThreshold({ probability, truth: [0, 1, 1, 1, 1, 1] });
 * const { threshold, before, leaveOneOut } = fitCalibration([curve, curve]) ?? {};
 * console.log(threshold, before?.toFixed(3), leaveOneOut?.f1.toFixed(3)); // 0.253 0.333 0.889
 */
export function fitCalibration(curves: readonly Float64Array[]): Calibration | undefined {
  const known = curves.filter((curve) => fitThreshold([curve]) !== undefined);
  const found = fitDrawn(known);
  if (found === undefined) return undefined;
  const leaveOneOut = known.length === 1 ? null : leaveOneOutOf(known);
  const { best, threshold, before, fitted } = found;
  return {
    ...{ photographs: known.length, before, threshold, fitted, leaveOneOut },
    warnings:
      threshold === DEFAULT_THRESHOLD ? [whyTooLittle(known.length, best, before)] : doubtsOf(leaveOneOut),
  };
}

/** The best threshold of photographs, and what is kept of it. */
interface Fit extends Pick<Calibration, "threshold" | "before" | "fitted"> {
  readonly best: { readonly threshold: number; readonly f1: number };
}

function fitDrawn(curves: readonly Float64Array[]): Fit | undefined {
  const best = fitThreshold(curves);
  if (best === undefined) return undefined;
  const meanAt = (threshold: number) => mean(curves.map((curve) => f1At(curve, threshold)));
  const before = meanAt(DEFAULT_THRESHOLD);
  const drawn = drawnToDefault(best.threshold, curves.length * (best.f1 - before));
  const fitted = meanAt(drawn);
  // A curve with two summits may have a valley between them.
  return fitted > before
    ? { best, threshold: drawn, before, fitted }
    : { best, threshold: DEFAULT_THRESHOLD, before, fitted: before };
}

/** @param gain what all photographs gain together at `best` */
function drawnToDefault(best: number, gain: number): number {
  if (gain <= CHANCE) return DEFAULT_THRESHOLD;
  const odds = Math.log(best / (1 - best)) * (1 - CHANCE / gain);
  return Math.round(1000 / (1 + Math.exp(-odds))) / 1000;
}

const f1At = (curve: Float64Array, threshold: number): number =>
  curve[Math.round(threshold * (curve.length - 1))];

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function leaveOneOutOf(curves: readonly Float64Array[]): LeaveOneOut {
  const others = curves.map((_, left) => fitDrawn(curves.filter((_, i) => i !== left))!.threshold);
  const unseen = curves.map((curve, i) => f1At(curve, others[i]));
  return {
    f1: mean(unseen),
    thresholds: [Math.min(...others), Math.max(...others)],
    // There are two photographs at least.
    gain: bootstrapMean(unseen.map((f1, i) => f1 - f1At(curves[i], DEFAULT_THRESHOLD)))!,
  };
}

function whyTooLittle(photographs: number, best: Fit["best"], before: number): string {
  const gain = (best.f1 - before).toFixed(3);
  const who = photographs === 1 ? "a single photograph gains" : `${photographs} photographs gain`;
  return `${who} ${gain} of F1 at the best threshold, ${best.threshold}, which chance may explain: ${DEFAULT_THRESHOLD} stays`;
}

/** What to know of a threshold that is not 0.5. */
function doubtsOf(leaveOneOut: LeaveOneOut | null): string[] {
  if (leaveOneOut === null) return ["a single photograph fitted it, and nothing says how it does on another"];
  const [low, high] = leaveOneOut.thresholds;
  return high - low > WIDE
    ? [`the threshold hangs on single photographs: it runs from ${low} to ${high} as one is left out`]
    : [];
}

/** A calibration as a file holds it: which weights it belongs to, and which photographs it was fitted to. */
export interface CalibrationFile extends Calibration {
  /** SHA-256 of the weights file. Other weights want another threshold. */
  readonly weights: string;
  /** SHA-256 of the photographs' files: whoever tests on one of them is told. Names may be those of patients, and are not kept. */
  readonly sources: readonly string[];
}

const KIND = "saunet-calibration";
const VERSION = 1;

/**
 * A calibration as text, for a file.
 *
 * @example
 * const curves = [f1ByThreshold({ probability: new Float32Array([0.1, 0.3, 0.4]), truth: [0, 1, 1] })];
 * const text = writeCalibration({ ...fitCalibration(curves)!, weights: "0".repeat(64), sources: ["1".repeat(64)] });
 * console.log(readCalibration(text).threshold); // 0.304
 */
export function writeCalibration(calibration: CalibrationFile): string {
  return `${JSON.stringify({ kind: KIND, version: VERSION, ...calibration }, undefined, 2)}\n`;
}

/**
 * Reads a calibration. Its threshold goes to `SegmentOptions.threshold`.
 *
 * @throws RangeError where the text is no calibration, or of a newer version
 * @example
 * try { readCalibration('{"kind":"camera"}'); }
 * catch (error) { console.log(error.message); } // readCalibration: text must be a file of saunet calibrate, but its kind is "camera"
 */
export function readCalibration(text: string): CalibrationFile {
  const wanted = "readCalibration: text must be a file of saunet calibrate, but";
  let found: Partial<Record<keyof CalibrationFile | "kind" | "version", unknown>> | null;
  try {
    found = JSON.parse(text);
  } catch {
    throw new RangeError(`${wanted} it is not JSON`);
  }
  if (found?.kind !== KIND)
    throw new RangeError(`${wanted} its kind is ${JSON.stringify(found?.kind)?.slice(0, 60)}`);
  if (found.version !== VERSION) {
    throw new RangeError(
      `readCalibration: version must be ${VERSION} but is ${JSON.stringify(found.version)?.slice(0, 60)}`,
    );
  }
  const threshold = typeof found.threshold === "number" ? found.threshold : Number.NaN;
  expectBetween("readCalibration", "threshold", threshold, 0, 1);
  const isHash = (value: unknown) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
  if (!isHash(found.weights)) throw new RangeError(`${wanted} weights is no SHA-256`);
  if (!Array.isArray(found.sources) || !found.sources.every(isHash)) {
    throw new RangeError(`${wanted} sources is no list of SHA-256`);
  }
  return found as unknown as CalibrationFile;
}
