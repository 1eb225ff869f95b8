// The training loop. It owns the order of things (batch, forward, loss, backward, step, epoch, schedule) and no
// files: whoever runs it receives an event after each step and each epoch, and keeps what it wants.

import {
  backward,
  capture,
  clipGlobalNorm,
  type Optimizer,
  prepare,
  type RandomState,
  type Runnable,
  type Tensor,
} from "@saunet/core";
import type { MovingAverage } from "./average.ts";
import type { NetworkConfig } from "./config.ts";
import { DivergedError, firstNotFinite, firstNotFiniteOf } from "./diverged.ts";
import type { Loss } from "./losses.ts";
import { type PreparedStep, partsOf, prepareMicroBatches } from "./micro-batches.ts";
import { forward } from "./network.ts";
import type { Parameters } from "./parameters.ts";

/**
 * Photographs `[N,H,W,3]`, 0 … 1, and how much of each pixel is vessel `[N,H,W,1]`, 0 … 1; or how much is of each class
 * `[N,H,W,classes]`, for a network that tells classes apart.
 */
export interface Batch {
  readonly x: Tensor;
  readonly target: Tensor;
}

/** What one step needs. */
export interface TrainingStep {
  readonly config: NetworkConfig;
  readonly parameters: Parameters;
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  /** Drops blocks; moved on by every step. */
  readonly random: RandomState;
  /** All gradients together are shrunk to this norm where it is larger; they stay as they are when left out. */
  readonly clipNorm?: number | undefined;
}

/** Everything a run is made of. */
export interface TrainingRun extends TrainingStep {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Steps that were done before: a run that is taken up again begins with this one. 0 when left out. */
  readonly firstStep?: number;
  /** The batch of a step; steps count from 0 through all epochs. */
  readonly nextBatch: (step: number) => Batch | Promise<Batch>;
  /** The learning rate of a step; the optimiser's own when left out. */
  readonly learningRate?: (step: number) => number;
  /**
   * Pictures of a batch that are computed at a time; all of them when left out. The step is that of the whole batch, in the memory
   * of a part, at the cost of one more forward pass. For losses of averages and networks without batch normalisation.
   */
  readonly microBatch?: number | undefined;
  /** Takes in the parameters after each step. */
  readonly average?: MovingAverage;
}

/** What happened: a step, or the end of an epoch. */
export type TrainingEvent =
  | { readonly kind: "step"; readonly epoch: number; readonly step: number; readonly loss: number }
  | { readonly kind: "epoch"; readonly epoch: number };

/**
 * One step: forward, loss, backward, update. Reads nothing on the host, so it can be captured.
 *
 * @returns the loss before the update
 * @example
 * const config = { ...saUNetV2, channels: [8, 16] };
 * const parameters = initialize(config, randomState(1));
 * const optimizer = adam(parameters);
 * const batch = { x: zeros([1, 16, 16, 3]), target: zeros([1, 16, 16, 1]) };
 * const loss = trainStep({ config, parameters, optimizer, loss: paperLoss(), random: randomState(2) }, batch);
 * console.log(Number.isFinite(loss.item())); // true
 */
export function trainStep(
  { config, parameters, optimizer, loss, random, clipNorm }: TrainingStep,
  { x, target }: Batch,
): Tensor {
  const value = loss(forward(config, parameters, x, { training: true, random }), target);
  backward(value);
  if (clipNorm !== undefined) clipGlobalNorm(parameters, clipNorm);
  optimizer.step();
  return value;
}

/**
 * {@link trainStep} as a program for batches of this size: planned once, then only run. One that is too large for the memory
 * of accelerated programs (4 GiB; the paper's batches of 8 at 592 x 592 take 4.8) runs call by call: slower, but it runs.
 * {@link train} computes such a batch in parts where it has a `microBatch`.
 *
 * @example
 * const config = { ...saUNetV2, channels: [8, 16] };
 * const parameters = initialize(config, randomState(1));
 * const optimizer = adam(parameters);
 * const [x, target] = [zeros([1, 16, 16, 3]), zeros([1, 16, 16, 1])];
 * const step = captureTrainStep({ config, parameters, optimizer, loss: paperLoss(), random: randomState(2) }, { x, target });
 * const [loss] = await step.run([x, target]);
 * console.log(Number.isFinite(loss.item())); // true
 */
export function captureTrainStep(step: TrainingStep, { x, target }: Batch): Runnable {
  return prepare(capture(([image, truth]) => [trainStep(step, { x: image, target: truth })], [x, target]));
}

/**
 * Trains, and tells of every step and epoch. Stop early by leaving the loop.
 *
 * @throws DivergedError where a loss, or a parameter after a step, is no finite number; everything that the step
 *   changes is then as it was before it
 * @example
 * const parameters = initialize(saUNetV2, randomState(1));
 * const batch = { x: zeros([1, 16, 16, 3]), target: ones([1, 16, 16, 1]) };
 * const run = {
 *   config: saUNetV2, parameters, optimizer: adam(parameters), loss: paperLoss(), random: randomState(2),
 *   epochs: 1, stepsPerEpoch: 2, nextBatch: () => batch,
 * };
 * for await (const event of train(run)) console.log(event.kind); // step, step, epoch
 */
export async function* train(run: TrainingRun): AsyncGenerator<TrainingEvent> {
  const programs = new Map<string, PreparedStep>();
  const programFor = (batch: Batch): PreparedStep => {
    const size = String(batch.x.shape);
    const known = programs.get(size);
    if (known !== undefined) return known;
    // Batches change their size a few times in a run, and a program of training takes much memory.
    for (const [other, program] of programs)
      if (programs.size >= PROGRAMS_KEPT) release(programs, other, program);
    const program = prepareStep(run, batch);
    programs.set(size, program);
    return program;
  };
  const { epochs, stepsPerEpoch, firstStep = 0, microBatch } = run;
  if (microBatch !== undefined && !(Number.isInteger(microBatch) && microBatch > 0))
    throw new RangeError(`train: microBatch must be a whole number from 1 but is ${microBatch}`);
  try {
    for (let step = firstStep; step < epochs * stepsPerEpoch; step++) {
      const epoch = Math.floor(step / stepsPerEpoch);
      const batch = await run.nextBatch(step);
      if (run.learningRate !== undefined) run.optimizer.learningRate[0] = run.learningRate(step);
      const goBack = remember(run);
      const loss = (await programFor(batch).run(batch)).item();
      if (!Number.isFinite(loss) || firstNotFinite(run.parameters) !== undefined) {
        goBack();
        const culprit = explain(run, batch);
        goBack();
        throw new DivergedError(step, loss, culprit);
      }
      run.average?.update(step);
      yield { kind: "step", epoch, step, loss };
      if ((step + 1) % stepsPerEpoch === 0) yield { kind: "epoch", epoch };
    }
  } finally {
    for (const [size, program] of programs) release(programs, size, program);
  }
}

/** Whole batches, and the smaller last one of an epoch. */
const PROGRAMS_KEPT = 2;

/** A part that is the whole batch needs no second pass. */
function prepareStep(run: TrainingRun, batch: Batch): PreparedStep {
  const { microBatch = Number.POSITIVE_INFINITY } = run;
  if (batch.x.shape[0] > microBatch) return prepareMicroBatches(run, batch, microBatch);
  const program = captureTrainStep(run, batch);
  return {
    run: async ({ x, target }) => (await program.run([x, target]))[0],
    release: () => program.release(),
  };
}

function release(programs: Map<string, PreparedStep>, size: string, program: PreparedStep): void {
  programs.delete(size);
  program.release();
}

/** Copies what a step changes (3 MB for SA-UNetv2, a thousandth of a step's time); returns how to go back to it. */
function remember({ parameters, optimizer, random }: TrainingStep): () => void {
  const arrays = [...Object.values(parameters), ...Object.values(optimizer.state)].map(({ data }) => data);
  const copies = arrays.map((data) => data.slice());
  const state = random.slice();
  return () => {
    arrays.forEach((data, i) => {
      data.set(copies[i]);
    });
    random.set(state);
  };
}

/** Does the step again, call by call, and names the first tensor that is not finite. */
function explain(run: TrainingRun, batch: Batch): string {
  const parts = partsOf(batch, run.microBatch ?? batch.x.shape[0]);
  const inputs = { "the photographs": batch.x, "their vessels": batch.target };
  return (
    firstNotFinite(inputs) ??
    firstNotFinite(run.parameters) ??
    firstNotFiniteOf(() => parts.map((part) => trainStep(run, part)), run.parameters) ??
    "none when the step is repeated"
  );
}
