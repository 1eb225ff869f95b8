// Ours: operator by operator in plain TypeScript, the same on WebAssembly kernels, and as a captured program on these.

import { adam, backward, capture, noGrad, prepare, randomState, sigmoid, type Tensor } from "@saunet/core";
import { forward, paperLoss } from "@saunet/model";
import { type AccelerateOptions, accelerate } from "@saunet/wasm";
import { allowRelaxedSimd } from "../relaxed.ts";
import type { Job, Prepare, PrepareTraining } from "./contender.ts";

const infer = ({ config, parameters }: Job, x: Tensor): Tensor =>
  noGrad(() => sigmoid(forward(config, parameters, x)));

interface Trainer {
  readonly step: (x: Tensor, target: Tensor) => Tensor;
  readonly moments: () => readonly Float32Array[];
}

/** Steps of training with the paper's loss and Adam. */
function trainer({ config, parameters }: Job): Trainer {
  const optimizer = adam(parameters);
  const lossOf = paperLoss();
  const mode = { training: true, random: randomState(1) } as const;
  return {
    step: (x, target) => {
      const loss = lossOf(forward(config, parameters, x, mode), target);
      backward(loss);
      optimizer.step();
      return loss;
    },
    moments: () => Object.keys(parameters).map((name) => optimizer.state[`m.${name}`].data),
  };
}

/** Inference in plain TypeScript. */
export const typescriptModel: Prepare = async (job) => () => infer(job, job.image).data;

/** A step of training in plain TypeScript. */
export const typescriptTrain: PrepareTraining = async (job) => {
  const { step, moments } = trainer(job);
  return { step: () => step(job.image, job.target).data, moments };
};

/** Inference on WebAssembly, operator by operator; its results stay in the memory of the kernels. */
export const eagerModel: Prepare = async (job) => {
  await accelerateOn(job.threads, { resident: true });
  return () => infer(job, job.image).data;
};

/** A step of training on WebAssembly, operator by operator. */
export const eagerTrain: PrepareTraining = async (job) => {
  await accelerateOn(job.threads, { resident: true });
  const { step, moments } = trainer(job);
  return { step: () => step(job.image, job.target).data, moments };
};

/** Inference on WebAssembly. */
export const acceleratedModel: Prepare = async (job) => {
  await accelerateOn(job.threads);
  return captured(job);
};

/** The same without the fused multiply-add, so with the same bits on every host. */
export const plainModel: Prepare = async (job) => {
  await accelerateOn(job.threads, { relaxed: false });
  return captured(job);
};

function captured(job: Job): () => Float32Array {
  const { runSync } = prepare(capture(([x]) => [infer(job, x)], [job.image]));
  return () => runSync([job.image])[0].data;
}

/** A step of training on WebAssembly. */
export const acceleratedTrain: PrepareTraining = async (job) => {
  await accelerateOn(job.threads);
  const { step, moments } = trainer(job);
  const { runSync } = prepare(capture(([x, target]) => [step(x, target)], [job.image, job.target]));
  return { step: () => runSync([job.image, job.target])[0].data, moments };
};

/** Fewer threads, or none, would be another contender. */
async function accelerateOn(wanted: number, options: AccelerateOptions = {}): Promise<void> {
  allowRelaxedSimd();
  const { threads, kernels, reasons } = await accelerate({ threads: wanted, ...options });
  if (threads !== wanted || kernels.length === 0) throw new Error(reasons.join("; "));
}
