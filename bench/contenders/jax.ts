// jax-js, compiled by its own WebAssembly backend; in Node it runs on one thread. Its convolution has channels before
// rows. An array is used up by the operation that takes it, unless `.ref` says that it is needed again.
//
// The network runs without `jit`: compiled, a 3x3 convolution of 16 channels on 128x128 takes 210 ms instead of 22,
// for the padded input is worked out again for every tap (version 0.1.25).

import { depthOf, type NetworkConfig } from "@saunet/model";
import type { Job, Prepare, PrepareTraining } from "./contender.ts";
import { type JaxArray as AnyJaxArray, startJax } from "./jax-start.ts";

interface JaxArray extends AnyJaxArray {
  readonly ref: JaxArray;
  readonly shape: number[];
  reshape(shape: readonly number[]): JaxArray;
  transpose(axes: readonly number[]): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
}

interface Reduction {
  readonly keepdims?: boolean;
}

type Tree = Record<string, JaxArray>;

/** What is used of @jax-js/jax. */
interface Jax {
  jit<A extends unknown[], R>(body: (...args: A) => R): (...args: A) => R;
  valueAndGrad<A extends unknown[]>(
    body: (p: Tree, ...args: A) => JaxArray,
  ): (p: Tree, ...args: A) => [JaxArray, Tree];
  readonly numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    concatenate(parts: readonly JaxArray[], axis: number): JaxArray;
    mean(x: JaxArray, axis?: number | readonly number[] | null, options?: Reduction): JaxArray;
    max(x: JaxArray, axis: number | readonly number[], options?: Reduction): JaxArray;
    square(x: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    zerosLike(x: JaxArray): JaxArray;
  };
  readonly lax: {
    convGeneralDilated(
      x: JaxArray,
      w: JaxArray,
      strides: number[],
      padding: "SAME" | [number, number][],
      options?: { lhsDilation?: number[] },
    ): JaxArray;
  };
  readonly nn: {
    sigmoid(x: JaxArray): JaxArray;
    silu(x: JaxArray): JaxArray;
    softplus(x: JaxArray): JaxArray;
  };
}

/** SA-UNetv2 from image `[1,3,H,W]` to logits `[1,1,H,W]`; filters are `[O,C,KH,KW]`. */
function network({ numpy: np, lax, nn }: Jax, config: NetworkConfig, p: Tree, image: JaxArray): JaxArray {
  const byChannel = (name: string) => p[name].ref.reshape([1, -1, 1, 1]);
  const conv = (x: JaxArray, name: string) =>
    lax.convGeneralDilated(x, p[`${name}.filter`].ref, [1, 1], "SAME").add(byChannel(`${name}.bias`));
  const groupNorm = (x: JaxArray, name: string): JaxArray => {
    const shape = x.shape;
    const groups = x.reshape([shape[0], config.groups, -1]);
    const mean = np.mean(groups.ref, 2, { keepdims: true });
    const centred = groups.sub(mean);
    const variance = np.mean(np.square(centred.ref), 2, { keepdims: true });
    const normal = centred.div(np.sqrt(variance.add(1e-3))).reshape(shape);
    return normal.mul(byChannel(`${name}.gamma`)).add(byChannel(`${name}.beta`));
  };
  const unit = (x: JaxArray, stage: string, index: 1 | 2): JaxArray =>
    nn.silu(groupNorm(conv(x, `${stage}.conv${index}`), `${stage}.norm${index}`));
  const gate = (x: JaxArray, maps: readonly JaxArray[], stage: string): JaxArray => {
    const filter = p[`${stage}.attention.filter`].ref;
    return x.mul(nn.sigmoid(lax.convGeneralDilated(np.concatenate(maps, 1), filter, [1, 1], "SAME")));
  };
  const mean = (x: JaxArray) => np.mean(x.ref, 1, { keepdims: true });
  /** A transposed convolution is one with a mirrored filter over an input with zeros between its pixels. */
  const enlarge = (x: JaxArray, name: string): JaxArray => {
    const padding: [number, number][] = [
      [2, 1],
      [2, 1],
    ];
    return lax
      .convGeneralDilated(x, p[`${name}.filter`].ref, [1, 1], padding, { lhsDilation: [2, 2] })
      .add(byChannel(`${name}.bias`));
  };
  const pool = (x: JaxArray): JaxArray => {
    const [N, C, H, W] = x.shape;
    return np.max(x.reshape([N, C, H / 2, 2, W / 2, 2]), [3, 5]);
  };

  const depth = depthOf(config);
  const skips: JaxArray[] = [];
  let f = image;
  for (let stage = 1; stage <= depth; stage++) {
    f = unit(unit(f, `encoder${stage}`, 1), `encoder${stage}`, 2);
    skips.push(f.ref);
    f = pool(f);
  }
  f = unit(f, "bottleneck", 1);
  const maps = [mean(f), np.max(f.ref, 1, { keepdims: true })];
  f = unit(gate(f, maps, "bottleneck"), "bottleneck", 2);
  for (let stage = depth; stage >= 1; stage--) {
    const name = `decoder${stage}`;
    const up = enlarge(f, `${name}.up`);
    const skip = skips.pop() as JaxArray;
    const meanMaps = [mean(skip), mean(up)];
    f = unit(unit(np.concatenate([up, gate(skip, meanMaps, name)], 1), name, 1), name, 2);
  }
  return conv(f, "head");
}

async function start({ parameters, image }: Job): Promise<{ jax: Jax; p: Tree; x: JaxArray }> {
  const jax = await startJax<Jax>();
  const { numpy: np } = jax;
  const p = Object.entries(parameters).map(([name, { data, shape }]) => {
    if (shape.length === 1) return [name, np.array(data, { shape })];
    if (!name.endsWith(".up.filter")) return [name, np.array(data, { shape }).transpose([3, 2, 0, 1])];
    const [KH, KW, O, C] = shape;
    return [name, np.array(mirrored(data, KH * KW, O * C), { shape }).transpose([2, 3, 0, 1])];
  });
  const x = np.array(image.data, { shape: image.shape }).transpose([0, 3, 1, 2]);
  return { jax, p: Object.fromEntries(p), x };
}

/** Inference. */
export const jaxModel: Prepare = async (job) => {
  const { jax, p, x } = await start(job);
  return () => jax.nn.sigmoid(network(jax, job.config, kept(p), x.ref)).data();
};

/** A step of training with the paper's loss and Adam. */
export const jaxTrain: PrepareTraining = async (job) => {
  const { jax, p, x } = await start(job);
  const { numpy: np, nn } = jax;
  const [, H, W] = job.target.shape;
  const target = np.array(job.target.data, { shape: [1, 1, H, W] });
  const loss = jax.valueAndGrad((parameters: Tree, image: JaxArray, t: JaxArray): JaxArray => {
    const logits = network(jax, job.config, parameters, image);
    // log(1 + e^x) - x·t
    const crossEntropy = np.mean(nn.softplus(logits.ref).sub(logits.ref.mul(t.ref)), null);
    const probability = nn.sigmoid(logits);
    const overlap = np.mean(probability.ref.mul(t.ref), null);
    const mp = np.mean(probability, null);
    const mt = np.mean(t, null);
    const product = mp.ref.mul(mt.ref);
    const complements = mp.mul(-1).add(1).mul(mt.mul(-1).add(1));
    const mcc = overlap.sub(product.ref).div(np.sqrt(product.mul(complements)));
    return crossEntropy.mul(0.5).add(mcc.mul(-0.5).add(0.5));
  });
  const update = jax.jit((w: Tree, m: Tree, v: Tree, g: Tree, rate: JaxArray): [Tree, Tree, Tree] => {
    const out: [Tree, Tree, Tree] = [{}, {}, {}];
    for (const name of Object.keys(w)) {
      const mean = m[name].mul(0.9).add(g[name].ref.mul(0.1));
      const square = v[name].mul(0.999).add(np.square(g[name]).mul(0.001));
      const step = mean.ref.mul(rate.ref).div(np.sqrt(square.ref).add(1e-7));
      out[0][name] = w[name].sub(step);
      out[1][name] = mean;
      out[2][name] = square;
    }
    return out;
  });
  const zeros = (): Tree =>
    Object.fromEntries(Object.entries(p).map(([name, a]) => [name, np.zerosLike(a.ref)]));
  let [w, m, v] = [p, zeros(), zeros()];
  let step = 0;
  return {
    step: async () => {
      step++;
      const rate = (1e-3 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
      const [value, gradients] = loss(kept(w), x.ref, target.ref);
      [w, m, v] = update(w, m, v, gradients, np.array(Float32Array.of(rate), { shape: [] }));
      return value.data();
    },
    moments: () => Promise.all(Object.keys(p).map((name) => inOurLayout(name, m[name].ref))),
  };
};

/** A parameter, or what belongs to it, in the layout that it came in. */
async function inOurLayout(name: string, array: JaxArray): Promise<Float32Array> {
  if (array.shape.length === 1) return array.data();
  if (!name.endsWith(".up.filter")) return array.transpose([2, 3, 1, 0]).data();
  const [O, C, KH, KW] = array.shape;
  return mirrored(await array.transpose([2, 3, 0, 1]).data(), KH * KW, O * C);
}

/** The taps of a filter in the opposite order. */
function mirrored(data: Float32Array, taps: number, size: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let tap = 0; tap < taps; tap++)
    out.set(data.subarray(tap * size, (tap + 1) * size), (taps - 1 - tap) * size);
  return out;
}

/** The same arrays once more, for a function that uses its arguments up. */
function kept(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).map(([name, a]) => [name, a.ref]));
}
