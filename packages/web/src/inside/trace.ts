// The network laid open. Every number it computes comes out of a kernel call, so looking inside is listening to the
// calls: a convolution names its layer by the filter it reads, and what follows it until the next one is its own.

import {
  type Arrays,
  type Conv2dDims,
  conv2dForward,
  intercept,
  noGrad,
  type Program,
  sigmoid,
  type Tensor,
} from "@saunet/core";
import { forward, inspectNetwork, layersOf, type Parameters, type Weights } from "@saunet/model";

/** One convolution with what belongs to it: normalisation and activation, or the sigmoid of a gate. */
export interface Layer {
  /** The path of its parameters, such as `encoder1.conv1`. */
  readonly id: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** `[height, width, channels]`: what the layers behind it see. */
  activation: Float32Array;
  readonly convolution: Convolution;
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

const ACTIVATIONS = ["silu.forward", "relu.forward", "sigmoid.forward"];

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
    } else if (current !== undefined && ACTIVATIONS.includes(name)) {
      current.activation = arrays.y as Float32Array;
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
  return transposed
    ? { id, height: H, width: W, channels: C, activation: x, convolution: { x: y, w, b, dims, transposed } }
    : { id, height: OH, width: OW, channels: O, activation: y, convolution: { x, w, b, dims, transposed } };
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

/** FLOPs of each layer. */
export function flopsByLayer(
  { config }: Weights,
  size: { height: number; width: number },
): Map<string, number> {
  const flops = new Map<string, number>();
  let owner = "";
  for (const { layer, op, flops: own } of inspectNetwork(config, size).layers) {
    owner = ownerOf(layer, op, owner);
    flops.set(owner, (flops.get(owner) ?? 0) + own);
  }
  return flops;
}

/** Milliseconds of each layer, from those of the calls of a program. */
export function timesByLayer(
  program: Program,
  parameters: Parameters,
  milliseconds: readonly number[],
): Map<string, number> {
  const times = new Map<string, number>();
  let owner = "";
  layersOf(program, parameters).forEach((path, call) => {
    owner = ownerOf(path, program.calls[call].kernel.name, owner);
    times.set(owner, (times.get(owner) ?? 0) + milliseconds[call]);
  });
  return times;
}

/** How one number of a convolution comes about. */
export interface Probe {
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly inputChannels: number;
  /** `[filterHeight, filterWidth, inputChannels]`; NaN where the filter hangs over the edge or finds no pixel. */
  readonly patch: Float32Array;
  /** The filter that meets it, in the same layout. */
  readonly filter: Float32Array;
  /** Σ patch · filter of each input channel. */
  readonly contributions: Float32Array;
  readonly bias: number;
  /** Contributions and bias together. */
  readonly sum: number;
  /** The same number from the engine. */
  readonly computed: number;
  /** What became of it: normalised and activated, or a gate. */
  readonly activation: number;
}

/** Takes one number of a layer apart. */
export function probe(layer: Layer, row: number, column: number, channel: number): Probe {
  const { dims, x, w, b, transposed } = layer.convolution;
  const { KH, KW, strideH, strideW, padTop, padLeft } = dims;
  const [inputHeight, inputWidth, inputChannels] = transposed
    ? [dims.OH, dims.OW, dims.O]
    : [dims.H, dims.W, dims.C];
  const patch = new Float32Array(KH * KW * inputChannels).fill(Number.NaN);
  const filter = new Float32Array(KH * KW * inputChannels);
  for (let ky = 0; ky < KH; ky++)
    for (let kx = 0; kx < KW; kx++) {
      const tap = ky * KW + kx;
      const iy = transposed ? (row + padTop - ky) / strideH : row * strideH - padTop + ky;
      const ix = transposed ? (column + padLeft - kx) / strideW : column * strideW - padLeft + kx;
      const isThere = Number.isInteger(iy) && Number.isInteger(ix) && iy >= 0 && ix >= 0;
      for (let c = 0; c < inputChannels; c++) {
        const at = transposed
          ? (tap * dims.C + channel) * inputChannels + c
          : (tap * inputChannels + c) * dims.O + channel;
        filter[tap * inputChannels + c] = w[at];
        if (!isThere || iy >= inputHeight || ix >= inputWidth) continue;
        patch[tap * inputChannels + c] = x[(iy * inputWidth + ix) * inputChannels + c];
      }
    }
  const contributions = new Float32Array(inputChannels);
  patch.forEach((value, i) => {
    if (!Number.isNaN(value)) contributions[i % inputChannels] += value * filter[i];
  });
  const bias = b?.[channel] ?? 0;
  const activation = layer.activation[(row * layer.width + column) * layer.channels + channel];
  return {
    filterHeight: KH,
    filterWidth: KW,
    inputChannels,
    patch,
    filter,
    contributions,
    bias,
    sum: contributions.reduce((sum, value) => sum + value, bias),
    // A transposed convolution stands bare, so its activation is the number itself.
    computed: transposed ? activation : convolve(patch, w, b, dims)[channel],
    activation,
  };
}

/** The engine's convolution on a patch as large as its filter: one number a channel. */
function convolve(
  patch: Float32Array,
  w: Float32Array,
  b: Float32Array | undefined,
  { C, O, KH, KW, flops, OH, OW }: Conv2dDims,
): Float32Array {
  const y = new Float32Array(O);
  const x = patch.map((value) => (Number.isNaN(value) ? 0 : value));
  const one = { N: 1, H: KH, W: KW, C, O, KH, KW, OH: 1, OW: 1, flops: flops / (OH * OW) };
  const plain = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 0, padLeft: 0 };
  conv2dForward({ y, x, w, b }, { ...one, ...plain });
  return y;
}
