// saunet adapt: fine-tuning of weights on a handful of labelled photographs, of which some are kept back and decide between before
// and after.

import type { DatasetKind } from "@saunet/data/files";
import type { Host } from "../output.ts";
import { weightsFile } from "../outputs.ts";
import { train } from "./train.ts";

/** Options of `saunet adapt`. */
export interface AdaptOptions {
  readonly dataset: DatasetKind;
  readonly data: string;
  readonly out: string;
  readonly limit?: number;
  readonly observer?: string;
  readonly validation?: number;
  readonly weights?: string;
  readonly epochs?: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly crop?: number;
  readonly learningRate?: number;
  readonly minutes: number;
  readonly seed: number;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** Adapts weights; the run folder's `best.safetensors` has those that did best on the photographs kept back. */
export async function adapt(
  { dataset, data, weights, ...options }: AdaptOptions,
  host: Host,
): Promise<number> {
  return train(
    {
      ...options,
      recipe: "adapt",
      dataset: [dataset],
      data: [data],
      weights: weightsFile(weights),
      validateEvery: 1,
      pictureSize: SMALLEST,
      report: false,
    },
    host,
  );
}

/** Of synthetic pictures, which there are none of here. */
const SMALLEST = 32;
