// Optimisers: kernels over plain state, driven by a short loop. What changes from step to step (learning rate, step
// count) lies in arrays, so that a captured step can be replayed with other values.
//
//   sgd    v ← momentum·v - rate·g;  w ← w + v          (nesterov: w ← w + momentum·v - rate·g)
//   adam   m ← m + (1-β1)(g - m);  v ← v + (1-β2)(g² - v);  w ← w - rate·sqrt(1-β2^t)/(1-β1^t) · m / (sqrt(v) + ε)
//   adamW  the same after w ← w - rate·decay·w           (Loshchilov and Hutter, ICLR 2019)
//
// The forms are Keras 2.12's (keras/optimizers/sgd.py, adam.py, adamw.py): ε = 1e-7 stands outside the bias
// correction ("epsilon hat" in Kingma and Ba, ICLR 2015), where PyTorch puts 1e-8 inside.

import { expectBetween, expectOptions, kindOf } from "./errors.ts";
import { type Floats, kernel } from "./kernel.ts";
import { allocate, asTensor, Tensor, zeros } from "./tensor.ts";

/** Parameters, and running statistics, by path name such as `encoder1.conv1.filter`. */
export type Parameters = Readonly<Record<string, Tensor>>;

/** Changes parameters along their gradients. */
export interface Optimizer {
  /** One element: may be changed between steps. */
  readonly learningRate: Float32Array;
  /** Everything that a resumed run needs, by name: step count and moments. Change it in place to restore a run. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Applies the gradients that `backward` left, then forgets them. Parameters without a gradient stay as they are. */
  step(): void;
}

type Hyper = {
  /** `[learning rate]` */
  rate: Floats;
};

/** One SGD step. */
export const sgdUpdate = kernel(
  "sgd.update",
  { w: "update", velocity: "update", g: "read", rate: "read" },
  (
    { w, velocity, g, rate }: Hyper & { w: Floats; velocity: Floats; g: Floats },
    { momentum, nesterov }: { momentum: number; nesterov: boolean },
  ) => {
    for (let i = 0; i < w.length; i++) {
      const move = momentum * velocity[i] - rate[0] * g[i];
      velocity[i] = move;
      w[i] += nesterov ? momentum * move - rate[0] * g[i] : move;
    }
  },
);

/** The constants of Adam. */
export type AdamDims = Required<Omit<AdamOptions, "learningRate">>;

/** One Adam or AdamW step; `count` holds the number of this step, 1 at first. */
export const adamUpdate = kernel(
  "adam.update",
  { w: "update", m: "update", v: "update", g: "read", rate: "read", count: "read" },
  (
    { w, m, v, g, rate, count }: Hyper & { w: Floats; m: Floats; v: Floats; g: Floats; count: Floats },
    { beta1, beta2, epsilon, weightDecay }: AdamDims,
  ) => {
    const alpha = (rate[0] * Math.sqrt(1 - beta2 ** count[0])) / (1 - beta1 ** count[0]);
    for (let i = 0; i < w.length; i++) {
      m[i] += (g[i] - m[i]) * (1 - beta1);
      v[i] += (g[i] * g[i] - v[i]) * (1 - beta2);
      w[i] -= weightDecay * rate[0] * w[i] + (alpha * m[i]) / (Math.sqrt(v[i]) + epsilon);
    }
  },
);

/** Adds 1 to a step count. */
export const countStep = kernel("optimizer.count", { count: "update" }, ({ count }: { count: Floats }) => {
  count[0] += 1;
});

function optimizer(
  parameters: Parameters,
  learningRate: number,
  moments: readonly string[],
  update: (w: Tensor, moments: readonly Tensor[], rate: Float32Array, count: Float32Array) => void,
): Optimizer {
  expectBetween("optimizer", "learningRate", learningRate, 0, Number.MAX_VALUE);
  const trained = Object.entries(parameters).filter(([, { requiresGrad }]) => requiresGrad);
  const rate = new Float32Array([learningRate]);
  const count = zeros([1]);
  const state: Record<string, Tensor> = { count };
  const momentsOf = trained.map(([name, w]) =>
    moments.map((moment) => {
      state[`${moment}.${name}`] = zeros(w.shape);
      return state[`${moment}.${name}`];
    }),
  );
  return {
    learningRate: rate,
    state,
    step() {
      countStep({ count: count.data }, undefined);
      trained.forEach(([, w], i) => {
        if (w.grad === undefined) return;
        update(w, momentsOf[i], rate, count.data);
        w.grad = undefined;
      });
    },
  };
}

/** Throws unless there is something to train; tensors that do not learn may stand beside those that do. */
function expectParameters(op: string, parameters: Parameters): void {
  if (typeof parameters !== "object" || parameters === null || ArrayBuffer.isView(parameters.data))
    throw new TypeError(`${op}: parameters must be a record such as { w } but is ${kindOf(parameters)}`);
  if (Array.isArray(parameters))
    throw new TypeError(
      `${op}: parameters must be a record such as { w } but is a list; names identify its state`,
    );
  const entries = Object.entries(parameters);
  for (const [name, w] of entries) asTensor(op, name, w);
  if (entries.length > 0 && !entries.some(([, { requiresGrad }]) => requiresGrad))
    throw new TypeError(
      `${op}: none of ${Object.keys(parameters)} learns; parameter() makes tensors that do`,
    );
}

/**
 * Stochastic gradient descent.
 *
 * @throws RangeError where the momentum is not from 0 to 1; TypeError where `parameters` is no record of tensors, or none of
 *   them learns, and on an unknown option
 * @example
 * const w = parameter(tensor([1]));
 * const descend = sgd({ w }, { learningRate: 0.1 });
 * backward(mul(w, w));
 * descend.step();
 * console.log(w.data[0].toFixed(2)); // 0.80
 */
export function sgd(
  parameters: Parameters,
  options: { learningRate?: number; momentum?: number; nesterov?: boolean } = {},
): Optimizer {
  expectOptions("sgd", options, ["learningRate", "momentum", "nesterov"]);
  expectParameters("sgd", parameters);
  const { learningRate = 0.01, momentum = 0, nesterov = false } = options;
  expectBetween("sgd", "momentum", momentum, 0, 1);
  return optimizer(parameters, learningRate, ["velocity"], (w, [velocity], rate) =>
    sgdUpdate({ w: w.data, velocity: velocity.data, g: w.grad!, rate }, { momentum, nesterov }),
  );
}

/** Options of {@link adam} and {@link adamW}. */
export interface AdamOptions {
  readonly learningRate?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Share of the learning rate by which weights shrink at each step; 0 for {@link adam}, 0.004 for {@link adamW}. */
  readonly weightDecay?: number;
}

/**
 * Adam, as Keras writes it.
 *
 * @throws RangeError where a beta is not from 0 to below 1, or another option is negative; TypeError where `parameters` is
 *   no record of tensors, or none of them learns, and on an unknown option
 * @example
 * const w = parameter(tensor([1]));
 * const descend = adam({ w }, { learningRate: 0.1 });
 * backward(mul(w, w));
 * descend.step();
 * console.log(w.data[0].toFixed(2)); // 0.90
 */
export function adam(parameters: Parameters, options: AdamOptions = {}): Optimizer {
  expectOptions("adam", options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay"]);
  expectParameters("adam", parameters);
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 } = options;
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    if (!(value >= 0 && value < 1))
      throw new RangeError(`adam: ${name} must be at least 0 and below 1 but is ${value}`);
  }
  expectBetween("adam", "epsilon", epsilon, 0, Number.MAX_VALUE);
  expectBetween("adam", "weightDecay", weightDecay, 0, Number.MAX_VALUE);
  const dims = { beta1, beta2, epsilon, weightDecay };
  return optimizer(parameters, learningRate, ["m", "v"], (w, [m, v], rate, count) =>
    adamUpdate({ w: w.data, m: m.data, v: v.data, g: w.grad!, rate, count }, dims),
  );
}

/**
 * Adam with decoupled weight decay.
 *
 * @throws RangeError as {@link adam}
 * @example
 * const w = parameter(tensor([1]));
 * const optimizer = adamW({ w }, { learningRate: 0.1, weightDecay: 0.5 });
 * backward(sum(mul(w, w)));
 * optimizer.step();
 * console.log(w.data[0].toFixed(2)); // 0.85
 */
export function adamW(parameters: Parameters, options: AdamOptions = {}): Optimizer {
  return adam(parameters, { ...options, weightDecay: options.weightDecay ?? 0.004 });
}

/** Adds the squares of `g` to `out[0]`. */
export const addSquares = kernel(
  "clip.squares",
  { out: "update", g: "read" },
  ({ out, g }: { out: Floats; g: Floats }) => {
    let sum = 0;
    for (let i = 0; i < g.length; i++) sum += g[i] * g[i];
    out[0] += sum;
  },
);

/** `out = g · min(1, limit / sqrt(squares[0]))`. */
export const scaleToNorm = kernel(
  "clip.scale",
  { out: "write", g: "read", squares: "read" },
  ({ out, g, squares }: { out: Floats; g: Floats; squares: Floats }, { limit }: { limit: number }) => {
    const norm = Math.sqrt(squares[0]);
    const scale = norm > limit ? limit / norm : 1;
    for (let i = 0; i < g.length; i++) out[i] = g[i] * scale;
  },
);

/** `out = 0`. */
export const fillZero = kernel("fill.zero", { out: "write" }, ({ out }: { out: Floats }) => {
  out.fill(0);
});

/**
 * Shrinks all gradients together so that their joint Euclidean norm is at most `limit`.
 *
 * @returns one element: the squared norm before clipping
 * @throws RangeError where the limit is no number of at least 0
 * @example
 * const w = parameter(tensor([3, 4]));
 * backward(sum(mul(w, w)));
 * console.log(clipGlobalNorm({ w }, 1).item(), w.grad?.[0].toFixed(2)); // 100 0.60
 */
export function clipGlobalNorm(parameters: Parameters, limit: number): Tensor {
  expectBetween("clipGlobalNorm", "limit", limit, 0, Number.MAX_VALUE);
  const squares = new Tensor(allocate(1), [1]);
  fillZero({ out: squares.data }, undefined);
  const learning = Object.values(parameters).filter(({ grad }) => grad !== undefined);
  for (const { grad } of learning) addSquares({ out: squares.data, g: grad! }, undefined);
  for (const w of learning) {
    const out = allocate(w.size);
    scaleToNorm({ out, g: w.grad!, squares: squares.data }, { limit });
    w.grad = out;
  }
  return squares;
}
