// The log of a training run as curves need it.

import { parseLog } from "../log-entries.ts";

/** One training step. */
export interface LoggedStep {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
}

/** The end of an epoch; `f1` where it was validated. */
export interface LoggedEpoch {
  readonly epoch: number;
  /** Steps done by then. */
  readonly step: number;
  readonly loss: number;
  readonly f1: number | undefined;
  readonly seconds: number;
}

/** How a run went. */
export interface TrainingLog {
  readonly steps: readonly LoggedStep[];
  readonly epochs: readonly LoggedEpoch[];
}

/**
 * Reads log.jsonl.
 *
 * @throws WorkError on a line that is not a log entry, naming it
 */
export function parseTrainingLog(text: string): TrainingLog {
  const steps: LoggedStep[] = [];
  const epochs: LoggedEpoch[] = [];
  for (const logged of parseLog(text)) {
    if (logged.kind === "step") {
      const { step, loss, learningRate } = logged.entry;
      steps.push({ step, loss: loss ?? Number.NaN, learningRate });
    } else if (logged.kind === "epoch") {
      const { epoch, step, loss, f1, seconds } = logged.entry;
      epochs.push({ epoch, step, loss: loss ?? Number.NaN, f1: f1 ?? undefined, seconds });
    }
  }
  return { steps, epochs };
}
