// Trains a network while the page looks on.

import { adam, randomState } from "@saunet/core";
import {
  evaluate,
  initialize,
  loadSegmenter,
  paperLoss,
  type Segmenter,
  saUNetV2,
  segmenterOf,
  train,
  type Weights,
  writeWeights,
} from "@saunet/model";
import { expose } from "comlink";
import { startEngine } from "../engine.ts";
import { grey } from "../pictures/paint.ts";
import { BATCH, SEED } from "./batch.ts";
import { type BatchStream, batchStream } from "./batch-stream.ts";
import { fundus } from "./training-pictures.ts";

/** How to train. */
export interface TrainingPlan {
  /** Fresh numbers, or those that ship. */
  readonly start: "fresh" | "shipped";
  readonly learningRate: number;
}

/** What is told while it learns, of all steps since it was told last. */
export interface TrainingNews {
  /** How many there have been from the start. */
  readonly step: number;
  readonly losses: readonly number[];
  /** Of a step on average, its photographs waiting for it; NaN before the first. */
  readonly milliseconds: number;
  /** Everything counted: waiting for photographs, looking at the one that is held out. NaN before the first step. */
  readonly cropsPerSecond: number;
  /** On the photograph that is never learned from; told every few steps. */
  readonly heldOut?: HeldOut | undefined;
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

let network: Weights | undefined;
let segmenter: Segmenter | undefined;
/** Counts calls of `run`: a later one ends an earlier. */
let turn = 0;
let halt: Halt | undefined;
let step = 0;

const heldOut = fundus(HELD_OUT_SEED);
const { width, height } = heldOut.image;

async function lookAtHeldOut(): Promise<HeldOut> {
  // The scale that it is trained at here, whatever shipped weights ask for.
  const { probability } = await segmenter!.segment(heldOut.image, { scale: 1 });
  const [truth, fieldOfView] = [heldOut.vessels.data, heldOut.fieldOfView.data];
  const { f1, auc } = evaluate({ probability, truth, fieldOfView });
  return { f1, auc, prediction: grey(width, height, (pixel) => probability[pixel]) };
}

async function begin({ start }: TrainingPlan): Promise<Weights> {
  if (start === "fresh")
    return { config: saUNetV2, parameters: initialize(saUNetV2, randomState(SEED)), metadata: {} };
  return loadSegmenter();
}

/** A pause: the loop reaches it after the step at hand, and goes on when it is over. */
interface Halt {
  readonly reached: Promise<void>;
  readonly over: Promise<void>;
  readonly reach: () => void;
  readonly lift: () => void;
}

function haltOf(): Halt {
  let reach = () => {};
  let end = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const lift = () => {
    halt = undefined;
    // Whoever waits for a pause that is lifted before it began waits no longer.
    reach();
    end();
  };
  return { reached, over, reach, lift };
}

const mouth = new MessageChannel();
/** Lets messages be heard, as a timer would; but timers in a row wait for 4 ms each. */
const listen = (): Promise<void> =>
  new Promise((resolve) => {
    mouth.port1.onmessage = () => resolve();
    mouth.port2.postMessage("go on");
  });

/** Steps until another run begins. */
async function learn(
  { learningRate }: TrainingPlan,
  weights: Weights,
  batches: BatchStream,
  own: number,
  tell: (news: TrainingNews) => void,
): Promise<void> {
  let started = 0;
  const events = train({
    ...weights,
    optimizer: adam(weights.parameters, { learningRate }),
    loss: paperLoss(),
    random: randomState(SEED, 2),
    epochs: 1,
    stepsPerEpoch: Number.MAX_SAFE_INTEGER,
    nextBatch: async () => {
      const batch = await batches.next();
      started = performance.now();
      return batch;
    },
  });
  let losses: number[] = [];
  let busy = 0;
  let told = performance.now();
  for await (const event of events) {
    if (event.kind !== "step") continue;
    losses.push(event.loss);
    busy += performance.now() - started;
    await listen();
    if (own !== turn) break;
    step = event.step + 1;
    const isDue = heldOutIsDue(step);
    if (isDue || halt !== undefined || performance.now() - told >= NEWS_INTERVAL_MS) {
      const heldOut = isDue ? await lookAtHeldOut() : undefined;
      if (own !== turn) break;
      const seconds = (performance.now() - told) / 1000;
      const { length } = losses;
      tell({
        step,
        losses,
        milliseconds: busy / length,
        cropsPerSecond: (BATCH * length) / seconds,
        heldOut,
      });
      losses = [];
      busy = 0;
      told += 1000 * seconds;
    }
    if (halt === undefined) continue;
    halt.reach();
    await halt.over;
    if (own !== turn) break;
    told = performance.now();
  }
}

const api = {
  /** The photograph that is never learned from. */
  async subject(): Promise<Subject> {
    const { threads } = await startEngine();
    const [image, vessels] = [heldOut.image.data, heldOut.vessels.data];
    const pixels = new ImageData(width, height);
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let c = 0; c < 3; c++) pixels.data[4 * pixel + c] = image[3 * pixel + c];
      pixels.data[4 * pixel + 3] = 255;
    }
    return { photograph: pixels, truth: grey(width, height, (pixel) => vessels[pixel]), threads };
  },

  /** Trains from the start until another run begins; tells of every step. */
  async run(plan: TrainingPlan, tell: (news: TrainingNews) => void): Promise<void> {
    const own = ++turn;
    halt?.lift();
    await startEngine();
    const next = await begin(plan);
    if (own !== turn) return;
    network = next;
    segmenter?.release();
    segmenter = segmenterOf(network);
    step = 0;
    const nothing = { losses: [], milliseconds: Number.NaN, cropsPerSecond: Number.NaN };
    tell({ step, ...nothing, heldOut: await lookAtHeldOut() });
    const batches = batchStream();
    try {
      await learn(plan, network, batches, own, tell);
    } finally {
      batches.stop();
    }
  },

  /** Resolves when the step at hand has ended and none follows. */
  async pause(): Promise<void> {
    halt ??= haltOf();
    await halt.reached;
  },

  resume(): void {
    halt?.lift();
  },

  /** Ends the run and forgets what was learned. */
  reset(): void {
    turn++;
    halt?.lift();
    network = undefined;
  },

  /** The weights as they are now, as a file. */
  weights(): Uint8Array {
    if (network === undefined) throw new Error("weights: nothing has been learned yet");
    const metadata = { licence: "MIT", training: `${step} steps on synthetic photographs, in a browser` };
    return writeWeights({ ...network, metadata });
  },
};

/** What the page may ask of this worker. */
export type TrainWorker = typeof api;

expose(api);
