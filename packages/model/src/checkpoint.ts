// Everything that a training run needs to resume bit for bit, in one safetensors file: the parameters, their average and
// the optimiser's state as tensors; step, random state, schedules and the best result so far as JSON in its metadata.
// Numbers survive both forms exactly. The command and the page write the same file, so either resumes the other's run.

import {
  type Optimizer,
  type RandomState,
  readSafetensors,
  type Tensor,
  type Watch,
  writeSafetensors,
} from "@saunet/core";
import { NETWORK, parseConfig } from "./config-text.ts";
import type { Parameters } from "./parameters.ts";
import { parametersFrom, type Weights } from "./weights.ts";

/**
 * A file that is no checkpoint, or that of another run.
 *
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const state = { parameters, optimizer: adam(parameters), random: randomState(2) };
 * const weights = writeWeights({ config: saUNetV2, parameters, metadata: {} });
 * try { readCheckpoint(weights, state); } catch (error) { console.log(error instanceof CheckpointError); } // true
 */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** A validation that was better than all before. */
export interface BestValidation {
  readonly epoch: number;
  /** The figure that chooses the best weights. */
  readonly score: number;
  readonly f1: number;
}

/** Where a run stands. */
export interface TrainingPosition {
  /** Steps done. */
  readonly step: number;
  /** Seconds of training up to here. */
  readonly seconds: number;
  /** The losses of the present epoch, added up. */
  readonly lossSum: number;
  readonly best: BestValidation | null;
  /** Whether the run is over. */
  readonly isFinished: boolean;
}

/** What a checkpoint says of its network, as a weights file does: without it, its weights are of use to its run alone. */
export type DescribedNetwork = Omit<Weights, "parameters">;

/** What training changes in place. */
export interface TrainingState {
  readonly parameters: Parameters;
  /** The running average of the parameters; by default the parameters themselves. */
  readonly average?: Parameters;
  readonly optimizer: Optimizer;
  readonly random: RandomState;
  /** The rules that lower the learning rate and stop early; by default such as have seen nothing yet. */
  readonly watches?: Readonly<Record<string, Watch>>;
  /** Written with the run, for {@link checkpointWeights}; not read. */
  readonly network?: DescribedNetwork;
}

/** The entry of the metadata that tells a checkpoint from weights. */
const STATE = "state";
const AVERAGE = "average";
/** A run at its first step. */
const START: TrainingPosition = { step: 0, seconds: 0, lossSum: 0, best: null, isFinished: false };
const UNUSED: Watch = { best: Number.POSITIVE_INFINITY, wait: 0 };

/**
 * Writes a run as one file.
 *
 * @param position what is left out is as at the start of a run
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const state = { parameters, optimizer: adam(parameters), random: randomState(2) };
 * const bytes = writeCheckpoint(state, { step: 7 });
 * console.log(isCheckpointFile(bytes), readCheckpoint(bytes, state).step); // true 7
 */
export function writeCheckpoint(
  state: TrainingState,
  position: Partial<TrainingPosition> & Pick<TrainingPosition, "step">,
): Uint8Array {
  const { optimizer, random, watches = { plateau: UNUSED, stopping: UNUSED } } = state;
  const saved = {
    position: { ...START, ...position },
    random: [...random],
    watches,
    learningRate: optimizer.learningRate[0],
  };
  // JSON has no infinity, which is where a watch starts.
  const text = JSON.stringify(saved, (_, value) => (value === Number.POSITIVE_INFINITY ? "Infinity" : value));
  const { config, metadata } = state.network ?? {};
  const described = config === undefined ? {} : { ...metadata, [NETWORK]: JSON.stringify(config) };
  return writeSafetensors(tensorsOf(state), { ...described, [STATE]: text });
}

/**
 * Brings a run back to where its checkpoint was written.
 *
 * @param state filled in place, once everything has been checked; an average or watches that it leaves out are not read
 * @param total steps of the whole run; by default without end
 * @throws SafetensorsError where the file is damaged; CheckpointError where it is no checkpoint, belongs to another network
 *   or a shorter run, or holds what no run does
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const state = { parameters, optimizer: adam(parameters), random: randomState(2) };
 * const { step, best } = readCheckpoint(writeCheckpoint(state, { step: 7 }), state);
 * console.log(step, best); // 7 null
 */
export function readCheckpoint(
  bytes: Uint8Array,
  state: TrainingState,
  total = Number.POSITIVE_INFINITY,
): TrainingPosition {
  const { tensors, metadata } = readSafetensors(bytes);
  for (const [name, { data }] of Object.entries(tensorsOf(state))) {
    const found = tensors[name]?.data;
    if (found?.length !== data.length) {
      throw new CheckpointError(
        `the checkpoint does not belong to this network: ${name} is missing or of another size`,
      );
    }
    if (!found.every(Number.isFinite)) {
      throw new CheckpointError(`the checkpoint is damaged: ${name} holds a value that is no number`);
    }
  }
  if (metadata[STATE] === undefined) {
    throw new CheckpointError("the file is no checkpoint: it does not say where the run stands");
  }
  const { position, random, watches, learningRate } = parseSaved(metadata[STATE]);
  if (position.step > total) {
    throw new CheckpointError(`the checkpoint is at step ${position.step} of a run that has ${total}`);
  }
  for (const name of Object.keys(state.watches ?? {})) {
    if (watches[name] === undefined)
      throw new CheckpointError(`the checkpoint is damaged: watches.${name} is missing`);
  }
  // Parameters that stand in for their own average must not be overwritten with the file's.
  const own = Object.entries(tensorsOf({ ...state, average: state.average ?? {} }));
  for (const [name, { data }] of own) data.set(tensors[name].data);
  state.random.set(random);
  for (const [name, watched] of Object.entries(state.watches ?? {})) {
    const { best, wait } = watches[name];
    Object.assign(watched, { best, wait });
  }
  state.optimizer.learningRate[0] = learningRate;
  return position;
}

/**
 * The weights in a checkpoint, ready to run: the average of the parameters, or the parameters where the run kept none.
 *
 * @param fallback the network where the file does not say it
 * @throws SafetensorsError where the file is damaged; CheckpointError where it is no checkpoint or nobody says its network;
 *   WeightsError where the weights do not fit it
 * @example
 * const parameters = initialize(uNet, randomState(1));
 * const state = { parameters, optimizer: adam(parameters), random: randomState(2) };
 * const bytes = writeCheckpoint({ ...state, network: { config: uNet, metadata: {} } }, { step: 7 });
 * console.log(checkpointWeights(bytes).config.name); // u-net
 */
export function checkpointWeights(bytes: Uint8Array, fallback?: DescribedNetwork): Weights {
  const { tensors, metadata } = readSafetensors(bytes);
  const { [STATE]: state, [NETWORK]: description, ...rest } = metadata;
  if (state === undefined) {
    throw new CheckpointError("the file is no checkpoint: it does not say where the run stands");
  }
  const own = description === undefined ? undefined : parseConfig(description);
  if (own === undefined && (description !== undefined || fallback === undefined)) {
    const fault = description === undefined ? "does not say" : "describes in a way that is not understood";
    throw new CheckpointError(
      `the checkpoint ${fault} which network it belongs to; open the weights of its run instead`,
    );
  }
  const prefix = `${AVERAGE}.`;
  const average = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  const named = Object.fromEntries(average.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  const { config, metadata: said } = own === undefined ? fallback! : { config: own, metadata: rest };
  return { config, parameters: parametersFrom(config, named), metadata: said };
}

/**
 * Whether a safetensors file is a checkpoint, in contrast to weights.
 *
 * @throws SafetensorsError where the bytes are no safetensors file
 */
export const isCheckpointFile = (bytes: Uint8Array): boolean =>
  readSafetensors(bytes).metadata[STATE] !== undefined;

function tensorsOf({ parameters, average = parameters, optimizer }: TrainingState): Record<string, Tensor> {
  const prefixed = (prefix: string, tensors: Readonly<Record<string, Tensor>>) =>
    Object.entries(tensors).map(([name, tensor]) => [`${prefix}.${name}`, tensor] as const);
  return Object.fromEntries([
    ...prefixed("parameters", parameters),
    ...prefixed(AVERAGE, average),
    ...prefixed("optimizer", optimizer.state),
  ]);
}

/** The JSON of a checkpoint. */
interface Saved {
  readonly position: TrainingPosition;
  readonly random: readonly number[];
  readonly watches: Readonly<Record<string, Watch>>;
  readonly learningRate: number;
}

/** What must stand at a place of the JSON. */
type Rule = readonly [place: string, wanted: string, holds: (value: unknown) => boolean];

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isFromZero = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;

const count = (place: string): Rule => [place, "an integer from 0", isCount];
const number = (place: string): Rule => [place, "a number", Number.isFinite];
const record = (place: string): Rule => [place, "an object", isRecord];

const RULES: readonly Rule[] = [
  count("position.step"),
  ["position.seconds", "a number from 0", isFromZero],
  number("position.lossSum"),
  ["position.best", "an object or null", (value) => value === null || isRecord(value)],
  ["position.isFinished", "true or false", (value) => typeof value === "boolean"],
  ["random", "four integers", (value) => Array.isArray(value) && value.length === 4],
  ...[0, 1, 2, 3].map(
    (at): Rule => [
      `random.${at}`,
      "an integer from 0 to 2^32 - 1",
      (value) => isCount(value) && (value as number) < 2 ** 32,
    ],
  ),
  record("watches"),
  ["learningRate", "a number from 0", isFromZero],
];

const rulesOfBest: readonly Rule[] = [
  count("position.best.epoch"),
  number("position.best.score"),
  number("position.best.f1"),
];

const rulesOfWatch = (name: string): readonly Rule[] => [
  [
    `watches.${name}.best`,
    "a number",
    (value) => Number.isFinite(value) || value === Number.POSITIVE_INFINITY,
  ],
  count(`watches.${name}.wait`),
];

function parseSaved(text: string): Saved {
  let saved: Saved;
  try {
    saved = JSON.parse(text, (_, value) => (value === "Infinity" ? Number.POSITIVE_INFINITY : value));
  } catch {
    throw new CheckpointError("the checkpoint is damaged: its state is not JSON");
  }
  expectRules(saved, RULES);
  if (saved.position.best !== null) expectRules(saved, rulesOfBest);
  for (const name of Object.keys(saved.watches)) expectRules(saved, rulesOfWatch(name));
  // In the order in which they are written, and without what no version wrote.
  const { step, seconds, lossSum, best, isFinished } = saved.position;
  return { ...saved, position: { step, seconds, lossSum, best, isFinished } };
}

function expectRules(saved: unknown, rules: readonly Rule[]): void {
  for (const [place, wanted, holds] of rules) {
    const found = place
      .split(".")
      .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | null)?.[key], saved);
    if (holds(found)) continue;
    const fault =
      found === undefined
        ? "is missing"
        : `must be ${wanted} but found ${JSON.stringify(found).slice(0, 60)}`;
    throw new CheckpointError(`the checkpoint is damaged: ${place} ${fault}`);
  }
}
