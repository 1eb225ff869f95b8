// Measures vessels, away from the page and from what draws: a mask of three megapixels takes a second.

import { measureVessels, type VesselColumn, vesselColumns } from "@saunet/data/measure";
import { expose } from "comlink";
import { calledVessel } from "../pictures/called.ts";
import type { FoundBlobs } from "./view.worker.ts";

/** What is to be measured: what was found in a photograph, at a threshold. */
export interface ToMeasure extends Pick<FoundBlobs, "probability" | "field"> {
  readonly width: number;
  readonly height: number;
  /** 0 … 1 */
  readonly threshold: number;
  readonly fieldOnly: boolean;
}

const api = {
  up(): void {},
  async start(): Promise<void> {},

  /** As `saunet measure` measures the mask that the page saves. */
  async measure({ width, height, threshold, fieldOnly, ...found }: ToMeasure): Promise<VesselColumn[]> {
    const probability = new Float32Array(await found.probability.arrayBuffer());
    const field = new Uint8Array(await found.field.arrayBuffer());
    const mask = { width, height, data: calledVessel({ probability, field }, threshold, fieldOnly) };
    const fieldOfView = fieldOnly ? { width, height, data: field } : undefined;
    return vesselColumns(measureVessels(mask, { fieldOfView }).figures);
  },
};

/** What the page may ask of this worker. */
export type MeasureWorker = typeof api;

expose(api);
