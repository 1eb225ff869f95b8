// TensorFlow.js on its two CPU backends: plain JavaScript, and WebAssembly with SIMD (in Node on one thread alone).

import type { NetworkConfig } from "@saunet/model";
import { depthOf } from "@saunet/model";
import type { Job, Prepare, PrepareTraining } from "./contender.ts";
import { loadPeer } from "./install.ts";

interface TfTensor {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Reduction = (x: TfTensor, axes?: number | number[], keepDims?: boolean) => TfTensor;
type Binary = (a: TfTensor, b: TfTensor | number) => TfTensor;
type Unary = (x: TfTensor) => TfTensor;

/** What is used of @tensorflow/tfjs-core. */
interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  variable(value: TfTensor, trainable: true, name: string): TfTensor;
  tidy<T>(body: () => T): T;
  readonly add: Binary;
  readonly sub: (a: TfTensor | number, b: TfTensor) => TfTensor;
  readonly mul: Binary;
  readonly div: Binary;
  readonly mean: Reduction;
  readonly max: Reduction;
  readonly square: Unary;
  readonly sqrt: Unary;
  readonly rsqrt: Unary;
  readonly sigmoid: Unary;
  readonly softplus: Unary;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  concat(parts: readonly TfTensor[], axis: number): TfTensor;
  conv2d(x: TfTensor, w: TfTensor, stride: number, padding: "same"): TfTensor;
  conv2dTranspose(x: TfTensor, w: TfTensor, shape: number[], stride: number, padding: "same"): TfTensor;
  maxPool(x: TfTensor, size: number, stride: number, padding: "valid"): TfTensor;
  readonly train: {
    adam(
      learningRate: number,
      beta1: number,
      beta2: number,
      epsilon: number,
    ): {
      minimize(loss: () => TfTensor, returnCost: true): TfTensor;
      /** In an order of its own, each with the name of its variable and `/m`. */
      readonly accumulatedFirstMoment: readonly {
        readonly originalName: string;
        readonly variable: TfTensor;
      }[];
    };
  };
}

type Variables = Readonly<Record<string, TfTensor>>;

/** SA-UNetv2 from image `[1,H,W,3]` to logits `[1,H,W,1]`. */
function network(tf: Tf, config: NetworkConfig, p: Variables, image: TfTensor): TfTensor {
  const { add, concat, max, mean, mul, sigmoid } = tf;
  const conv = (x: TfTensor, name: string) =>
    add(tf.conv2d(x, p[`${name}.filter`], 1, "same"), p[`${name}.bias`]);
  const groupNorm = (x: TfTensor, name: string): TfTensor => {
    const [N, H, W, C] = x.shape;
    const groups = tf.reshape(x, [N, H * W, config.groups, C / config.groups]);
    const centred = tf.sub(groups, mean(groups, [1, 3], true));
    const variance = mean(tf.square(centred), [1, 3], true);
    const normal = tf.reshape(mul(centred, tf.rsqrt(add(variance, 1e-3))), x.shape);
    return add(mul(normal, p[`${name}.gamma`]), p[`${name}.beta`]);
  };
  const unit = (x: TfTensor, stage: string, index: 1 | 2): TfTensor => {
    const y = groupNorm(conv(x, `${stage}.conv${index}`), `${stage}.norm${index}`);
    return mul(y, sigmoid(y));
  };
  const gate = (x: TfTensor, maps: readonly TfTensor[], stage: string): TfTensor =>
    mul(x, sigmoid(tf.conv2d(concat(maps, 3), p[`${stage}.attention.filter`], 1, "same")));

  const depth = depthOf(config);
  const skips: TfTensor[] = [];
  let f = image;
  for (let stage = 1; stage <= depth; stage++) {
    f = unit(unit(f, `encoder${stage}`, 1), `encoder${stage}`, 2);
    skips.push(f);
    f = tf.maxPool(f, 2, 2, "valid");
  }
  f = unit(f, "bottleneck", 1);
  f = unit(gate(f, [mean(f, 3, true), max(f, 3, true)], "bottleneck"), "bottleneck", 2);
  for (let stage = depth; stage >= 1; stage--) {
    const name = `decoder${stage}`;
    const skip = skips.pop() as TfTensor;
    const filter = p[`${name}.up.filter`];
    const up = add(tf.conv2dTranspose(f, filter, skip.shape, 2, "same"), p[`${name}.up.bias`]);
    const gated = gate(skip, [mean(skip, 3, true), mean(up, 3, true)], name);
    f = unit(unit(concat([up, gated], 3), name, 1), name, 2);
  }
  return conv(f, "head");
}

async function start(
  backend: "cpu" | "wasm",
  { parameters }: Job,
  learns: boolean,
): Promise<{ tf: Tf; p: Variables }> {
  const tf = await loadPeer<Tf>("@tensorflow/tfjs-core");
  await loadPeer(`@tensorflow/tfjs-backend-${backend}`);
  if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
  await tf.ready();
  const entries = Object.entries(parameters).map(([name, { data, shape }]) => {
    const value = tf.tensor(data, shape);
    return [name, learns ? tf.variable(value, true, name) : value];
  });
  return { tf, p: Object.fromEntries(entries) };
}

/** Inference. */
export const tfjsModel =
  (backend: "cpu" | "wasm"): Prepare =>
  async (job) => {
    const { tf, p } = await start(backend, job, false);
    return async () => {
      const probability = tf.tidy(() =>
        tf.sigmoid(network(tf, job.config, p, tf.tensor(job.image.data, job.image.shape))),
      );
      const data = await probability.data();
      probability.dispose();
      return data;
    };
  };

/** A step of training with the paper's loss and Adam. */
export const tfjsTrain =
  (backend: "cpu" | "wasm"): PrepareTraining =>
  async (job) => {
    const { tf, p } = await start(backend, job, true);
    // The gradients of all operators are registered by the package of layers.
    await loadPeer("@tensorflow/tfjs-layers");
    const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-7);
    const { add, div, mean, mul, sub } = tf;
    const loss = (): TfTensor => {
      const logits = network(tf, job.config, p, tf.tensor(job.image.data, job.image.shape));
      const target = tf.tensor(job.target.data, job.target.shape);
      // log(1 + e^x) - x·t
      const crossEntropy = mean(sub(tf.softplus(logits), mul(logits, target)));
      const probability = tf.sigmoid(logits);
      const [mp, mt] = [mean(probability), mean(target)];
      const overlap = mean(mul(probability, target));
      const root = tf.sqrt(mul(mul(mp, mt), mul(sub(1, mp), sub(1, mt))));
      const mcc = div(sub(overlap, mul(mp, mt)), root);
      return mul(add(crossEntropy, sub(1, mcc)), 0.5);
    };
    return {
      step: async () => {
        const cost = tf.tidy(() => optimizer.minimize(loss, true));
        const data = await cost.data();
        cost.dispose();
        return data;
      },
      moments: () => {
        const kept = new Map(
          optimizer.accumulatedFirstMoment.map(({ originalName, variable }) => [originalName, variable]),
        );
        return Promise.all(Object.keys(job.parameters).map((name) => kept.get(`${name}/m`)!.data()));
      },
    };
  };
