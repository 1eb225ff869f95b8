// Everything that a run needs to be taken up again, in one safetensors file, laid out as the command's checkpoints are:
// parameters and optimiser state as tensors; step, random state and learning rate as JSON in the metadata.

import {
  type Optimizer,
  type RandomState,
  readSafetensors,
  type Tensor,
  writeSafetensors,
} from "@saunet/core";
import type { Parameters } from "@saunet/model";

/** What training changes in place. */
export interface TrainingState {
  readonly parameters: Parameters;
  readonly optimizer: Optimizer;
  readonly random: RandomState;
}

const STATE = "state";

/** Puts a run into one file. */
export function writeCheckpoint(state: TrainingState, step: number): Uint8Array {
  const { optimizer, random } = state;
  // What the command keeps besides: here no epoch has been judged yet, and no rule watches the loss.
  const position = { step, seconds: 0, lossSum: 0, best: null, isFinished: false };
  const watch = { best: "Infinity", wait: 0 };
  const rest = {
    position,
    random: [...random],
    watches: { plateau: watch, stopping: watch },
    learningRate: optimizer.learningRate[0],
  };
  return writeSafetensors(tensorsOf(state), { [STATE]: JSON.stringify(rest) });
}

/**
 * Brings a run back to where its checkpoint was written.
 *
 * @param state filled in place
 * @returns the steps that were done
 * @throws SafetensorsError, Error where the bytes are no checkpoint of this network
 */
export function readCheckpoint(bytes: Uint8Array, state: TrainingState): number {
  const { tensors, metadata } = readSafetensors(bytes);
  const wanted = Object.entries(tensorsOf(state));
  for (const [name, { data }] of wanted) {
    if (metadata[STATE] === undefined || tensors[name]?.data.length !== data.length)
      throw new Error(
        `the checkpoint does not belong to this network: ${name} is missing or of another size`,
      );
  }
  for (const [name, { data }] of wanted) data.set(tensors[name].data);
  const { position, random, learningRate } = JSON.parse(metadata[STATE]);
  state.random.set(random);
  state.optimizer.learningRate[0] = learningRate;
  return position.step;
}

/** Whether a safetensors file is a checkpoint, in contrast to weights. */
export const isCheckpointFile = (bytes: Uint8Array): boolean =>
  readSafetensors(bytes).metadata[STATE] !== undefined;

function tensorsOf({ parameters, optimizer }: TrainingState): Record<string, Tensor> {
  const prefixed = (prefix: string, tensors: Readonly<Record<string, Tensor>>) =>
    Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor] as const);
  return Object.fromEntries([
    ...prefixed("parameters", parameters),
    // The command keeps a moving average beside them; here it is the parameters themselves.
    ...prefixed("average", parameters),
    ...prefixed("optimizer", optimizer.state),
  ]);
}
