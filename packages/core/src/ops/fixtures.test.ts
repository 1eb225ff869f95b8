// Every operator against the numbers of TensorFlow or PyTorch (fixtures/README.md says what a file holds), and on the same cases
// every kernel against the roles that it declares.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import "../index.ts";
import { type FlatArray, intercept, type KernelCall, kernelNames, withReferences } from "../kernel.ts";
import { adam, adamW, clipGlobalNorm, type Optimizer, type Parameters, sgd } from "../optimizers.ts";
import { normal, randomState } from "../random.ts";
import { readSafetensors } from "../safetensors.ts";
import { ones, parameter, Tensor } from "../tensor.ts";
import { expectClose, maskFromNoise } from "../testing.ts";
import { relu, sigmoid, silu } from "./activation.ts";
import { argmax } from "./argmax.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { avgPool2d } from "./avg-pool2d.ts";
import { batchNorm } from "./batch-norm.ts";
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./comparison.ts";
import { convTranspose2d } from "./conv-transpose2d.ts";
import { conv1d } from "./conv1d.ts";
import { conv2d } from "./conv2d.ts";
import { cumsum } from "./cumsum.ts";
import { dropBlock, dropBlockDims, dropMasked } from "./drop-block.ts";
import { dropout } from "./dropout.ts";
import { maximum, minimum } from "./extremes.ts";
import { gather } from "./gather.ts";
import { type GeluOptions, gelu } from "./gelu.ts";
import { groupNorm } from "./group-norm.ts";
import { layerNorm } from "./layer-norm.ts";
import { leakyRelu } from "./leaky-relu.ts";
import { sigmoidCrossEntropy } from "./losses.ts";
import { dense, type MatmulOptions, matmul } from "./matmul.ts";
import { max } from "./max.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { concat, pad, slice, transpose } from "./movement.ts";
import { norm } from "./norm.ts";
import { oneHot } from "./one-hot.ts";
import { resize } from "./resize.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.ts";
import { broadcastTo, mean, sum } from "./sum.ts";
import { abs, clip, exp, log, neg, pow, sqrt, tanh } from "./unary.ts";
import { variance } from "./variance.ts";
import { where } from "./where.ts";

type Tensors = Record<string, Tensor>;
/** An operator over a case's tensors by name; what it returns beside `out` is compared under its name too. */
type Operation = (tensors: Tensors, options: never) => Tensor | (Tensors & { out: Tensor });

/** The parameter after each step along the rows of `g`. */
function descend(make: (parameters: Parameters, options: object) => Optimizer): Operation {
  return ({ w0, g }, options) => {
    const w = parameter(w0);
    const optimizer = make({ w }, options);
    const [steps, size] = g.shape;
    const rows = Array.from({ length: steps }, (_, step) => {
      w.grad = g.data.slice(step * size, (step + 1) * size);
      optimizer.step();
      return copy(w);
    });
    return new Tensor(Float32Array.from(rows.flatMap(({ data }) => [...data])), g.shape);
  };
}

/** Operators by file and, where a file holds several, by the `op` (or `optimizer`) of a case. */
const operations: Record<string, Operation | Record<string, Operation>> = {
  accumulation: {
    cumsum: ({ x }, { axis, reverse }: { axis: number; reverse: boolean }) => cumsum(x, axis, { reverse }),
    norm: ({ x }, { order, ...over }: { order: number | "inf" }) =>
      norm(x, { ...over, order: order === "inf" ? Number.POSITIVE_INFINITY : order }),
  },
  "avg-pool2d": ({ x }, options) => avgPool2d(x, options),
  "batch-norm": ({ x, gamma, beta, moving_mean, moving_variance }, options) => {
    const running = { mean: copy(moving_mean), variance: copy(moving_variance) };
    const out = batchNorm(x, gamma, beta, running, options);
    return { out, new_moving_mean: running.mean, new_moving_variance: running.variance };
  },
  binary: {
    add: ({ a, b }) => add(a, b),
    sub: ({ a, b }) => sub(a, b),
    mul: ({ a, b }) => mul(a, b),
    div: ({ a, b }) => div(a, b),
  },
  activations: {
    leakyRelu: ({ x }, { slope = 0.01 }: { slope?: number }) => leakyRelu(x, { slope }),
    gelu: ({ x }, { approximate = "none" }: GeluOptions) => gelu(x, { approximate }),
  },
  choice: {
    minimum: ({ a, b }) => minimum(a, b),
    maximum: ({ a, b }) => maximum(a, b),
    greater: ({ a, b }) => greater(a, b),
    greaterEqual: ({ a, b }) => greaterEqual(a, b),
    less: ({ a, b }) => less(a, b),
    lessEqual: ({ a, b }) => lessEqual(a, b),
    equal: ({ a, b }) => equal(a, b),
    notEqual: ({ a, b }) => notEqual(a, b),
    where: ({ c, a, b }) => where(c, a, b),
  },
  "conv-transpose2d": ({ x, w, b }, options) => convTranspose2d(x, w, b, options),
  conv2d: ({ x, w, b }, options) => conv2d(x, w, b, options),
  "drop-block": ({ x, noise }, options) => {
    const d = dropBlockDims(x.shape, options);
    return dropMasked(x, maskFromNoise(noise.data, d), d);
  },
  "group-norm": ({ x, gamma, beta }, options) => groupNorm(x, gamma, beta, options),
  "grouped-conv2d": {
    conv2d: ({ x, w, b }, options) => conv2d(x, w, b, options),
    conv1d: ({ x, w, b }, options) => conv1d(x, w, b, options),
  },
  indexing: {
    gather: ({ x, indices }, { axis }: { axis: number }) => gather(x, indices, axis),
    argmax: ({ x }, { axis }: { axis: number }) => argmax(x, axis),
    oneHot: ({ indices }, { classes }: { classes: number }) => oneHot(indices, classes),
  },
  "layer-norm": ({ x, gamma, beta }, options) => layerNorm(x, gamma, beta, options),
  losses: {
    // The Matthews loss and the sum of both are compositions of @saunet/model, compared there.
    sigmoidCrossEntropy: ({ logits, target }) => mean(sigmoidCrossEntropy(logits, target)),
  },
  matmul: {
    matmul: ({ a, b }, { transposeA = false, transposeB = false }: MatmulOptions) =>
      matmul(a, b, { transposeA, transposeB }),
    dense: ({ x, w, b }) => dense(x, w, b),
  },
  "max-pool2d": ({ x }, options) => maxPool2d(x, options),
  movement: {
    transpose: ({ x }, { axes }: { axes: number[] }) => transpose(x, axes),
    concat: ({ a, b, c }, { axis }: { axis: number }) => concat(c === undefined ? [a, b] : [a, b, c], axis),
    slice: ({ x }, { begin, size }: { begin: number[]; size: number[] }) => slice(x, begin, size),
    pad: ({ x }, { paddings }: { paddings: [number, number][] }) => pad(x, paddings),
  },
  optimizers: { adam: descend(adam), adamW: descend(adamW), sgd: descend(sgd) },
  reduce: {
    sum: ({ x }, over) => sum(x, over),
    mean: ({ x }, over) => mean(x, over),
    max: ({ x }, over) => max(x, over),
    variance: ({ x }, over) => variance(x, over),
  },
  resize: ({ x }, { size, ...options }: { size: [number, number]; method: "nearest" }) =>
    resize(x, size, options),
  softmax: {
    softmax: ({ x }, { axis }: { axis: number }) => softmax(x, axis),
    logSoftmax: ({ x }, { axis }: { axis: number }) => logSoftmax(x, axis),
    softmaxCrossEntropy: ({ logits, target }, options) => softmaxCrossEntropy(logits, target, options),
  },
  unary: {
    neg: ({ x }) => neg(x),
    exp: ({ x }) => exp(x),
    log: ({ x }) => log(x),
    sqrt: ({ x }) => sqrt(x),
    abs: ({ x }) => abs(x),
    relu: ({ x }) => relu(x),
    silu: ({ x }) => silu(x),
    sigmoid: ({ x }) => sigmoid(x),
    tanh: ({ x }) => tanh(x),
    pow: ({ x }, { exponent }: { exponent: number }) => pow(x, exponent),
    clip: ({ x }, bounds) => clip(x, bounds),
  },
};

const copy = (x: Tensor): Tensor => new Tensor(x.data.slice(), x.shape);

interface Case {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly options: object;
  readonly operation: Operation;
  /** Inputs, results and gradients of this case, by name. */
  readonly tensors: Tensors;
}

function casesOf(file: string): Case[] {
  const url = new URL(`../../../../fixtures/ops/${file}.safetensors`, import.meta.url);
  const { tensors, metadata } = readSafetensors(readFileSync(url));
  const cases: (Omit<Case, "operation" | "tensors"> & { options: { op?: string; optimizer?: string } })[] =
    JSON.parse(metadata.cases);
  return cases.flatMap((each) => {
    const entry = operations[file];
    const { op, optimizer, ...options } = each.options;
    const operation = typeof entry === "function" ? entry : entry[op ?? optimizer ?? ""];
    if (operation === undefined) return [];
    const own = Object.entries(tensors).filter(([name]) => name.startsWith(`${each.name}.`));
    const named = own.map(([name, tensor]) => [name.slice(each.name.length + 1), tensor]);
    return [{ ...each, options, operation, tensors: Object.fromEntries(named) }];
  });
}

/** Runs a case forward and back: everything the fixture holds a number for, by the name it has there. */
function run({ inputs, options, operation, tensors }: Case): Tensors {
  const given: Tensors = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const differentiated = inputs.includes(name) && `g_${name}` in tensors;
    given[name] = differentiated ? parameter(copy(tensor)) : copy(tensor);
  }
  const result = operation(given, options as never);
  const results: Tensors = result instanceof Tensor ? { out: result } : result;
  if (given.gy !== undefined) backward(results.out, given.gy);
  for (const name of inputs) {
    const { grad, shape } = given[name];
    if (grad !== undefined) results[`g_${name}`] = new Tensor(grad, shape);
  }
  return results;
}

describe.each(Object.keys(operations))("the numbers of TensorFlow or PyTorch: %s", (file) => {
  it.each(casesOf(file).map((each) => [each.name, each] as const))("%s", (_, each) => {
    const wanted = Object.keys(each.tensors).filter((name) => /^(out|g_.*|new_.*)$/.test(name));
    for (const results of [run(each), withReferences(() => run(each))]) {
      expect(Object.keys(results).sort()).toEqual(wanted.sort());
      for (const name of wanted) {
        expect(results[name].shape).toEqual(each.tensors[name].shape);
        expectClose(results[name], each.tensors[name], 1e-5);
      }
    }
  });
});

const bytesOf = (array: FlatArray): Buffer => Buffer.from(array.slice().buffer);

/**
 * Runs each form of a kernel twice, its written arrays filled with different rubbish, and holds it to its roles: what
 * it reads stays as it is, what it writes is written whole and does not depend on what was there.
 */
function checkRoles({ kernel, arrays, dims, run: runInstalled }: KernelCall): void {
  const given = Object.entries(arrays).filter(
    (entry): entry is [string, FlatArray] => entry[1] !== undefined,
  );
  for (const [name, array] of given) {
    expect(["read", "write", "update"], `${kernel.name}: the role of ${name}`).toContain(kernel.roles[name]);
    const sharing = given.filter(([, other]) => other.buffer === array.buffer);
    if (kernel.roles[name] !== "read") expect(sharing, `${kernel.name}: ${name} is shared`).toHaveLength(1);
  }
  const before = given.map(([, array]) => array.slice());
  const outcomeFrom = (rubbish: number, form: () => void) => {
    given.forEach(([name, array], i) => {
      if (kernel.roles[name] === "write") array.fill(rubbish);
      else array.set(before[i]);
    });
    form();
    return given.map(([, array]) => bytesOf(array));
  };
  const runReference = () => kernel.reference(arrays as never, dims as never);
  for (const form of [runReference, runInstalled]) {
    const [first, second] = [Number.NaN, -7.25].map((rubbish) => outcomeFrom(rubbish, form));
    given.forEach(([name], i) => {
      expect(first[i].equals(second[i]), `${kernel.name}: ${name} keeps what was there`).toBe(true);
      const unchanged = kernel.roles[name] !== "read" || first[i].equals(bytesOf(before[i]));
      expect(unchanged, `${kernel.name}: ${name} is only read`).toBe(true);
    });
  }
}

/** Kernels that no fixture reaches. */
function runOthers(): void {
  dropout(ones([5]), randomState(1), { rate: 0.5 });
  dropBlock(ones([1, 9, 9, 1]), randomState(1), { rate: 0.5 });
  normal([5], randomState(1));
  broadcastTo(ones([1]), [3]);
  const w = parameter(ones([3]));
  w.grad = new Float32Array([3, 4, 0]);
  clipGlobalNorm({ w }, 1);
  backward(sum(add(w, w)));
  backward(sum(w));
}

describe("declared roles", () => {
  it.each(Object.keys(operations))("hold in %s", (file) => {
    for (const each of casesOf(file)) intercept(checkRoles, () => run(each));
  });

  it("hold in what has no fixture", () => {
    intercept(checkRoles, runOthers);
  });

  it("are held to in every kernel that the main entry brings", () => {
    const seen = new Set<string>();
    intercept(
      ({ kernel, run: runInstalled }) => {
        seen.add(kernel.name);
        runInstalled();
      },
      () => {
        for (const file of Object.keys(operations)) casesOf(file).forEach(run);
        runOthers();
      },
    );
    expect(kernelNames().filter((name) => !seen.has(name))).toEqual([]);
  });
});
