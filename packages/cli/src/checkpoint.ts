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
import { z } from "zod";
import { WorkError } from "./errors.ts";
import { parseJson, validate } from "./validate.ts";

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

const index = z.int().min(0);
const watch = z.object({ best: z.union([z.number(), z.literal(Number.POSITIVE_INFINITY)]), wait: index });
const schema = z.object({
  position: z.object({
    step: index,
    seconds: z.number().min(0),
    lossSum: z.number(),
    best: z.object({ epoch: index, score: z.number(), f1: z.number() }).nullable(),
    isFinished: z.boolean(),
  }),
  random: z
    .array(
      z
        .int()
        .min(0)
        .lt(2 ** 32),
    )
    .length(4),
  watches: z.record(z.string(), watch),
  learningRate: z.number().min(0),
});

/**
 * Brings a run back to where its checkpoint was written.
 *
 * @param state filled in place, once everything has been checked
 * @param total steps of the whole run
 * @throws SafetensorsError, WorkError where the bytes are no checkpoint of this run
 */
export function readCheckpoint(bytes: Uint8Array, state: TrainingState, total: number): Position {
  const { tensors, metadata } = readSafetensors(bytes);
  const wanted = Object.entries(tensorsOf(state));
  for (const [name, { data }] of wanted) {
    const found = tensors[name]?.data;
    if (found?.length !== data.length) {
      throw new WorkError(`does not belong to this network: ${name} is missing or of another size`);
    }
    if (!found.every(Number.isFinite))
      throw new WorkError(`is damaged: ${name} holds a value that is no number`);
  }
  if (metadata[STATE] === undefined)
    throw new WorkError("is no checkpoint: it does not say where the run stands");
  const rest = validate(
    schema,
    parseJson(metadata[STATE], (_, value) => (value === "Infinity" ? Number.POSITIVE_INFINITY : value)),
  );
  const { position, random, watches, learningRate } = rest;
  if (position.step > total) {
    throw new WorkError(`is at step ${position.step} of a run that has ${total} by its config.json`);
  }
  for (const name of Object.keys(state.watches)) {
    if (watches[name] === undefined) throw new WorkError(`is damaged: watches.${name} is missing`);
  }
  for (const [name, { data }] of wanted) data.set(tensors[name].data);
  state.random.set(random);
  for (const [name, watched] of Object.entries(state.watches)) Object.assign(watched, watches[name]);
  state.optimizer.learningRate[0] = learningRate;
  return position;
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
