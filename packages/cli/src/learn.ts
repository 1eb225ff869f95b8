// A training run from its first step, or the one after its checkpoint, to its end: batches in, log, weights and
// checkpoints out.

import { setImmediate } from "node:timers/promises";
import { adam, cosine, earlyStopping, randomState, reduceOnPlateau } from "@saunet/core";
import {
  type BestValidation,
  lossOf,
  movingAverage,
  type TrainingPosition,
  train as trainNetwork,
  type Weights,
  writeCheckpoint,
} from "@saunet/model";
import { BatchesError, batchStream } from "./batch-stream.ts";
import { type BatchPlan, STREAMS } from "./batches.ts";
import { type EndRequest, requestOf } from "./ending.ts";
import { duration, type Progress, secondsSince } from "./output.ts";
import { PLATEAU, STOPPING } from "./recipes.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Settings } from "./settings.ts";
import type { Validation, Validator } from "./validation.ts";

/** What a run works with. */
export interface Learning {
  readonly settings: Settings & { readonly steps: number };
  readonly network: Weights;
  readonly plan: BatchPlan;
  /** Judges weights on the images kept back; undefined where there are none. */
  readonly validator: (average: Weights) => Validator | undefined;
  readonly run: RunFolder;
  readonly bar: Progress;
  /** No line an epoch on stdout. */
  readonly isQuiet: boolean;
  /** Aborted when the command is asked to end. */
  readonly signal: AbortSignal;
}

/** How a run went. */
export interface Outcome {
  readonly ending: "finished" | "stopped early" | "minutes" | "interrupted";
  /** Where it was interrupted: by what. */
  readonly request?: EndRequest;
  readonly steps: number;
  readonly seconds: number;
  /** F1 of the weights that the run began with, where they were judged in this run of the command. */
  readonly startF1?: number;
  /** The best validation, epoch 0 being the start; null where the run ended before the first, or keeps no images back. */
  readonly best: BestValidation | null;
  /** Of the whole process; null where fewer than four epochs have ended since crops last grew. */
  readonly memory: MemoryUse | null;
}

/** What the process holds, and whether that grows. */
export interface MemoryUse {
  /** At the end of the last epoch. */
  readonly bytes: number;
  /** Slope of the line through what it held at the ends of epochs since crops last grew, without the first of them. */
  readonly bytesPerStep: number;
}

/** Share of the steps over which the learning rate rises. */
const WARM_UP = 0.03;

/**
 * Trains until the last epoch, the last minute, early stopping or a request to end.
 *
 * @throws BatchesError where the thread that makes batches is lost; the run is saved then
 */
export async function learn(learning: Learning): Promise<Outcome> {
  const { settings, network, plan, run, bar, isQuiet, signal } = learning;
  const { epochs, steps, seed, minutes = Number.POSITIVE_INFINITY } = settings;
  const total = epochs * steps;

  const optimizer = adam(network.parameters, { learningRate: settings.learningRate });
  const random = randomState(seed, STREAMS.dropBlock);
  const average = movingAverage(network.parameters, settings.averageDecay ?? 0);
  const plateau = reduceOnPlateau(PLATEAU);
  const stopping = earlyStopping(STOPPING);
  const kept: Weights = {
    config: network.config,
    parameters: average.parameters,
    metadata: { ...network.metadata, scale: String(settings.scale), recipe: settings.recipe },
  };
  const state = {
    parameters: network.parameters,
    average: average.parameters,
    optimizer,
    random,
    watches: { plateau: plateau.state, stopping: stopping.state },
    network: { config: kept.config, metadata: kept.metadata },
  };

  let position: TrainingPosition = { step: 0, seconds: 0, lossSum: 0, best: null, isFinished: false };
  position = (await run.restore(state, total)) ?? position;
  await run.rewindLog(position.step);
  const start = performance.now() - 1000 * position.seconds;
  /** How much of the run is over, by steps or by the clock. */
  const over = (step: number) => Math.max(step / total, secondsSince(start) / (60 * minutes));

  const memory: { step: number; rss: number }[] = [];
  const save = (kind: "last" | "best") =>
    run.saveWeights(kind, { ...kept, metadata: { ...kept.metadata, steps: `${position.step}` } });
  const saveAll = async () => {
    await save("last");
    position = { ...position, seconds: secondsSince(start) };
    await run.saveCheckpoint(writeCheckpoint(state, position));
  };
  if (position.isFinished)
    return {
      ending: "finished",
      steps: position.step,
      seconds: position.seconds,
      best: position.best,
      memory: null,
    };

  const validator = learning.validator(kept);
  const batches = batchStream(plan, (step) => {
    const { crops, batch } = settings;
    const stage = crops?.find(({ until }) => over(step) < until) ?? crops?.at(-1);
    return { step, ...(stage ?? { batch }) };
  });
  /** Pictures in the last batch, and its whole shape. */
  let [images, shape] = [0, ""];
  const schedule = cosine({ total, warmup: Math.ceil(WARM_UP * total) });
  const events = trainNetwork({
    ...network,
    config: {
      ...network.config,
      dropBlock: {
        ...network.config.dropBlock,
        rate: settings.dropBlockRate ?? network.config.dropBlock.rate,
      },
    },
    optimizer,
    loss: lossOf(network.config),
    random,
    clipNorm: settings.clipNorm,
    microBatch: settings.microBatch,
    average,
    epochs,
    stepsPerEpoch: steps,
    firstStep: position.step,
    async nextBatch(step) {
      const batch = await batches.next(step);
      if (String(batch.x.shape) !== shape) memory.length = 0;
      shape = String(batch.x.shape);
      images = batch.x.shape[0];
      return batch;
    },
    ...(settings.schedule === "cosine" && {
      // Where the minutes run out before the steps do, the clock moves the schedule on: a run ends on its lowest rate.
      learningRate: (step: number) => settings.learningRate * schedule(Math.floor(total * over(step))),
    }),
  });

  /** Validates where it is time, and keeps everything; whether training is to stop early. */
  const endEpoch = async (epoch: number, isLast: boolean): Promise<boolean> => {
    // A validation takes more memory for its time.
    const rss = process.memoryUsage.rss();
    memory.push({ step: position.step, rss });
    const isDue = validator !== undefined && (isLast || epoch % settings.validateEvery === 0);
    const found = isDue ? await validator.validate(signal) : undefined;
    // Asked to end in the middle of a validation: the epoch will be ended again when the run goes on.
    if (isDue && found === undefined) return false;
    const loss = position.lossSum / (position.step - steps * (epoch - 1));
    const isBest = found !== undefined && found[settings.select] > (position.best?.score ?? -1);
    if (isBest) {
      position = { ...position, best: { epoch, score: found[settings.select], f1: found.f1 } };
      await save("best");
    }
    const stop = settings.schedule === "plateau" && found !== undefined && followLoss(found);
    position = { ...position, lossSum: 0, isFinished: stop || isLast };
    await run.log({
      kind: "epoch",
      step: position.step,
      epoch,
      loss,
      ...found,
      seconds: secondsSince(start),
      rss,
    });
    // Without images kept back the last epoch counts as the best.
    if (validator === undefined) await save("best");
    await saveAll();
    if (!isQuiet) {
      const quality =
        found === undefined ? "" : `, F1 ${found.f1.toFixed(4)}${isBest ? " (best so far)" : ""}`;
      bar.print(`epoch ${epoch}: loss ${loss.toFixed(4)}${quality}, after ${duration(secondsSince(start))}`);
    }
    return stop;
  };
  const followLoss = ({ loss = 0 }: Validation): boolean => {
    optimizer.learningRate[0] = plateau.next(loss, optimizer.learningRate[0]);
    return stopping.next(loss).stop;
  };

  /** The weights that the run begins with stay the best where no epoch does better. They are judged, and kept, as their file says. */
  const judgeStart = async (): Promise<number | undefined> => {
    if (!settings.judgeStart || position.step > 0) return undefined;
    const own = learning.validator(network);
    const found = await own?.validate(signal);
    own?.release();
    if (found === undefined) return undefined;
    position = { ...position, best: { epoch: 0, score: found[settings.select], f1: found.f1 } };
    await run.saveWeights("best", network);
    if (!isQuiet) bar.print(`before: F1 ${found.f1.toFixed(4)}`);
    return found.f1;
  };

  let ending: Outcome["ending"] = "finished";
  let startF1: number | undefined;
  let stepStart = performance.now();
  try {
    startF1 = await judgeStart();
    stepStart = performance.now();
    // The command was asked to end while the epoch was ended.
    if (position.step > 0 && position.step % steps === 0 && position.lossSum !== 0) {
      if (await endEpoch(position.step / steps, position.step === total)) ending = "stopped early";
    }
    for await (const event of signal.aborted || ending === "stopped early" ? [] : events) {
      const epoch = event.epoch + 1;
      if (event.kind === "epoch") {
        if (await endEpoch(epoch, epoch === epochs)) ending = "stopped early";
      } else {
        const step = event.step + 1;
        position = { ...position, step, lossSum: position.lossSum + event.loss };
        const seconds = secondsSince(stepStart);
        await run.log({
          kind: "step",
          epoch,
          step,
          loss: event.loss,
          learningRate: optimizer.learningRate[0],
          seconds,
        });
        const left = secondsSince(start) * (1 / over(step) - 1);
        const f1 = position.best === null ? "" : `  F1 ${position.best.f1.toFixed(4)}`;
        bar.advance(
          `epoch ${epoch}/${epochs}  loss ${event.loss.toFixed(4)}${f1}  ${(images / seconds).toFixed(1)} images/s  ${duration(left)} left`,
        );
      }
      // The event loop hears of signals between steps; they leave it no other time.
      await setImmediate();
      if (signal.aborted || ending === "stopped early") break;
      if (event.kind === "step" && secondsSince(start) > 60 * minutes) {
        ending = "minutes";
        await endEpoch(epoch, true);
        break;
      }
      stepStart = performance.now();
    }
    if (signal.aborted) {
      ending = "interrupted";
      await saveAll();
    }
  } catch (error) {
    // Everything up to the last step is as it should be.
    if (error instanceof BatchesError) await saveAll();
    throw error;
  } finally {
    validator?.release();
    await batches.stop();
  }
  const request = requestOf(signal);
  return {
    ending,
    ...(ending === "interrupted" && request && { request }),
    steps: position.step,
    seconds: secondsSince(start),
    ...(startF1 !== undefined && { startF1 }),
    best: position.best,
    memory: growth(memory),
  };
}

/** The least-squares line through what was measured. */
function growth(all: readonly { step: number; rss: number }[]): MemoryUse | null {
  // Validation and the collector take their share in the first epoch or two: 301 steps of `paper` in three epochs gave a
  // slope of 4 GB a thousand steps, where the memory stood still after the second.
  const measured = all.slice(1);
  if (measured.length < 3) return null;
  const mean = (of: (point: { step: number; rss: number }) => number) =>
    measured.reduce((sum, point) => sum + of(point), 0) / measured.length;
  const [step, rss] = [mean((point) => point.step), mean((point) => point.rss)];
  const spread = mean((point) => (point.step - step) ** 2);
  return {
    bytes: measured.at(-1)!.rss,
    bytesPerStep: mean((point) => (point.step - step) * (point.rss - rss)) / spread,
  };
}
