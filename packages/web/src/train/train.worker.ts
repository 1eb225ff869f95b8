// Trains a network while the page looks on.

import { adam, randomState } from "@saunet/core";
import {
  type DescribedNetwork,
  evaluate,
  initialize,
  isCheckpointFile,
  loadSegmenter,
  paperLoss,
  readCheckpoint,
  type Segmenter,
  saUNetV2,
  segmenterOf,
  type TrainingState,
  train,
  type Weights,
  writeCheckpoint,
  writeWeights,
} from "@saunet/model";
import { expose } from "comlink";
import { engineWorker, startEngine } from "../engine.ts";
import { grey, opaque } from "../pictures/paint.ts";
import { count } from "../ui/format.ts";
import { weightsIn } from "../weights.ts";
import { BATCH, SEED } from "./batch.ts";
import { type BatchStream, batchStream } from "./batch-stream.ts";
import { type Halt, haltOf } from "./halt.ts";
import { type LabelledPhotograph, type OwnPicture, readForTesting } from "./own-pictures.ts";
import { fundus } from "./training-pictures.ts";

/** How to train. */
export interface TrainingPlan {
  /** Fresh numbers, those that ship, or those of a file: weights, or the checkpoint of a run that is taken up again. */
  readonly start: "fresh" | "shipped" | Uint8Array;
  readonly learningRate: number;
  /** Photographs of one's own to learn from; synthetic ones where there are none. */
  readonly pictures: readonly OwnPicture[];
}

/** What a file to start from holds. */
export interface StartFile {
  /** The network's name. */
  readonly network: string;
  /** Steps that its run has made; 0 for weights. */
  readonly step: number;
}

/** What is told while it learns, of all steps since it was told last. */
export interface TrainingNews {
  /** Name of the network; told when the run begins. */
  readonly network?: string;
  /** How many there have been from the start. */
  readonly step: number;
  readonly losses: readonly number[];
  /** Of a step on average, its photographs waiting for it; NaN before the first. */
  readonly milliseconds: number;
  /** Everything counted: waiting for photographs, looking at the one that is held out. NaN before the first step. */
  readonly cropsPerSecond: number;
  /** On the photograph that is never learned from; told every few steps. */
  readonly heldOut?: HeldOut | undefined;
  /** The run up to `step`, to be kept; told now and then, and at every pause. */
  readonly checkpoint?: Uint8Array | undefined;
}

/** How the held-out photograph is segmented at the moment. */
export interface HeldOut {
  readonly f1: number;
  readonly auc: number;
  readonly prediction: ImageData;
}

/** The held-out photograph and its truth. */
export interface Subject {
  readonly photograph: ImageData;
  readonly truth: ImageData;
  readonly threads: number;
}

/** The held-out photograph is segmented every so many steps; more often at first, when most happens. */
const heldOutIsDue = (step: number): boolean => (step <= 20 ? step % 5 === 0 : step % 20 === 0);
const HELD_OUT_SEED = 2;
/** The page hears of steps four times a second: drawing it takes time from the cores that train. */
const NEWS_INTERVAL_MS = 250;
/** As much is lost at most when the browser is closed; a checkpoint has 4 MB. */
const CHECKPOINT_INTERVAL_MS = 10_000;

/** The run at hand. */
interface Run extends TrainingState {
  readonly network: Weights;
  readonly segmenter: Segmenter;
}

let current: Run | undefined;
/** Counts calls of `run`: a later one ends an earlier. */
let turn = 0;
let halt: Halt | undefined;
let step = 0;
/** Photographs of one's own that the run at hand learns from. */
let learnsFrom: readonly OwnPicture[] = [];
/** Whether steps are being made: parameters must not be read then. */
let steps = false;
/** Whoever waits for the end of the step at hand. */
const betweenSteps: (() => void)[] = [];

let heldOut: LabelledPhotograph = fundus(HELD_OUT_SEED);

async function lookAtHeldOut({ segmenter }: Run): Promise<HeldOut> {
  // Another one may be held out meanwhile.
  const { image, vessels, fieldOfView: field } = heldOut;
  // It has been brought to the scale of the network.
  const { probability, width, height } = await segmenter.segment(image, { scale: 1 });
  const [truth, fieldOfView] = [vessels.data, field.data];
  const { f1, auc } = evaluate({ probability, truth, fieldOfView });
  return { f1, auc, prediction: grey(width, height, (pixel) => probability[pixel]) };
}

/** A run at its beginning, or where its checkpoint left it. */
async function begin({
  start,
  learningRate,
}: Omit<TrainingPlan, "pictures">): Promise<{ run: Run; step: number }> {
  const network = await networkOf(start);
  const isCheckpoint = start instanceof Uint8Array && isCheckpointFile(start);
  const { parameters } = network;
  const optimizer = adam(parameters, { learningRate });
  const run: Run = {
    network,
    parameters,
    optimizer,
    random: randomState(SEED, 2),
    segmenter: segmenterOf(network),
  };
  const step = isCheckpoint ? readCheckpoint(start, run).step : 0;
  // What a person has set counts, also for a run that began with another rate.
  optimizer.learningRate[0] = learningRate;
  return { run, step };
}

async function networkOf(start: TrainingPlan["start"]): Promise<Weights> {
  if (start === "shipped") return loadSegmenter();
  if (start instanceof Uint8Array) return weightsIn(start, FRESH);
  return { ...FRESH, parameters: initialize(FRESH.config, randomState(SEED)) };
}

/** What a run of fresh numbers trains. */
const FRESH = { config: saUNetV2, metadata: { licence: "MIT" } };

/** What a file of the run at hand says besides its numbers. */
function networkToSave({ network: { config, metadata } }: Run): DescribedNetwork {
  const { length } = learnsFrom;
  const material = length === 0 ? "synthetic photographs" : count(length, "photograph");
  const training = `${count(step, "step")} on ${material}, in a browser`;
  const licence = metadata.licence === undefined ? {} : { licence: metadata.licence };
  // Photographs of one's own were shown at the scale that the segmenter chooses.
  const own = length === 0 ? licence : { scale: "auto" };
  return { config, metadata: { ...own, training } };
}

const checkpointOf = (run: Run): Uint8Array =>
  writeCheckpoint({ ...run, network: networkToSave(run) }, { step });

const mouth = new MessageChannel();
/** Lets messages be heard, as a timer would; but timers in a row wait for 4 ms each. */
const listen = (): Promise<void> =>
  new Promise((resolve) => {
    mouth.port1.onmessage = () => resolve();
    mouth.port2.postMessage("go on");
  });

/** Steps until another run begins. */
async function learn(
  run: Run,
  batches: BatchStream,
  own: number,
  tell: (news: TrainingNews) => void,
): Promise<void> {
  const { network, optimizer, random } = run;
  let started = 0;
  const events = train({
    ...network,
    optimizer,
    random,
    loss: paperLoss(),
    epochs: 1,
    stepsPerEpoch: Number.MAX_SAFE_INTEGER,
    firstStep: step,
    nextBatch: async () => {
      const batch = await batches.next();
      started = performance.now();
      return batch;
    },
  });
  let losses: number[] = [];
  let busy = 0;
  let told = performance.now();
  let kept = told;
  for await (const event of events) {
    if (event.kind !== "step") continue;
    losses.push(event.loss);
    busy += performance.now() - started;
    step = event.step + 1;
    for (const go of betweenSteps.splice(0)) go();
    await listen();
    if (own !== turn) break;
    const isDue = heldOutIsDue(step);
    if (isDue || halt !== undefined || performance.now() - told >= NEWS_INTERVAL_MS) {
      const heldOut = isDue ? await lookAtHeldOut(run) : undefined;
      if (own !== turn) break;
      const now = performance.now();
      const isKept = halt !== undefined || now - kept >= CHECKPOINT_INTERVAL_MS;
      if (isKept) kept = now;
      const { length } = losses;
      tell({
        step,
        losses,
        milliseconds: busy / length,
        cropsPerSecond: (1000 * BATCH * length) / (now - told),
        heldOut,
        checkpoint: isKept ? checkpointOf(run) : undefined,
      });
      losses = [];
      busy = 0;
      told = now;
    }
    if (halt === undefined) continue;
    steps = false;
    halt.reach();
    await halt.over;
    steps = true;
    if (own !== turn) break;
    told = performance.now();
  }
}

function endSteps(): void {
  steps = false;
  for (const go of betweenSteps.splice(0)) go();
}

const api = {
  ...engineWorker,

  /** Looks at a file to start from as a run would. */
  async inspect(file: Uint8Array): Promise<StartFile> {
    const { run, step } = await begin({ start: file, learningRate: 0 });
    run.segmenter.release();
    return { network: run.network.config.name, step };
  },

  /** Holds a photograph out, which is never learned from; default: a synthetic one. */
  async subject(own?: OwnPicture): Promise<Subject> {
    const { threads } = await startEngine();
    heldOut = own === undefined ? fundus(HELD_OUT_SEED) : await readForTesting(own);
    const { width, height, data } = heldOut.vessels;
    return { photograph: opaque(heldOut.image), truth: grey(width, height, (pixel) => data[pixel]), threads };
  },

  /** Trains from the start until another run begins; tells of every step. */
  async run(plan: TrainingPlan, tell: (news: TrainingNews) => void): Promise<void> {
    const own = ++turn;
    halt?.lift();
    await startEngine();
    const next = await begin(plan);
    if (own !== turn) return;
    current?.segmenter.release();
    current = next.run;
    step = next.step;
    const nothing = { losses: [], milliseconds: Number.NaN, cropsPerSecond: Number.NaN };
    const { name: network } = next.run.network.config;
    tell({ network, step, ...nothing, heldOut: await lookAtHeldOut(next.run) });
    learnsFrom = plan.pictures;
    const batches = batchStream(step, plan.pictures);
    steps = true;
    try {
      await learn(next.run, batches, own, tell);
    } finally {
      batches.stop();
      if (own === turn) endSteps();
    }
  },

  /** Goes on with this learning rate. */
  setLearningRate(rate: number): void {
    if (current !== undefined) current.optimizer.learningRate[0] = rate;
  },

  /** Resolves when the step at hand has ended and none follows. */
  async pause(): Promise<void> {
    halt ??= haltOf(() => {
      halt = undefined;
    });
    await halt.reached;
  },

  resume(): void {
    halt?.lift();
  },

  /** The weights as a file, as they are after the step at hand. */
  async weights(): Promise<Uint8Array> {
    if (current === undefined) throw new Error("weights: nothing has been learned yet");
    const run = current;
    if (steps) await new Promise<void>((resolve) => betweenSteps.push(resolve));
    return writeWeights({ ...networkToSave(run), parameters: run.parameters });
  },

  /** The whole run as a file, to be taken up here or by the command. */
  async checkpoint(): Promise<Uint8Array> {
    if (current === undefined) throw new Error("checkpoint: nothing has been learned yet");
    const run = current;
    if (steps) await new Promise<void>((resolve) => betweenSteps.push(resolve));
    return checkpointOf(run);
  },
};

/** What the page may ask of this worker. */
export type TrainWorker = typeof api;

expose(api);
