// Everything that a run needs to go on as if nothing had happened, in one safetensors file: the parameters, their
// average and the optimiser's state as tensors; step, random state, schedule and the best result so far as JSON in its
// metadata. Numbers survive both forms to the bit.

import {
  type Optimizer,
  type RandomState,
  readSafetensors,
  type Tensor,
  type Watch,
  writeSafetensors,
} from "@saunet/core";
import type { Parameters } from "@saunet/model";
import { WorkError } from "./errors.ts";

/** A validation that was better than all before. */
export interface Best {
  readonly epoch: number;
  readonly score: number;
  readonly f1: number;
}

/** Where a run stands. */
export interface Position {
  /** Steps done. */
  readonly step: number;
  /** Seconds of training up to here. */
  readonly seconds: number;
  /** The losses of the present epoch, added up. */
  readonly lossSum: number;
  readonly best: Best | null;
  /** Whether the run is over. */
  readonly isFinished: boolean;
}

/** What training changes in place. */
export interface TrainingState {
  readonly parameters: Parameters;
  readonly average: Parameters;
  readonly optimizer: Optimizer;
  readonly random: RandomState;
  /** Of the rules that lower the learning rate and stop early. */
  readonly watches: Readonly<Record<string, Watch>>;
}

/** The metadata's one entry. */
const STATE = "state";

/** Puts a run into one file. */
export function writeCheckpoint(state: TrainingState, position: Position): Uint8Array {
  const { optimizer, random, watches } = state;
  const rest = { position, random: [...random], watches, learningRate: optimizer.learningRate[0] };
  // JSON has no infinity, which is where a watch starts.
  const text = JSON.stringify(rest, (_, value) => (value === Number.POSITIVE_INFINITY ? "Infinity" : value));
  return writeSafetensors(tensorsOf(state), { [STATE]: text });
}

/**
 * Brings a run back to where its checkpoint was written.
 *
 * @param state filled in place
 * @throws SafetensorsError, WorkError where the bytes are no checkpoint of this run
 */
export function readCheckpoint(bytes: Uint8Array, state: TrainingState): Position {
  const { tensors, metadata } = readSafetensors(bytes);
  const wanted = tensorsOf(state);
  for (const [name, { data }] of Object.entries(wanted)) {
    const found = tensors[name];
    if (found?.data.length !== data.length) {
      throw new WorkError(
        `the checkpoint does not belong to this network: ${name} is missing or of another size`,
      );
    }
    data.set(found.data);
  }
  const rest = JSON.parse(metadata[STATE], (_, value) =>
    value === "Infinity" ? Number.POSITIVE_INFINITY : value,
  );
  state.random.set(rest.random);
  for (const [name, watch] of Object.entries(state.watches)) Object.assign(watch, rest.watches[name]);
  state.optimizer.learningRate[0] = rest.learningRate;
  return rest.position;
}

function tensorsOf({ parameters, average, optimizer }: TrainingState): Record<string, Tensor> {
  const prefixed = (prefix: string, tensors: Readonly<Record<string, Tensor>>) =>
    Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor] as const);
  return Object.fromEntries([
    ...prefixed("parameters", parameters),
    ...prefixed("average", average),
    ...prefixed("optimizer", optimizer.state),
  ]);
}
