// saunet train: weights out of photographs and masks.

import { setImmediate } from "node:timers/promises";
import { adam, cosine, randomState } from "@saunet/core";
import { type DatasetKind, readDataset } from "@saunet/data/files";
import {
  evaluate,
  initialize,
  type Metrics,
  macroAverage,
  type NetworkConfig,
  networks,
  paperLoss,
  type Segmenter,
  saUNetV2,
  segmenterOf,
  sizeMultiple,
  train as trainNetwork,
  type Weights,
} from "@saunet/model";
import { DONE, INTERRUPTED, UsageError, WorkError } from "../errors.ts";
import { openWeights, withFile } from "../files.ts";
import { duration, type Host, type Progress, progress, secondsSince, writeJson } from "../output.ts";
import { openRunFolder, type RunFolder } from "../run-folder.ts";
import {
  load,
  nextBatch,
  type Picture,
  STREAMS,
  splitOff,
  syntheticData,
  type TrainingData,
} from "../training-data.ts";

/** Options of `saunet train`. */
export interface TrainOptions {
  readonly dataset: DatasetKind | "synthetic";
  readonly data?: string;
  readonly out: string;
  readonly network?: string;
  readonly weights?: string;
  readonly epochs: number;
  readonly steps: number;
  readonly batch: number;
  readonly crop: number;
  readonly learningRate: number;
  readonly validation?: number;
  readonly validateEvery: number;
  readonly pictureSize: number;
  readonly minutes?: number;
  readonly seed: number;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** Share of the steps over which the learning rate rises. */
const WARM_UP = 0.05;
/** Synthetic pictures to validate with where their number is not given. */
const SYNTHETIC_VALIDATION = 2;

/** How a run went. */
interface Outcome {
  readonly ending: "finished" | "minutes" | "interrupted";
  readonly steps: number;
  readonly seconds: number;
  /** The best validation; null where the run ended before the first. */
  readonly best: { readonly epoch: number; readonly f1: number } | null;
}

/** Trains a network. */
export async function train(options: TrainOptions, host: Host): Promise<number> {
  const network = await startingPoint(options, host);
  const data = await openTrainingData(options, host);
  const run = await openRunFolder(host, options.out, {
    ...options,
    network: network.config,
    training: data.training,
    validation: data.validation.map(({ id }) => id),
  });
  const interrupt = new AbortController();
  const stopListening = host.onInterrupt?.(() => interrupt.abort());
  const bar = progress(host, options.epochs * options.steps);
  try {
    const outcome = await learn({ options, network, data, run, bar, signal: interrupt.signal });
    const { ending, steps, best } = outcome;
    const { best: bestFile, ...files } = run.files;
    const written = best === null ? files : { ...files, best: bestFile };
    if (options.json) writeJson(host, { network: network.config.name, ...outcome, files: written });
    else bar.print(`${ending} after ${steps} steps -> ${Object.values(written).join(", ")}`);
    return ending === "interrupted" ? INTERRUPTED : DONE;
  } finally {
    bar.stop();
    stopListening?.();
    await run.close();
  }
}

async function startingPoint({ network, weights, crop, seed }: TrainOptions, host: Host): Promise<Weights> {
  const config = network === undefined ? undefined : networks[network];
  const start =
    weights === undefined ? fresh(config ?? saUNetV2, seed) : await openWeights(host, weights, config);
  const multiple = sizeMultiple(start.config);
  if (crop % multiple === 0) return start;
  throw new UsageError(
    `option '--crop <n>' argument '${crop}' is invalid. It must be a multiple of ${multiple}.`,
  );
}

function fresh(config: NetworkConfig, seed: number): Weights {
  return { config, parameters: initialize(config, randomState(seed, STREAMS.weights)), metadata: {} };
}

async function openTrainingData(options: TrainOptions, host: Host): Promise<TrainingData> {
  const { dataset, data, validation, pictureSize, seed, maxPixels } = options;
  if (dataset === "synthetic") return syntheticData(pictureSize, validation ?? SYNTHETIC_VALIDATION, seed);
  if (data === undefined) {
    throw new UsageError("option '--data <folder>' not specified: where the photographs and masks are");
  }
  return withFile(host, data, async (directory) => {
    // A plain folder has no parts; of other data sets the test images are never looked at.
    const split = dataset === "folder" ? "all" : "train";
    const samples = await readDataset({ kind: dataset, directory, split });
    const bar = progress(host, samples.length);
    try {
      const pictures: Picture[] = [];
      for (const sample of samples) {
        bar.advance(`reading ${sample.id}`);
        const picture = await load(sample);
        const { width, height } = picture.photograph;
        // Validation takes photographs whole.
        if (width * height > maxPixels) {
          throw new WorkError(
            `${sample.id} has ${width} x ${height} pixels; the limit is ${maxPixels} (--max-pixels)`,
          );
        }
        pictures.push(picture);
      }
      return splitOff(pictures, validation, seed);
    } finally {
      bar.stop();
    }
  });
}

interface Learning {
  readonly options: TrainOptions;
  readonly network: Weights;
  readonly data: TrainingData;
  readonly run: RunFolder;
  readonly bar: Progress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Trains until the last epoch, the last minute or Ctrl-C. */
async function learn({ options, network, data, run, bar, signal }: Learning): Promise<Outcome> {
  const { epochs, steps, batch, crop, seed, minutes = Number.POSITIVE_INFINITY } = options;
  const start = performance.now();
  const total = epochs * steps;
  /** How much of the run is over, by steps or by the clock. */
  const over = (done: number) => Math.max(done / total, secondsSince(start) / (60 * minutes));
  const schedule = cosine({ total, warmup: Math.ceil(WARM_UP * total) });
  const crops = randomState(seed, STREAMS.crops);
  const optimizer = adam(network.parameters, { learningRate: options.learningRate });
  const events = trainNetwork({
    ...network,
    optimizer,
    loss: paperLoss(),
    random: randomState(seed, STREAMS.dropBlock),
    epochs,
    stepsPerEpoch: steps,
    nextBatch: () => nextBatch(data, batch, crop, crops),
    // Where the minutes run out before the steps do, the clock moves the schedule on: a run ends on its lowest rate.
    learningRate: (step) => options.learningRate * schedule(Math.floor(total * over(step))),
  });

  // It reads the parameters as they are at each validation: training changes them in place.
  const segmenter = segmenterOf(network);

  let ending: Outcome["ending"] = "finished";
  let best: Outcome["best"] = null;
  let epoch = 0;
  let done = 0;
  let stepStart = start;
  let losses: number[] = [];
  const meanLoss = () => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const save = (kind: "last" | "best") =>
    run.save(kind, { ...network, metadata: { ...network.metadata, epoch: `${epoch}`, steps: `${done}` } });

  const endEpoch = async (isLast: boolean) => {
    await save("last");
    const isDue = isLast || epoch % options.validateEvery === 0;
    const f1 = isDue ? await validate(segmenter, data.validation, bar, signal) : undefined;
    const isBest = f1 !== undefined && f1 > (best?.f1 ?? -1);
    if (isBest) {
      best = { epoch, f1 };
      await save("best");
    }
    const loss = meanLoss();
    losses = [];
    await run.log({ kind: "epoch", epoch, loss, f1, seconds: secondsSince(start) });
    if (options.json) return;
    const quality = f1 === undefined ? "" : `, F1 ${f1.toFixed(4)}${isBest ? " (best so far)" : ""}`;
    bar.print(`epoch ${epoch}: loss ${loss.toFixed(4)}${quality}, after ${duration(secondsSince(start))}`);
  };

  const endStep = async (loss: number) => {
    done++;
    losses.push(loss);
    const seconds = secondsSince(stepStart);
    await run.log({
      kind: "step",
      epoch,
      step: done,
      loss,
      learningRate: optimizer.learningRate[0],
      seconds,
    });
    const left = secondsSince(start) * (1 / over(done) - 1);
    const speed = (batch / seconds).toFixed(1);
    bar.advance(
      `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  ${speed} images/s  ${duration(left)} left`,
    );
  };

  for await (const event of events) {
    epoch = event.epoch + 1;
    if (event.kind === "epoch") await endEpoch(epoch === epochs);
    else await endStep(event.loss);
    // The event loop hears of Ctrl-C between steps; they leave it no other time.
    await setImmediate();
    if (signal.aborted) break;
    if (event.kind === "step" && secondsSince(start) > 60 * minutes) {
      ending = "minutes";
      await endEpoch(true);
      break;
    }
    stepStart = performance.now();
  }
  if (signal.aborted) {
    ending = "interrupted";
    await save("last");
  }
  return { ending, steps: done, seconds: secondsSince(start), best };
}

/** Mean F1 over whole pictures; undefined where Ctrl-C comes before the end. */
async function validate(
  segmenter: Segmenter,
  pictures: readonly Picture[],
  bar: Progress,
  signal: AbortSignal,
): Promise<number | undefined> {
  const figures: Metrics[] = [];
  for (const { id, photograph, vessels } of pictures) {
    bar.show(`validating on ${id}`);
    // The size was checked when the picture was read.
    const { probability } = await segmenter.segment(photograph, { maxPixels: Number.POSITIVE_INFINITY });
    figures.push(evaluate({ probability, truth: vessels.data }));
    await setImmediate();
    if (signal.aborted) return undefined;
  }
  return macroAverage(figures).f1;
}
