// Ours.

import { adam, noGrad, randomState, sigmoid } from "@saunet/core";
import { forward, paperLoss, trainStep } from "@saunet/model";
import type { Prepare } from "./contender.ts";

/** Plain TypeScript on one thread. */
export const typescriptModel: Prepare = async ({ config, parameters, image }) => {
  return () => noGrad(() => sigmoid(forward(config, parameters, image))).data;
};

/** A step of training in plain TypeScript: forward, backward, Adam. */
export const typescriptTrain: Prepare = async ({ config, parameters, image, target }) => {
  const run = {
    config,
    parameters,
    optimizer: adam(parameters),
    loss: paperLoss(),
    random: randomState(1),
  };
  return () => Float32Array.of(trainStep(run, { x: image, target }));
};
