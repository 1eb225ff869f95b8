// The log of a training run, read back.

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
 * Reads log.jsonl. A run may have been killed while it wrote, so a last line that is cut short is left out; so is what a
 * newer version may log besides.
 *
 * @throws RangeError on any other line that is no JSON, naming it
 */
export function parseTrainingLog(text: string): TrainingLog {
  const steps: LoggedStep[] = [];
  const epochs: LoggedEpoch[] = [];
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const entry = parseLine(line, index, index === lines.length - 1);
    if (entry === undefined) continue;
    const { step, epoch } = entry;
    const loss = numberOr(entry.loss, Number.NaN);
    if (entry.kind === "step" && typeof step === "number") {
      steps.push({ step, loss, learningRate: numberOr(entry.learningRate, Number.NaN) });
    }
    if (entry.kind === "epoch" && typeof epoch === "number") {
      epochs.push({
        epoch,
        step: numberOr(step, steps.at(-1)?.step ?? 0),
        loss,
        f1: typeof entry.f1 === "number" ? entry.f1 : undefined,
        seconds: numberOr(entry.seconds, Number.NaN),
      });
    }
  }
  return { steps, epochs };
}

function parseLine(line: string, index: number, isLast: boolean): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>) : undefined;
  } catch {
    if (isLast) return undefined;
    throw new RangeError(`line ${index + 1} is no JSON: ${line.slice(0, 40)}`);
  }
}

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === "number" ? value : otherwise;
