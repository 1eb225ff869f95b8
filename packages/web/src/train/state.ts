// A training run as the page sees it.

import { batch, signal } from "@preact/signals";
import { proxy, type Remote, wrap } from "comlink";
import { useWeights } from "../segment/queue.ts";
import type { HeldOut, Subject, TrainingNews, TrainingPlan, TrainWorker } from "./train.worker.ts";

/** What the run is at. */
export type RunState = "idle" | "running" | "pausing" | "paused";

/** Points of the curves, by step. */
export interface Curves {
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  /** The mean loss so far, recent steps counting most. */
  readonly smooth: readonly number[];
  readonly heldOutSteps: readonly number[];
  readonly f1: readonly number[];
}

const NOTHING: Curves = { steps: [], losses: [], smooth: [], heldOutSteps: [], f1: [] };
/** Weight of a new step in the smooth curve. */
const FRESHNESS = 0.08;

export const runState = signal<RunState>("idle");
export const curves = signal<Curves>(NOTHING);
export const step = signal(0);
/** Of a step lately, in milliseconds. */
export const stepTime = signal(Number.NaN);
/** Crops that are learned from in a second, everything counted. */
export const speed = signal(Number.NaN);
export const heldOut = signal<HeldOut | undefined>(undefined);
export const subject = signal<Subject | undefined>(undefined);
export const failure = signal<string | undefined>(undefined);
export const start = signal<TrainingPlan["start"]>("fresh");
/** In ten-thousandths. */
export const learningRate = signal(20);

/** Counts runs: what an ended one still tells is not heard. */
let run = 0;
let worker: Remote<TrainWorker> | undefined;
const trainer = (): Remote<TrainWorker> => {
  worker ??= wrap<TrainWorker>(new Worker(new URL("./train.worker.ts", import.meta.url), { type: "module" }));
  return worker;
};

/** Fetches the photograph that is never learned from. */
export async function meetSubject(): Promise<void> {
  subject.value ??= await trainer().subject();
}

/** Points that a curve is drawn from at most; past that every other one is dropped. */
const MOST_POINTS = 1000;
const thin = <T>(values: readonly T[]): readonly T[] =>
  values.length > MOST_POINTS ? values.filter((_, i) => i % 2 === 0) : values;

function hear(news: TrainingNews): void {
  const { steps, losses, smooth, heldOutSteps, f1 } = curves.value;
  const first = news.step - news.losses.length + 1;
  let level = smooth.at(-1) ?? news.losses[0];
  const levels = news.losses.map((loss) => {
    level += FRESHNESS * (loss - level);
    return level;
  });
  batch(() => {
    step.value = news.step;
    stepTime.value = news.milliseconds;
    speed.value = news.cropsPerSecond;
    if (news.heldOut !== undefined) heldOut.value = news.heldOut;
    curves.value = {
      steps: thin([...steps, ...news.losses.map((_, i) => first + i)]),
      losses: thin([...losses, ...news.losses]),
      smooth: thin([...smooth, ...levels]),
      heldOutSteps: news.heldOut ? thin([...heldOutSteps, news.step]) : heldOutSteps,
      f1: news.heldOut ? thin([...f1, news.heldOut.f1]) : f1,
    };
  });
}

/** Trains, or goes on where it was paused. */
export function begin(): void {
  failure.value = undefined;
  if (runState.value === "paused") void trainer().resume();
  else {
    const plan = { start: start.value, learningRate: learningRate.value / 10_000 };
    curves.value = NOTHING;
    const own = ++run;
    const tell = (news: TrainingNews) => {
      if (own === run) hear(news);
    };
    trainer()
      .run(plan, proxy(tell))
      .catch((error: Error) => {
        failure.value = `The training ended: ${error.message}.`;
        runState.value = "idle";
      });
  }
  runState.value = "running";
}

/** Stops after the step at hand. */
export async function pause(): Promise<void> {
  runState.value = "pausing";
  await trainer().pause();
  if (runState.value === "pausing") runState.value = "paused";
}

/** Forgets everything that was learned. */
export function reset(): void {
  run++;
  void trainer().reset();
  runState.value = "idle";
  curves.value = NOTHING;
  step.value = 0;
  stepTime.value = Number.NaN;
  speed.value = Number.NaN;
  heldOut.value = undefined;
}

/** The weights as they are now, as a file. */
export const learnedWeights = (): Promise<Uint8Array> => trainer().weights();

/** Segments with them in the first tab. */
export async function useLearned(): Promise<void> {
  const learned = await learnedWeights();
  await useWeights(`trained here for ${step.value} steps`, learned);
}
