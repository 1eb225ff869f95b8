// The calibration of a camera or an observer, as `saunet calibrate` writes it: the threshold that a few labelled photographs ask
// for. It belongs to the weights that it was fitted with, and goes with them.

import { computed, effect, signal, untracked } from "@preact/signals";
import { type CalibrationFile, readCalibration } from "@saunet/model";
import { STEPS } from "../pictures/tally.ts";
import { sha256 } from "../weights.ts";
import { notice } from "./items.ts";
import { threshold, thresholdText } from "./look.ts";
import { hashesOfWeights, weightsInUse } from "./queue.ts";

/** A calibration, and how its file is called. */
export interface NamedCalibration extends CalibrationFile {
  readonly name: string;
}

export const calibration = signal<NamedCalibration | undefined>(undefined);

const stepOf = ({ threshold: own }: CalibrationFile): number => Math.round(own * STEPS);

/** Whether the threshold is still the calibration's: a person may have moved it since. */
export const isAtCalibration = computed(
  () => calibration.value !== undefined && stepOf(calibration.value) === threshold.value,
);

/** Takes the threshold of a calibration file; where that cannot be used, the page says why. */
export async function openCalibration(file: File): Promise<void> {
  notice.value = undefined;
  try {
    const found = readCalibration(await file.text());
    const { value: weights } = weightsInUse;
    if (!(await hashesOfWeights()).includes(found.weights)) {
      throw new Error(
        `it was made for other weights than those in use (${weights.name}), and a threshold suits one network alone`,
      );
    }
    // Others may have come into use meanwhile.
    if (weights !== weightsInUse.value) return await openCalibration(file);
    calibration.value = { ...found, name: file.name };
    threshold.value = stepOf(found);
  } catch (error) {
    // Which function found the fault is of no use to a person.
    const reason = (error as Error).message.replace(/^readCalibration: /, "");
    notice.value = `${file.name} is not used: ${reason}.`;
  }
}

/** Whether a calibration was fitted to this photograph, among others. */
export async function isFittedTo({ sources }: CalibrationFile, photograph: Blob): Promise<boolean> {
  return sources.includes(await sha256(new Uint8Array(await photograph.arrayBuffer())));
}

/** Takes the threshold back to the usual one. */
export function endCalibration(): void {
  calibration.value = undefined;
  threshold.value = STEPS / 2;
}

effect(() => {
  const { value: weights } = weightsInUse;
  untracked(() => void endWithWeights(weights));
});

/** Other weights have come into use. */
async function endWithWeights(weights: typeof weightsInUse.value): Promise<void> {
  if (calibration.value === undefined) return;
  const hashes = await hashesOfWeights().catch((): readonly string[] => []);
  const { value: own } = calibration;
  if (weights !== weightsInUse.value || own === undefined || hashes.includes(own.weights)) return;
  endCalibration();
  notice.value = `${own.name} belongs to other weights than ${weights.name}, so the threshold is ${thresholdText(threshold.value)} again.`;
}
