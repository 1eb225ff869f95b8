// The training loop. It owns the order of things (batch, forward, loss, backward, step, epoch, schedule) and no
// files: whoever runs it receives an event after each step and each epoch, and keeps what it wants.

import {
  backward,
  capture,
  type Optimizer,
  prepare,
  type RandomState,
  type Runnable,
  type Tensor,
} from "@saunet/core";
import type { NetworkConfig } from "./config.ts";
import type { Loss } from "./losses.ts";
import { forward } from "./network.ts";
import type { Parameters } from "./parameters.ts";

/** Photographs `[N,H,W,3]`, 0 … 1, and their vessels `[N,H,W,1]`, 0 or 1. */
export interface Batch {
  readonly x: Tensor;
  readonly target: Tensor;
}

/** Everything a run is made of. */
export interface TrainingRun {
  readonly config: NetworkConfig;
  readonly parameters: Parameters;
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  /** Drops blocks; moved on by every step. */
  readonly random: RandomState;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** The batch of a step; steps count from 0 through all epochs. */
  readonly nextBatch: (step: number) => Batch | Promise<Batch>;
  /** The learning rate of a step; the optimiser's own when left out. */
  readonly learningRate?: (step: number) => number;
}

/** What happened: a step, or the end of an epoch. */
export type TrainingEvent =
  | { readonly kind: "step"; readonly epoch: number; readonly step: number; readonly loss: number }
  | { readonly kind: "epoch"; readonly epoch: number; readonly meanLoss: number };

/** A loss that is no number. The step may have spoilt the parameters: go back to the last that were kept. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
}

/** What one step needs. */
export type TrainingStep = Pick<TrainingRun, "config" | "parameters" | "optimizer" | "loss" | "random">;

/**
 * One step: forward, loss, backward, update. Reads nothing on the host, so it can be captured.
 *
 * @returns the loss before the update
 */
export function trainStep(
  { config, parameters, optimizer, loss, random }: TrainingStep,
  { x, target }: Batch,
): Tensor {
  const value = loss(forward(config, parameters, x, { training: true, random }), target);
  backward(value);
  optimizer.step();
  return value;
}

/** {@link trainStep} as a program for batches of this size: planned once, then only run. */
export function captureTrainStep(step: TrainingStep, { x, target }: Batch): Runnable {
  return prepare(capture(([image, truth]) => [trainStep(step, { x: image, target: truth })], [x, target]));
}

/**
 * Trains, and tells of every step and epoch. Stop early by leaving the loop.
 *
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
  const programs = new Map<string, Runnable>();
  for (let epoch = 0; epoch < run.epochs; epoch++) {
    let sum = 0;
    for (let i = 0; i < run.stepsPerEpoch; i++) {
      const step = epoch * run.stepsPerEpoch + i;
      const batch = await run.nextBatch(step);
      if (run.learningRate !== undefined) run.optimizer.learningRate[0] = run.learningRate(step);
      const size = String(batch.x.shape);
      const program = programs.get(size) ?? captureTrainStep(run, batch);
      programs.set(size, program);
      const [value] = await program.run([batch.x, batch.target]);
      const loss = value.item();
      if (!Number.isFinite(loss)) throw new DivergedError(`train: the loss of step ${step} is ${loss}`);
      sum += loss;
      yield { kind: "step", epoch, step, loss };
    }
    yield { kind: "epoch", epoch, meanLoss: sum / run.stepsPerEpoch };
  }
}
