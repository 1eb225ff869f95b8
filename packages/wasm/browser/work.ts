// What the browser test has done in Node, on a page's main thread and in a worker: the same everywhere.

import { adam, noGrad, ones, randomState, sigmoid, Tensor } from "@saunet/core";
import { floatsOf, syntheticFundus } from "@saunet/data";
import { captureTrainStep, forward, initialize, loadSegmenter, paperLoss, saUNetV2 } from "@saunet/model";
import { type AccelerationReport, accelerate, restore } from "@saunet/wasm";

/** What came of it. */
export interface Outcome {
  readonly report: AccelerationReport;
  /** Of the segmenter with the bundled weights, whose captured program leaves the caller's event loop free. */
  readonly captured: readonly number[];
  /** Of the same network, kernel by kernel. */
  readonly eager: readonly number[];
  /** Of three captured steps of training. */
  readonly losses: readonly number[];
}

const SIDE = 96;
const STEPS = 3;

/** Accelerates, segments, trains a little. */
export async function work(threads: number): Promise<Outcome> {
  const report = await accelerate({ threads });
  const { image, vessels } = syntheticFundus({ seed: 1, width: SIDE, height: SIDE });
  const segmenter = await loadSegmenter();
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
  restore();
  return { report, captured: [...probability], eager: [...eager.data], losses };
}
