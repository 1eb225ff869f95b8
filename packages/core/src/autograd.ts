// Reverse-mode differentiation. An operator that has computed its result calls `record` with a closure that hands
// the gradient of the result on to its inputs; `backward` calls those closures, newest first.
//
// A gradient array is never changed once it has been handed over. That is why `add` may pass one array to both of
// its inputs, and why a second gradient for the same tensor makes a new sum instead of adding in place. What stays
// when all is done, the gradients of leaves, belongs to each of them alone.

import { expectShape, formatShape } from "./errors.ts";
import { type Floats, kernel } from "./kernel.ts";
import { shared } from "./shared.ts";
import { allocate, asTensor, type History, type Tensor } from "./tensor.ts";

const state = /* @__PURE__ */ shared("autograd", () => ({ recording: true, executed: 0 }));

/**
 * Runs `body` without recording: results carry no history, so nothing is kept for a backward pass.
 *
 * @example
 * const w = parameter(tensor([2]));
 * console.log(noGrad(() => mul(w, w)).requiresGrad, mul(w, w).requiresGrad); // false true
 */
export function noGrad<T>(body: () => T): T {
  const previous = state.recording;
  state.recording = false;
  try {
    return body();
  } finally {
    state.recording = previous;
  }
}

/**
 * Notes how the gradient of `result` reaches `inputs`, if any of them needs one.
 *
 * @param backward receives d loss / d result and calls {@link contribute} for the inputs
 * @returns `result`, so that an operator can end with `return record(…)`
 * @example
 * const double = (x: Tensor) => {
 *   const y = new Tensor(x.data.map((value) => 2 * value), x.shape);
 *   return record("double", y, [x], (gy) =>
 *     contribute([x], (gx) => gx.set(gy.map((value) => 2 * value))),
 *   );
 * };
 * const w = parameter(tensor([5]));
 * backward(sum(double(w)));
 * console.log(w.grad); // Float32Array(1) [ 2 ]
 */
export function record(
  op: string,
  result: Tensor,
  inputs: readonly Tensor[],
  backward: (gradient: Float32Array) => void,
): Tensor {
  if (!state.recording || !inputs.some((input) => input.requiresGrad)) return result;
  result.requiresGrad = true;
  result.history = { op, inputs, order: state.executed++, backward };
  return result;
}

/** `out = a + b`: what a tensor with two consumers receives. */
export const sumOfGradients = kernel(
  "gradient.sum",
  { out: "write", a: "read", b: "read" },
  ({ out, a, b }: { out: Floats; a: Floats; b: Floats }) => {
    for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i];
  },
  { inPlace: { out: "a" } },
);

/** `out = g`: the gradient of a leaf, where others hold the array that it came in. */
export const copyOfGradient = kernel(
  "gradient.copy",
  { out: "write", g: "read" },
  ({ out, g }: { out: Floats; g: Floats }) => out.set(g),
);

/**
 * Gives `tensors` their share of a gradient: allocates one array for each, lets `write` fill them all, and adds
 * them to what the tensors already received. Nothing is computed when none of them needs a gradient.
 *
 * @example
 * // inside relu: d loss / d x = gradient where x > 0
 * // record("relu", out, [x], (gradient) => contribute([x], (gx) => gradientOfRelu({ gx, gradient, x: x.data }, dims)));
 */
export function contribute(tensors: readonly Tensor[], write: (...gradients: Float32Array[]) => void): void {
  if (!tensors.some((tensor) => tensor.requiresGrad)) return;
  const gradients = tensors.map((tensor) => allocate(tensor.size));
  write(...gradients);
  tensors.forEach((tensor, i) => {
    receive(tensor, gradients[i], true);
  });
}

/**
 * Hands a gradient array to a tensor as it is, where the derivative is 1. A leaf gets a copy of its own.
 *
 * @example
 * const w = parameter(tensor([1, 2]));
 * const y = record("same", new Tensor(w.data, w.shape), [w], (gy) => pass(w, gy));
 * backward(sum(y));
 * console.log(w.grad); // Float32Array(2) [ 1, 1 ]
 */
export function pass(tensor: Tensor, gradient: Float32Array): void {
  receive(tensor, gradient, tensor.history !== undefined);
}

/** @param mayKeep whether the array is for this tensor alone, or the tensor is none that keeps it */
function receive(tensor: Tensor, gradient: Float32Array, mayKeep: boolean): void {
  if (!tensor.requiresGrad) return;
  if (tensor.grad === undefined && mayKeep) {
    tensor.grad = gradient;
    return;
  }
  const out = allocate(tensor.size);
  if (tensor.grad === undefined) copyOfGradient({ out, g: gradient }, undefined);
  else sumOfGradients({ out, a: tensor.grad, b: gradient }, undefined);
  tensor.grad = out;
}

/**
 * Computes d loss / d tensor for every tensor that led to `loss` and requires a gradient. Gradients of parameters
 * add up over calls until they are set to `undefined`; what lies between is freed as soon as it has been used.
 *
 * @param loss a tensor of one element, unless `gradient` is given
 * @param gradient d something / d loss, in the shape of `loss`; default 1
 * @throws Error when the graph has been used before, or nothing that led to `loss` requires a gradient
 * @example
 * const w = parameter(tensor([3]));
 * backward(mul(w, w));
 * console.log(w.grad); // Float32Array(1) [ 6 ]
 */
export function backward(loss: Tensor, gradient?: Tensor): void {
  loss = asTensor("backward", "loss", loss);
  if (gradient !== undefined)
    expectShape("backward", "gradient", asTensor("backward", "gradient", gradient).shape, loss.shape);
  else if (loss.size !== 1) {
    throw new RangeError(
      `backward: loss must have one element but is ${formatShape(loss.shape)}; give a gradient for it`,
    );
  }
  if (loss.history === undefined) {
    throw new Error(
      "backward: nothing that requires a gradient led to loss (was it computed inside noGrad?)",
    );
  }
  const seed = gradient?.data ?? allocate(1).fill(1);
  pass(loss, seed);
  for (const result of resultsNewestFirst(loss)) {
    const history = result.history as History;
    const ownGradient = result.grad;
    const flowBack = history.backward!;
    history.backward = undefined;
    history.inputs = [];
    result.grad = undefined;
    if (ownGradient !== undefined) flowBack(ownGradient);
  }
}

/** Every result that `loss` was computed from, in reverse order of execution. No recursion: graphs are deep. */
function resultsNewestFirst(loss: Tensor): Tensor[] {
  const found = new Set<Tensor>([loss]);
  for (const result of found) {
    const history = result.history as History;
    if (history.backward === undefined) {
      throw new Error(
        `backward: the graph behind ${history.op} was used before and is freed; compute the loss again`,
      );
    }
    for (const input of history.inputs) if (input.history !== undefined) found.add(input);
  }
  return [...found].sort((a, b) => b.history!.order - a.history!.order);
}
