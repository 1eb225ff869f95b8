// A training run as the page sees it.

import { batch, computed, effect, signal } from "@preact/signals";
import { proxy } from "comlink";
import { type Item, items } from "../segment/items.ts";
import { maskInUse } from "../segment/masks.ts";
import { EXAMPLE, useWeights } from "../segment/queue.ts";
import { isTraining, trainingStep } from "../title.ts";
import { count } from "../ui/format.ts";
import { type Started, started, startUp, WorkerError, within } from "../ui/worker.ts";
import {
  forgetRun,
  type KeptPictures,
  type KeptRun,
  keepPictures,
  keepRun,
  keptPictures,
  keptRun,
} from "./kept-run.ts";
import type { OwnPicture } from "./own-pictures.ts";
import { type Level, meanOf, START, takeIn } from "./smooth.ts";
import type { HeldOut, StartFile, Subject, TrainingNews, TrainingPlan, TrainWorker } from "./train.worker.ts";

/** What the run is at; `kept`: an earlier visit's, which can be taken up again. */
export type RunState = "idle" | "running" | "pausing" | "paused" | "kept";

/** Points of the curves, by step. */
export interface Curves {
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  /** The mean loss so far, recent steps counting most. */
  readonly smooth: readonly number[];
  readonly heldOutSteps: readonly number[];
  readonly f1: readonly number[];
  /** Where the smooth curve goes on. */
  readonly level: Level;
}

const NOTHING: Curves = { steps: [], losses: [], smooth: [], heldOutSteps: [], f1: [], level: START };

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
export const start = signal<"fresh" | "shipped" | "file">("fresh");
/** A weights file or checkpoint that a person has opened, to start from. */
export const opened = signal<(StartFile & { readonly name: string; readonly bytes: Uint8Array }) | undefined>(
  undefined,
);
/** What is learned from. */
export const learnFrom = signal<"synthetic" | "own">("synthetic");
/** The photograph of one's own that is held out, by its number; the synthetic one when undefined. */
export const heldOutId = signal<number | undefined>(undefined);

/** Photographs of the first tab with a mask of their vessels. */
export const candidates = computed(() =>
  items.value.filter(({ id, size, fileName }) => {
    return size !== undefined && fileName !== EXAMPLE && maskInUse(id, "vessels") !== undefined;
  }),
);

const ownPictureOf = ({ id, name, file, size }: Item): OwnPicture => ({
  name,
  file,
  ...size!,
  vessels: maskInUse(id, "vessels")!.mask,
  field: maskInUse(id, "field")?.mask,
});

/** What the run learns from, and what it is tested on, as it was chosen. */
let pictures: KeptPictures = { pictures: [] };
/** What the run began with. */
let origin: TrainingPlan["start"] = "fresh";
/** In ten-thousandths; counts from the next step on. */
export const learningRate = signal(20);
const rate = (): number => learningRate.value / 10_000;
/** The last step that is kept in the browser. */
export const keptStep = signal(0);
/** A run that an earlier visit left. */
let left: KeptRun | undefined;

effect(() => {
  isTraining.value = runState.value === "running";
  trainingStep.value = step.value;
});

/** Steps that would be lost if the tab closed now. */
const isUnsaved = (): boolean => runState.value === "running" && step.value > keptStep.value;
addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});

/** Counts runs: what an ended one still tells is not heard. */
let turn = 0;
let worker: Started<TrainWorker> | undefined;
const workerThere = (anew = false): Started<TrainWorker> => {
  if (anew) worker = undefined;
  worker ??= started(new Worker(new URL("./train.worker.ts", import.meta.url), { type: "module" }));
  return worker;
};
const trainer = () => workerThere().remote;

/** Fetches the photograph that is never learned from, and the run that an earlier visit left. */
export async function meetSubject(): Promise<void> {
  if (subject.value !== undefined) return;
  left = await keptRun();
  if (left !== undefined) pictures = await keptPictures();
  await startUp(workerThere);
  subject.value = await subjectOf(pictures.heldOut);
  if (left === undefined || runState.value !== "idle") return;
  learningRate.value = left.learningRate;
  show(left);
}

/** Shows a run as it was kept, ready to be taken up again; without one, nothing. */
function show(run: KeptRun | undefined): void {
  batch(() => {
    runState.value = run === undefined ? "idle" : "kept";
    step.value = run?.step ?? 0;
    keptStep.value = run?.step ?? 0;
    curves.value = run?.curves ?? NOTHING;
  });
}

/** A step takes up to 18 seconds on one thread; a worker that is silent for so long is stuck. */
const [SILENCE_MS, ANSWER_PATIENCE_MS] = [60_000, 20_000];
let silence: ReturnType<typeof setTimeout> | undefined;

/** Makes the worker anew where nothing is heard of a run any more. */
function listen(): void {
  clearTimeout(silence);
  // On a machine that was asleep, the first time is up at once, before the worker could say anything.
  silence = setTimeout(() => {
    silence = setTimeout(() => {
      const message = `nothing was heard of the training for ${(SILENCE_MS + ANSWER_PATIENCE_MS) / 1000} seconds`;
      if (runState.value !== "paused") void takeUpAgain(message);
    }, ANSWER_PATIENCE_MS);
  }, SILENCE_MS);
}

/** Whether a step has been made since a run was taken up again; an engine that makes none is given up. */
let goesOn = true;

/** Takes the run up where it was kept, with a new worker: this one broke, or is stuck. */
async function takeUpAgain(reason: string): Promise<void> {
  const [last, wasPausing] = [step.value, runState.value === "pausing"];
  const own = ++turn;
  clearTimeout(silence);
  endWorker();
  // Nothing can be trained before the new one is ready.
  subject.value = undefined;
  // Before its first checkpoint, what is kept is another run.
  left = keptStep.value > 0 ? await keptRun() : undefined;
  if (own !== turn) return;
  show(left);
  try {
    await startUp(workerThere);
    const next = await subjectOf(pictures.heldOut);
    if (own !== turn) return;
    subject.value = next;
  } catch (error) {
    failure.value = `The training ended (${reason}), and its engine did not start anew: ${(error as Error).message}.`;
    return;
  }
  if (!goesOn || wasPausing) {
    failure.value = `The training ended at step ${last}: ${reason}.`;
    return;
  }
  goesOn = false;
  failure.value = `The engine was started anew at step ${last}, since ${reason}; the run goes on from step ${step.value}.`;
  run(left?.checkpoint ?? origin);
  runState.value = "running";
}

/** Ends the worker: it broke, or answers nothing more. */
function endWorker(): void {
  worker?.end();
  worker = undefined;
}

/** What is held out, as the worker sees it; a worker that is stuck is made anew once. */
async function subjectOf(own?: OwnPicture): Promise<Subject> {
  const asked = workerThere();
  try {
    return await within(ANSWER_PATIENCE_MS, asked.remote.subject(own));
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    // A reset ends it, too.
    if (worker === asked) endWorker();
    await startUp(workerThere);
    return within(SILENCE_MS, trainer().subject(own));
  }
}

/** Counts choices of what is held out: a later one overtakes an earlier. */
let choices = 0;

/** Holds another photograph out: one of one's own, or the synthetic one. */
export async function holdOut(id: number | undefined): Promise<void> {
  const item = candidates.value.find((each) => each.id === id);
  const own = ++choices;
  heldOutId.value = item?.id;
  // Nothing can be trained before it is known what is held out.
  subject.value = undefined;
  try {
    const next = await subjectOf(item && ownPictureOf(item));
    if (own === choices) subject.value = next;
    if (item !== undefined) failure.value = undefined;
  } catch (error) {
    failure.value = `${item?.name ?? "The synthetic photograph"} cannot be held out: ${(error as Error).message}.`;
    if (item !== undefined && own === choices) await holdOut(undefined);
  }
}

/** Learns from photographs of one's own, the last of several held out, or from synthetic ones. */
export async function chooseLearnFrom(what: "synthetic" | "own"): Promise<void> {
  learnFrom.value = what;
  const { value: own } = candidates;
  await holdOut(what === "own" && own.length > 1 ? own.at(-1)!.id : undefined);
}

/** Name of the network that learns, since the run began or was taken up. */
export const networkLearned = signal("");
/** How many photographs the run learns from; 0 for the endless synthetic ones. */
export const picturesLearned = signal(0);

/** Points that a curve is drawn from at most; past that every other one is dropped. */
const MOST_POINTS = 1000;
const thin = <T>(values: readonly T[]): readonly T[] =>
  values.length > MOST_POINTS ? values.filter((_, i) => i % 2 === 0) : values;

function hear(news: TrainingNews): void {
  listen();
  goesOn ||= news.losses.length > 0;
  const { steps, losses, smooth, heldOutSteps, f1 } = curves.value;
  const first = news.step - news.losses.length + 1;
  let { level } = curves.value;
  const levels = news.losses.map((loss) => {
    level = takeIn(level, loss);
    return meanOf(level);
  });
  batch(() => {
    if (news.network !== undefined) networkLearned.value = news.network;
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
      level,
    };
  });
  if (news.checkpoint !== undefined) void keep(news.step, news.checkpoint);
}

async function keep(at: number, checkpoint: Uint8Array): Promise<void> {
  try {
    await keepRun({ step: at, checkpoint, curves: curves.value, learningRate: learningRate.value });
    keptStep.value = at;
  } catch (error) {
    tellUnkept(error as Error);
  }
}

/** Trains, or goes on where it was paused, in this visit or an earlier one. */
export function begin(): void {
  failure.value = undefined;
  if (runState.value === "paused") void trainer().resume();
  else if (runState.value === "kept") run(left!.checkpoint);
  else {
    curves.value = NOTHING;
    keptStep.value = 0;
    choosePictures();
    origin = start.value === "file" ? opened.value!.bytes : start.value;
    run(origin);
  }
  runState.value = "running";
}

/** From here on the choice is the run's. */
function choosePictures(): void {
  const own = learnFrom.value === "own" ? candidates.value : [];
  const held = own.find(({ id }) => id === heldOutId.value);
  pictures = {
    pictures: own.filter((item) => item !== held).map(ownPictureOf),
    heldOut: held && ownPictureOf(held),
  };
  keepPictures(pictures).catch(tellUnkept);
}

function tellUnkept({ message }: Error): void {
  failure.value = `This browser does not keep the run for later: ${message}. Save its weights before you leave.`;
}

function run(from: TrainingPlan["start"]): void {
  const own = ++turn;
  picturesLearned.value = pictures.pictures.length;
  listen();
  const tell = (news: TrainingNews) => {
    if (own === turn) hear(news);
  };
  const { remote, failed } = workerThere();
  const plan: TrainingPlan = { start: from, learningRate: rate(), pictures: pictures.pictures };
  Promise.race([remote.run(plan, proxy(tell)), failed]).catch((error: Error) => {
    if (own !== turn) return;
    if (error instanceof WorkerError) return void takeUpAgain(error.message);
    failure.value = `The training ended: ${error.message}.`;
    runState.value = "idle";
  });
}

/** Goes on with another learning rate. */
export function setLearningRate(value: number): void {
  learningRate.value = value;
  if (worker !== undefined) void trainer().setLearningRate(rate());
}

/** Opens weights or a checkpoint, to start from. */
export async function openStart(file: File): Promise<void> {
  failure.value = undefined;
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    await startUp(workerThere);
    opened.value = { ...(await trainer().inspect(bytes)), name: file.name, bytes };
    start.value = "file";
  } catch (error) {
    failure.value = `${file.name} cannot be started from: ${(error as Error).message}.`;
  }
}

/** Stops after the step at hand. */
export async function pause(): Promise<void> {
  runState.value = "pausing";
  await trainer().pause();
  if (runState.value === "pausing") runState.value = "paused";
}

/** Forgets everything that was learned. */
export function reset(): void {
  turn++;
  clearTimeout(silence);
  failure.value = undefined;
  void forgetRun();
  left = undefined;
  keptStep.value = 0;
  runState.value = "idle";
  curves.value = NOTHING;
  step.value = 0;
  stepTime.value = Number.NaN;
  speed.value = Number.NaN;
  heldOut.value = undefined;
  subject.value = undefined;
  void settleReset();
}

async function settleReset(): Promise<void> {
  // With the worker goes the memory of its engine.
  endWorker();
  try {
    await startUp(workerThere);
    // A run of an earlier visit may have held another one out.
    await holdOut(heldOutId.value);
  } catch (error) {
    failure.value = `The engine did not start: ${(error as Error).message}.`;
  }
}

/** The weights as they are now, as a file. */
export const learnedWeights = (): Promise<Uint8Array> => trainer().weights();

/** The whole run as it is now, as a file. */
export const checkpointNow = (): Promise<Uint8Array> => trainer().checkpoint();

/** Segments with them in the first tab. */
export async function useLearned(): Promise<void> {
  const learned = await learnedWeights();
  await useWeights(`trained here for ${count(step.value, "step")}`, learned);
}
