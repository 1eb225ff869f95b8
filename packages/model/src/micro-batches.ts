// A step on a batch that is too large to be in memory at once, exact: the gradient of the whole batch, a few pictures at a time.
//
// Only three things in a step see more than one picture: the averages that the loss is made of, the scale of each DropBlock
// (one over the share of elements that stay), and the sum of the gradients. With pictures in parts of n_k of N:
//
//   1. draw:     each DropBlock's masks, part by part; scale = N / Σ n_k / scale_k
//   2. forward:  without gradients; averages a = Σ (n_k / N) a_k, loss = f(a), slopes s = f'(a)
//   3. backward: forward again, then the gradient of (n_k / N) s·a_k, which is the loss's own by the chain rule; summed up
//   4. update:   clip, optimiser
//
// DropBlocks draw from their stream layer by layer, and within a layer picture by picture. So each layer has a stream of its
// own here, which begins where that layer's turn would come, and every part finds the words that the whole batch has for it.

import {
  add,
  backward,
  capture,
  clipGlobalNorm,
  type DropBlockOptions,
  dropBlock,
  mul,
  noGrad,
  ones,
  parameter,
  prepare,
  type RandomState,
  type Runnable,
  sum,
  Tensor,
  zeros,
} from "@saunet/core";
import {
  allocateMask,
  copyOfGradient,
  type DropBlockDims,
  dropBlockDims,
  dropBlockDraw,
  dropBlockScale,
  empty,
  gapLimits,
  skipWords,
  wordPairs,
} from "@saunet/core/kernels";
import type { LossOfAverages } from "./losses.ts";
import { forward } from "./network.ts";
import type { Batch, TrainingStep } from "./train.ts";

/** A step on batches of one shape. */
export interface PreparedStep {
  /** One step; the loss before the update. */
  run(batch: Batch): Promise<Tensor>;
  release(): void;
}

/** One DropBlock of the network. */
interface Layer {
  /** Of one picture. */
  readonly dims: DropBlockDims;
  /** Where its draws come from. */
  readonly state: RandomState;
  /** Of the whole batch. */
  readonly scale: Tensor;
}

/** The programs for parts of one size. */
interface Parts {
  readonly draw: Runnable;
  readonly forward: Runnable;
  readonly backward: Runnable;
}

/** Pictures of a batch in parts of at most `pictures`; they share its memory. */
export function partsOf({ x, target }: Batch, pictures: number): Batch[] {
  const N = x.shape[0];
  const rows = ({ data, shape: [, ...rest] }: Tensor, from: number, to: number) => {
    const one = data.length / N;
    return new Tensor(data.subarray(from * one, to * one), [to - from, ...rest]);
  };
  return Array.from({ length: Math.ceil(N / pictures) }, (_, part) => {
    const [from, to] = [part * pictures, Math.min(N, (part + 1) * pictures)];
    return { x: rows(x, from, to), target: rows(target, from, to) };
  });
}

/**
 * Prepares steps on batches of this shape, `pictures` of them in memory at a time.
 *
 * @throws TypeError where a loss is none of averages, or the network normalises by the batch: a part then is not the whole
 */
export function prepareMicroBatches(step: TrainingStep, batch: Batch, pictures: number): PreparedStep {
  const { parameters, random } = step;
  const loss = divisible(step);
  const [N, H, W] = batch.x.shape;
  const learning = Object.values(parameters).filter(({ requiresGrad }) => requiresGrad);
  const totals = learning.map(({ shape }) => zeros(shape));
  const layers: Layer[] = [];
  const averagesOf = ({ x, target }: Batch) => loss.averages(forwardBy(step, layers, x), target);

  // Parts of the same size share their programs: there is one size, and that of the last part where it is smaller.
  const ofSize = new Map(partsOf(batch, pictures).map((part) => [part.x.shape[0], part]));
  const examples = [...ofSize.values()];
  const asPart = ([x, target]: readonly Tensor[]): Batch => ({ x, target });
  const captured = (body: (part: Batch) => readonly Tensor[], { x, target }: Batch) =>
    prepare(capture((inputs) => body(asPart(inputs)), [x, target]));

  // The first one meets the layers.
  const forwards = examples.map((part) => captured((inputs) => noGrad(() => averagesOf(inputs)), part));
  /** d loss / d average, of the batch at hand. */
  const slopes = forwards[0].program.outputs.map(({ shape }) => zeros(shape));

  /** Adds the gradients of a part to the totals. */
  const addGradients = (part: Batch): readonly Tensor[] => {
    learning.forEach((w, i) => {
      w.grad = totals[i].data;
    });
    const projected = averagesOf(part).map((average, i) => sum(mul(average, slopes[i])));
    backward(mul(projected.reduce(add), part.x.shape[0] / N));
    learning.forEach((w, i) => {
      copyOfGradient({ out: totals[i].data, g: w.grad as Float32Array }, undefined);
      w.grad = undefined;
    });
    return [];
  };
  const programs = new Map(
    examples.map((part, i) => {
      const count = part.x.shape[0];
      const draw = prepare(capture(() => layers.map((layer) => drawnScale(layer, count)), []));
      return [count, { draw, forward: forwards[i], backward: captured(addGradients, part) }];
    }),
  );
  const update = prepare(capture(() => updateBy(step, learning, totals), []));

  return {
    async run(whole) {
      const parts = partsOf(whole, pictures).map((part) => ({
        inputs: [part.x, part.target],
        share: part.x.shape[0] / N,
        by: programs.get(part.x.shape[0]) as Parts,
      }));
      const end = random.slice();
      const starts = layers.map(({ dims }) => {
        const start = end.slice();
        skipWords(end, N * wordPairs(dims));
        return start;
      });
      const rewind = () => {
        layers.forEach(({ state }, i) => {
          state.set(starts[i]);
        });
      };

      rewind();
      const stay = layers.map(() => 0);
      for (const { by, share } of parts)
        (await by.draw.run([])).forEach((scale, i) => {
          stay[i] += scale.data[0] === 0 ? 0 : share / scale.data[0];
        });
      layers.forEach(({ scale }, i) => {
        scale.data[0] = stay[i] === 0 ? 0 : 1 / stay[i];
      });

      rewind();
      const averages = slopes.map(({ shape }) => parameter(zeros(shape)));
      const sums = averages.map(({ size }) => new Float64Array(size));
      for (const { by, inputs, share } of parts)
        (await by.forward.run(inputs)).forEach(({ data }, i) => {
          data.forEach((value, k) => {
            sums[i][k] += share * value;
          });
        });
      averages.forEach(({ data }, i) => {
        data.set(sums[i]);
      });
      // Times one: cross entropy is its average itself, and a gradient needs a result.
      const value = mul(loss.ofAverages(averages, N * H * W), 1);
      backward(value);
      averages.forEach(({ grad }, i) => {
        slopes[i].data.set(grad ?? new Float32Array(slopes[i].size));
      });

      rewind();
      for (const { data } of totals) data.fill(0);
      for (const { by, inputs } of parts) await by.backward.run(inputs);
      await update.run([]);
      random.set(end);
      return value;
    },
    release() {
      for (const part of programs.values()) for (const program of Object.values(part)) program.release();
      update.release();
    },
  };
}

/** The loss of a step that can be taken a part at a time. */
function divisible({ config, loss }: TrainingStep): LossOfAverages {
  if (!("ofAverages" in loss))
    throw new TypeError(
      "train: microBatch wants a loss of averages, such as paperLoss(), but this one has no `ofAverages`",
    );
  if (config.normalization === "batch")
    throw new TypeError(
      `train: microBatch does not go with ${config.name}: batch normalisation takes its statistics from the whole batch`,
    );
  return loss as LossOfAverages;
}

/** The forward pass of a part; the first one notes the layers. */
function forwardBy({ config, parameters, random }: TrainingStep, layers: Layer[], x: Tensor): Tensor {
  let turn = 0;
  const drop = (f: Tensor, options: DropBlockOptions): Tensor => {
    if (layers.length === turn) {
      const dims = dropBlockDims([1, ...f.shape.slice(1)], options);
      layers.push({ dims, state: random.slice(), scale: ones([1]) });
    }
    const { state, scale } = layers[turn++];
    return dropBlock(f, state, { ...options, scale });
  };
  return forward(config, parameters, x, { training: true, drop });
}

/** What `count` pictures alone would be scaled by. */
function drawnScale({ dims: one, state }: Layer, count: number): Tensor {
  const dims = { ...one, N: count };
  const mask = allocateMask(dims);
  dropBlockDraw({ mask, limits: gapLimits(1 - dims.keepRate), state }, dims);
  const scale = empty([1]);
  dropBlockScale({ scale: scale.data, mask }, dims);
  return scale;
}

function updateBy(
  { parameters, optimizer, clipNorm }: TrainingStep,
  learning: readonly Tensor[],
  totals: readonly Tensor[],
): readonly Tensor[] {
  learning.forEach((w, i) => {
    w.grad = totals[i].data;
  });
  if (clipNorm !== undefined) clipGlobalNorm(parameters, clipNorm);
  optimizer.step();
  return [];
}
