// The network laid open. Every number it computes comes out of a kernel call, so looking inside is listening to the
// calls: a convolution names its layer by the filter it reads, and what follows it until the next one is its own.

import { noGrad, type Program, sigmoid, type Tensor } from "@saunet/core";
import { type Arrays, type Conv2dDims, type GroupNormDims, intercept } from "@saunet/core/kernels";
import { forward, inspectNetwork, layersOf, type Parameters, type Weights } from "@saunet/model";

/** One convolution with what belongs to it: normalisation and activation, or the sigmoid of a gate. */
export interface Layer {
  /** The path of its parameters, such as `encoder1.conv1`. */
  readonly id: string;
  height: number;
  width: number;
  readonly channels: number;
  /** `[height, width, channels]`: what the layers after it see. */
  activation: Float32Array;
  convolution: Convolution;
  /** As it was run; undefined where the layer has none. */
  normalization?: Normalization;
  nonlinearity: Nonlinearity;
}

/** What turns a layer's sums into what it gives. */
export type Nonlinearity = "none" | "relu" | "silu" | "sigmoid";

/** A normalisation of groups of channels, or of each channel by itself. */
export interface Normalization {
  /** By group. */
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  /** By channel. */
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly epsilon: number;
  readonly channelsPerGroup: number;
  /** Whether mean and variance were learned, not computed from this photograph. */
  readonly isFixed: boolean;
}

/** A convolution as it was run. */
export interface Convolution {
  /** Of a transposed one the small side: it enlarges. */
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly b: Float32Array | undefined;
  readonly dims: Conv2dDims;
  readonly transposed: boolean;
}

const ACTIVATIONS: Readonly<Record<string, Nonlinearity>> = {
  "silu.forward": "silu",
  "relu.forward": "relu",
  "sigmoid.forward": "sigmoid",
};

/** Runs the network on one photograph `[1,H,W,3]` and keeps what each layer computes. */
export function traceNetwork({ config, parameters }: Weights, x: Tensor): Map<string, Layer> {
  const layers = new Map<string, Layer>();
  const paths = pathsOf(parameters);
  let current: Layer | undefined;
  const listen = (name: string, arrays: Arrays, dims: unknown): void => {
    if (name === "conv2d.forward" || name === "conv2d.transposed") {
      const path = paths.get(arrays.w as Float32Array)!;
      current = layerOf(
        path.slice(0, path.lastIndexOf(".")),
        arrays,
        dims as Conv2dDims,
        name === "conv2d.transposed",
      );
      layers.set(current.id, current);
    } else if (current === undefined) return;
    else if (name === "groupNorm.forward")
      current.normalization = normalizationOf(arrays, dims as GroupNormDims);
    else if (name in ACTIVATIONS) {
      current.activation = arrays.y as Float32Array;
      current.nonlinearity = ACTIVATIONS[name];
    } else if (name === "movement.readBox" && current.convolution.transposed) {
      cutFirst(current, arrays.y as Float32Array);
    }
  };
  noGrad(() =>
    intercept(
      ({ kernel, arrays, dims, run }) => {
        run();
        listen(kernel.name, arrays, dims);
      },
      () => sigmoid(forward(config, parameters, x)),
    ),
  );
  return layers;
}

const pathsOf = (parameters: Parameters): Map<Float32Array, string> =>
  new Map(Object.entries(parameters).map(([path, { data }]) => [data, path]));

function layerOf(id: string, arrays: Arrays, dims: Conv2dDims, transposed: boolean): Layer {
  const [x, y, w, b] = ["x", "y", "w", "b"].map((name) => arrays[name] as Float32Array);
  const { H, W, C, OH, OW, O } = dims;
  const plain = { id, activation: y, nonlinearity: "none" } as const;
  return transposed
    ? {
        ...plain,
        ...{ height: H, width: W, channels: C, activation: x },
        convolution: { x: y, w, b, dims, transposed },
      }
    : { ...plain, height: OH, width: OW, channels: O, convolution: { x, w, b, dims, transposed } };
}

function normalizationOf(arrays: Arrays, { epsilon, D, fixedStatistics }: GroupNormDims): Normalization {
  const [mean, variance, gamma, beta] = ["mean", "variance", "gamma", "beta"].map(
    (name) => arrays[name] as Float32Array,
  );
  return { mean, variance, gamma, beta, epsilon, channelsPerGroup: D, isFixed: fixedStatistics };
}

/** PyTorch's transposed convolution: the first row and column are cut off, as if they were padding. */
function cutFirst(layer: Layer, activation: Float32Array): void {
  const { dims } = layer.convolution;
  const [height, width] = [2 * dims.OH, 2 * dims.OW];
  const moved = { ...dims, H: height, W: width, padTop: dims.padTop + 1, padLeft: dims.padLeft + 1 };
  Object.assign(layer, { height, width, activation });
  layer.convolution = { ...layer.convolution, dims: moved };
}

/**
 * The layer that an operator or kernel call counts to: the convolution that it follows. Means and maxima over channels
 * are what an attention begins with.
 *
 * @param path what it reads, or the stage it stands in
 */
function ownerOf(path: string, name: string, previous: string): string {
  const [stage] = path.split(".");
  if (/^(sum|mean|max)(\.|$)/.test(name)) return `${stage}.attention`;
  if (/\.norm\d$/.test(path)) return path.replace("norm", "conv");
  return path === stage && path !== "head" ? previous : path;
}

/** What each layer counts for, from the amounts of operators or kernel calls in their order. */
function sumByLayer(amounts: Iterable<{ path: string; name: string; amount: number }>): Map<string, number> {
  const sums = new Map<string, number>();
  let owner = "";
  for (const { path, name, amount } of amounts) {
    owner = ownerOf(path, name, owner);
    sums.set(owner, (sums.get(owner) ?? 0) + amount);
  }
  return sums;
}

/** FLOPs of each layer. */
export function flopsByLayer(
  { config }: Weights,
  size: { height: number; width: number },
): Map<string, number> {
  const { layers } = inspectNetwork(config, size);
  return sumByLayer(layers.map(({ layer, op, flops }) => ({ path: layer, name: op, amount: flops })));
}

/** Milliseconds of each layer, from those of the calls of a program. */
export function timesByLayer(
  program: Program,
  parameters: Parameters,
  milliseconds: readonly number[],
): Map<string, number> {
  return sumByLayer(
    layersOf(program, parameters).map((path, call) => ({
      path,
      name: program.calls[call].kernel.name,
      amount: milliseconds[call],
    })),
  );
}
