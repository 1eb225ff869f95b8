// A camera, or an observer, in one number: the threshold that a few labelled photographs ask for. Networks carry their order of
// pixels over to other cameras far better than how much is drawn, and that differs between observers of the same photograph,
// too.
//
// So few photographs can mislead. Each is left out in turn, the threshold fitted to the others and tried on it (Stone, Journal of
// the Royal Statistical Society B 36(2), 1974): where what that gains over the default may be chance, the default stays.

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
 * What a single photograph must gain over 0.5 at its own best threshold: less is what the best of a thousand thresholds gains where
 * nothing is to be gained. Weights that needed none lost 0.005 by it, on a mean over photographs of CHASE_DB1.
 */
const SINGLE_GAIN = 0.02;

/** Thresholds that lie further apart than this have no mean that suits all. */
const WIDE = 0.2;

/**
 * Fits a threshold to a few photographs.
 *
 * @param curves `f1ByThreshold` of each photograph; those of photographs without vessels and predictions are left out
 * @returns undefined where no photograph has a vessel
 * @example
 * const truth = [0, 1, 1, 0];
 * const curves = [0.3, 0.3].map((p) => f1ByThreshold({ probability: new Float32Array([0.1, p, 0.8, 0.2]), truth }));
 * const { threshold, before, leaveOneOut } = fitCalibration(curves) ?? {};
 * console.log(threshold, before?.toFixed(3), leaveOneOut?.f1); // 0.3 0.667 1
 */
export function fitCalibration(curves: readonly Float64Array[]): Calibration | undefined {
  const known = curves.filter((curve) => fitThreshold([curve]) !== undefined);
  const found = fitThreshold(known);
  if (found === undefined) return undefined;
  const before = known.map((curve) => f1At(curve, DEFAULT_THRESHOLD));
  const base = { photographs: known.length, before: mean(before) };
  const leaveOneOut = known.length === 1 ? null : leaveOneOutOf(known, before);
  const tooLittle = whyTooLittle(found, base.before, leaveOneOut);
  return tooLittle === undefined
    ? { ...base, threshold: found.threshold, fitted: found.f1, leaveOneOut, warnings: doubtsOf(leaveOneOut) }
    : {
        ...base,
        threshold: DEFAULT_THRESHOLD,
        fitted: base.before,
        leaveOneOut,
        warnings: [`${tooLittle}: ${DEFAULT_THRESHOLD} stays`],
      };
}

const f1At = (curve: Float64Array, threshold: number): number =>
  curve[Math.round(threshold * (curve.length - 1))];

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function leaveOneOutOf(curves: readonly Float64Array[], before: readonly number[]): LeaveOneOut {
  const others = curves.map(
    (_, left) => fitThreshold(curves.filter((_, i) => i !== left))?.threshold ?? DEFAULT_THRESHOLD,
  );
  const unseen = curves.map((curve, i) => f1At(curve, others[i]));
  return {
    f1: mean(unseen),
    thresholds: [Math.min(...others), Math.max(...others)],
    // There are two photographs at least.
    gain: bootstrapMean(unseen.map((f1, i) => f1 - before[i]))!,
  };
}

/** Why the fitted threshold is not to be gone by; undefined where it is. */
function whyTooLittle(
  { threshold, f1 }: { readonly threshold: number; readonly f1: number },
  before: number,
  leaveOneOut: LeaveOneOut | null,
): string | undefined {
  if (leaveOneOut !== null) {
    const { gain } = leaveOneOut;
    return gain[0] > 0
      ? undefined
      : `photographs that are left out gain ${gain.map((end) => end.toFixed(3)).join(" to ")} of F1 at the fitted ${threshold}, which chance may explain`;
  }
  const gain = f1 - before;
  return gain >= SINGLE_GAIN
    ? undefined
    : `a single photograph gains ${gain.toFixed(3)} of F1 at the fitted ${threshold}, which is too little to go by`;
}

/** What to know of a threshold that holds. */
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
 * const curves = [f1ByThreshold({ probability: new Float32Array([0.1, 0.3]), truth: [0, 1] })];
 * const text = writeCalibration({ ...fitCalibration(curves)!, weights: "0".repeat(64), sources: ["1".repeat(64)] });
 * console.log(readCalibration(text).threshold); // 0.3
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
