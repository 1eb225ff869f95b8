// What all contenders compute on, as one file: the weights by name, a photograph and its vessels. It is safetensors,
// so that the Python scripts read it too.

import { randomState, readSafetensors, type Tensor, uniform, writeSafetensors } from "@saunet/core";
import { initialize, type NetworkConfig, type Parameters, parametersFrom, saUNetV2 } from "@saunet/model";
import type { Discipline } from "./contenders/contender.ts";

/** What stands in the file. */
export interface Inputs {
  readonly config: NetworkConfig;
  readonly parameters: Parameters;
  /** `[1,H,W,3]`, 0 … 1. */
  readonly image: Tensor;
  /** `[1,H,W,1]`, 0 or 1: a tenth of the pixels, as in photographs of the retina. */
  readonly target: Tensor;
}

const VESSEL_SHARE = 0.1;

/** SA-UNetv2 as it starts (a time does not depend on what was learned), and numbers in the normal range. */
export function makeInputs(height: number, width: number): Inputs {
  const random = randomState(1);
  const parameters = initialize(saUNetV2, random);
  const image = uniform([1, height, width, 3], random);
  const target = uniform([1, height, width, 1], random);
  target.data.forEach((value, i) => {
    target.data[i] = value < VESSEL_SHARE ? 1 : 0;
  });
  return { config: saUNetV2, parameters, image, target };
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
