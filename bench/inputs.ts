// What all contenders compute on, as one file: the weights by name, a photograph and its vessels. It is safetensors,
// so that the Python scripts read it too.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { readSafetensors, Tensor, writeSafetensors } from "@saunet/core";
import { syntheticFundus } from "@saunet/data";
import {
  type NetworkConfig,
  type Parameters,
  parametersFrom,
  readWeights,
  saUNetV2,
  type Weights,
} from "@saunet/model";
import type { Discipline } from "./contenders/contender.ts";

/** What stands in the file. */
export interface Inputs {
  readonly config: NetworkConfig;
  readonly parameters: Parameters;
  /** `[1,H,W,3]`, 0 … 1. */
  readonly image: Tensor;
  /** `[1,H,W,1]`, 0 or 1: its vessels. */
  readonly target: Tensor;
}

/** What result files say of the photograph and the weights. */
export const ABOUT_INPUTS = "a synthetic photograph of the retina, the shipped weights";

/** The weights that come with @saunet/model. */
export function shippedWeights(): Weights {
  const path = createRequire(import.meta.url).resolve("@saunet/model/weights/sa-unet-v2.safetensors");
  return readWeights(readFileSync(path));
}

/** SA-UNetv2 with its shipped weights, and a synthetic photograph with its vessels. */
export function makeInputs(height: number, width: number): Inputs {
  const { config, parameters } = shippedWeights();
  const { image, vessels } = syntheticFundus({ seed: 1, height, width });
  return {
    config,
    parameters,
    image: new Tensor(
      Float32Array.from(image.data, (value) => value / 255),
      [1, height, width, 3],
    ),
    target: new Tensor(Float32Array.from(vessels.data), [1, height, width, 1]),
  };
}

/** The bytes of the file. */
export function writeInputs({ parameters, image, target }: Inputs): Uint8Array {
  return writeSafetensors({ ...parameters, image, target });
}

/** Training is compared without DropBlock: every library would draw other blocks. */
export function readInputs(bytes: Uint8Array, discipline: Discipline): Inputs {
  const { image, target, ...weights } = readSafetensors(bytes).tensors;
  const config = discipline === "train" ? { ...saUNetV2, dropBlock: { rate: 0, size: 7 } } : saUNetV2;
  return { config, parameters: parametersFrom(config, weights), image, target };
}
