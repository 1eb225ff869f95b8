// What the browser test has done in Node, on a page's main thread and in a worker: the same everywhere.

import { adam, noGrad, ones, randomState, sigmoid, Tensor } from "@saunet/core";
import { floatsOf, syntheticFundus } from "@saunet/data";
import { captureTrainStep, forward, initialize, loadSegmenter, paperLoss, saUNetV2 } from "@saunet/model";
// The module, which a browser loads by itself: Node's file has 32 bits.
import weights from "@saunet/model/weights";
import { type AccelerationReport, accelerate, type MakeWorker, restore } from "@saunet/wasm";

/** What came of it. */
export interface Outcome {
  readonly report: AccelerationReport;
  /** Of the segmenter with the bundled weights, whose captured program leaves the caller's event loop free. */
  readonly captured: readonly number[];
  /** Of the same network, kernel by kernel. */
  readonly eager: readonly number[];
  /** Of three captured steps of training. */
  readonly losses: readonly number[];
  /** How many segmentations of {@link storm} are what they are alone, and what went wrong with the others. */
  readonly storm: { readonly right: number; readonly wrong: readonly string[] };
}

const SIDE = 96;
const STEPS = 3;
const AT_ONCE = 50;
const SIZES = 10;
/** Without resizing: a small photograph would be enlarged four times. */
const AS_IT_IS = { scale: 1 };

/**
 * 50 segmentations in ten sizes at once, while the segmenter is released and other accelerations come into force: each is
 * what it is alone on any number of threads.
 */
async function storm(threads: number, worker: { worker?: MakeWorker }): Promise<Outcome["storm"]> {
  const settings = { threads, relaxed: false, ...worker };
  await accelerate(settings);
  const segmenter = await loadSegmenter({ weights });
  const eyes = Array.from({ length: SIZES }, (_, seed) => {
    return syntheticFundus({ seed, width: 32 + 8 * seed, height: 32 + 8 * seed }).image;
  });
  const alone: Float32Array[] = [];
  for (const eye of eyes) alone.push((await segmenter.segment(eye, AS_IT_IS)).probability);
  const acts: Promise<unknown>[] = [];
  const results = Array.from({ length: AT_ONCE }, async (_, i): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, (i * 37) % 50));
    if (i % 9 === 4) segmenter.release();
    if (i % 16 === 8) acts.push(accelerate({ ...settings, threads: 1 + (i % 3) }));
    const { probability } = await segmenter.segment(eyes[i % SIZES], AS_IT_IS);
    const isRight = probability.every((value, pixel) => Object.is(value, alone[i % SIZES][pixel]));
    return isRight ? "" : `segmentation ${i} differs from the one alone`;
  });
  const outcomes = await Promise.all(results.map((result) => result.catch(String)));
  await Promise.all(acts);
  segmenter.release();
  const wrong = outcomes.filter((outcome) => outcome !== "");
  return { right: outcomes.length - wrong.length, wrong };
}

/** Accelerates, segments, trains a little. */
export async function work(threads: number, makeWorker?: MakeWorker): Promise<Outcome> {
  const worker = makeWorker === undefined ? {} : { worker: makeWorker };
  const report = await accelerate({ threads, ...worker });
  const { image, vessels } = syntheticFundus({ seed: 1, width: SIDE, height: SIDE });
  const segmenter = await loadSegmenter({ weights });
  const { probability } = await segmenter.segment(image);
  segmenter.release();

  const x = new Tensor(floatsOf(image), [1, SIDE, SIDE, 3]);
  const eager = noGrad(() => sigmoid(forward(segmenter.config, segmenter.parameters, x)));

  const target = new Tensor(Float32Array.from(vessels.data), [1, SIDE, SIDE, 1]);
  const config = saUNetV2;
  const parameters = initialize(config, randomState(1));
  const random = randomState(2);
  const step = { config, parameters, optimizer: adam(parameters), loss: paperLoss(), random };
  const { runSync } = captureTrainStep(step, { x: ones(x.shape), target: ones(target.shape) });
  const losses = Array.from({ length: STEPS }, () => runSync([x, target])[0].item());
  const stormed = await storm(threads, worker);
  await restore();
  return { report, captured: [...probability], eager: [...eager.data], losses, storm: stormed };
}
