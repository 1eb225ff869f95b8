// Calibrations in files: which threshold they give weights, and that they belong to them.

import { readFile } from "node:fs/promises";
import { type CalibrationFile, readCalibration, type Weights } from "@saunet/model";
import { UsageError, WorkError } from "./errors.ts";
import { sha256, withFile } from "./files.ts";
import type { Host } from "./output.ts";
import { weightsFile } from "./outputs.ts";

/** What `--calibration` and `--threshold` come to. */
export interface ThresholdOptions {
  readonly weights?: string;
  readonly threshold?: number;
  readonly calibration?: string;
}

/**
 * Reads the calibration that the options name; undefined where they name none.
 *
 * @throws UsageError where it does not go with the other options; WorkError where it was made for other weights
 */
export async function openCalibration(
  { weights, threshold, calibration: file }: ThresholdOptions,
  { config }: Pick<Weights, "config">,
  host: Host,
): Promise<CalibrationFile | undefined> {
  if (file === undefined) return undefined;
  if (threshold !== undefined) {
    throw new UsageError(
      "option '--calibration <file>' is a threshold, and '--threshold <p>' another: leave one out",
    );
  }
  if (config.classes !== undefined) {
    throw new UsageError("option '--calibration <file>' does not go with weights that tell classes apart");
  }
  const found = await withFile(host, file, async (path) => readCalibration(await readFile(path, "utf8")));
  if (found.weights !== (await hashOfWeights(weights, host))) {
    throw new WorkError(
      `${file}: was made for other weights than ${weights ?? "those that come with saunet"}, and a threshold suits one network alone`,
    );
  }
  return found;
}

/** SHA-256 of a weights file, or of that which comes with the command. */
export function hashOfWeights(file: string | undefined, host: Host): Promise<string> {
  return withFile(host, weightsFile(file), async (path) => sha256(await readFile(path)));
}
