// How one number of a network comes about, from the layers before it to what becomes of it.

import { type Conv2dDims, conv2dForward } from "@saunet/core/kernels";
import type { NetworkConfig } from "@saunet/model";
import { layersBefore, layersBehind, sourceOf } from "./sources.ts";
import type { Layer, Nonlinearity } from "./trace.ts";

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
  /** What lies between the sum and that. */
  readonly normalized?: Normalized;
  readonly nonlinearity: Nonlinearity;
  /** What the number of the patch that weighs most is made of. */
  readonly origin: Origin | undefined;
  /** What becomes of it after the layer. */
  readonly next: Next | undefined;
}

/** A sum made comparable: (sum - mean) / √(variance + epsilon) · gamma + beta. */
export interface Normalized {
  readonly mean: number;
  readonly variance: number;
  readonly epsilon: number;
  readonly gamma: number;
  readonly beta: number;
  readonly value: number;
  /** The channels that mean and variance run over. */
  readonly first: number;
  readonly last: number;
  readonly isFixed: boolean;
}

/** How a number of a convolution's input was made of what the layers before gave. */
export interface Origin {
  /** Of the convolution's input. */
  readonly channel: number;
  readonly row: number;
  readonly column: number;
  readonly value: number;
  readonly made:
    | { readonly kind: "photograph" }
    | { readonly kind: "layer"; readonly from: string; readonly channel: number }
    | {
        readonly kind: "pooled";
        readonly from: string;
        readonly channel: number;
        readonly four: readonly number[];
      }
    | {
        readonly kind: "gated";
        readonly from: string;
        readonly channel: number;
        readonly feature: number;
        readonly gate: number;
      }
    | {
        readonly kind: "map";
        readonly of: "mean" | "maximum";
        readonly from: string;
        readonly channels: number;
      };
}

/** What becomes of a number after its layer. */
export type Next =
  /** The largest of the four goes on to the next stage. */
  | { readonly kind: "pooled"; readonly four: readonly number[] }
  /** It multiplies every channel of a layer; here of the one that is largest. */
  | { readonly kind: "gate"; readonly of: string; readonly channel: number; readonly feature: number };

/** A network's layers, as {@link traceNetwork} found them. */
export interface Traced {
  readonly config: NetworkConfig;
  readonly layers: ReadonlyMap<string, Layer>;
}

/** Takes one number of a layer apart. */
export function probe(traced: Traced, id: string, row: number, column: number, channel: number): Probe {
  const layer = layerIn(traced, id);
  const { dims, x, w, b, transposed } = layer.convolution;
  const { KH, KW, strideH, strideW, padTop, padLeft } = dims;
  const [inputHeight, inputWidth, inputChannels] = transposed
    ? [dims.OH, dims.OW, dims.O]
    : [dims.H, dims.W, dims.C];
  const patch = new Float32Array(KH * KW * inputChannels).fill(Number.NaN);
  const places = new Map<number, readonly [row: number, column: number]>();
  const filter = new Float32Array(KH * KW * inputChannels);
  for (let ky = 0; ky < KH; ky++)
    for (let kx = 0; kx < KW; kx++) {
      const tap = ky * KW + kx;
      const iy = transposed ? (row + padTop - ky) / strideH : row * strideH - padTop + ky;
      const ix = transposed ? (column + padLeft - kx) / strideW : column * strideW - padLeft + kx;
      const isThere = Number.isInteger(iy) && Number.isInteger(ix) && iy >= 0 && ix >= 0;
      if (isThere && iy < inputHeight && ix < inputWidth) places.set(tap, [iy, ix]);
      for (let c = 0; c < inputChannels; c++) {
        const at = transposed
          ? (tap * dims.C + channel) * inputChannels + c
          : (tap * inputChannels + c) * dims.O + channel;
        filter[tap * inputChannels + c] = w[at];
        if (!places.has(tap)) continue;
        patch[tap * inputChannels + c] = x[(iy * inputWidth + ix) * inputChannels + c];
      }
    }
  const contributions = new Float32Array(inputChannels);
  patch.forEach((value, i) => {
    if (!Number.isNaN(value)) contributions[i % inputChannels] += value * filter[i];
  });
  const bias = b?.[channel] ?? 0;
  const sum = contributions.reduce((total, value) => total + value, bias);
  const activation = numberAt(layer, row, column, channel);
  const heaviest = heaviestOf(patch, filter);
  const origin =
    heaviest === undefined
      ? undefined
      : originOf(traced, id, places.get(Math.floor(heaviest / inputChannels))!, heaviest % inputChannels);
  const normalized = normalize(layer, sum, channel);
  return {
    filterHeight: KH,
    filterWidth: KW,
    inputChannels,
    patch,
    filter,
    contributions,
    bias,
    sum,
    // A transposed convolution stands bare, so its activation is the number itself.
    computed: transposed ? activation : convolve(patch, w, b, dims)[channel],
    activation,
    ...(normalized && { normalized }),
    nonlinearity: layer.nonlinearity,
    origin,
    next: nextOf(traced, id, row, column, channel),
  };
}

function layerIn({ layers }: Traced, id: string): Layer {
  const layer = layers.get(id);
  if (layer === undefined) throw new RangeError(`probe: there is no layer ${id}`);
  return layer;
}

const numberAt = ({ activation, width, channels }: Layer, row: number, column: number, channel: number) =>
  activation[(row * width + column) * channels + channel];

/** Where in the patch the product with the filter is largest. */
function heaviestOf(patch: Float32Array, filter: Float32Array): number | undefined {
  let heaviest: number | undefined;
  patch.forEach((value, i) => {
    const isHeavier =
      heaviest === undefined || Math.abs(value * filter[i]) > Math.abs(patch[heaviest] * filter[heaviest]);
    if (!Number.isNaN(value) && isHeavier) heaviest = i;
  });
  return heaviest;
}

function normalize({ normalization }: Layer, sum: number, channel: number): Normalized | undefined {
  if (normalization === undefined) return undefined;
  const { channelsPerGroup, epsilon, isFixed } = normalization;
  const group = Math.floor(channel / channelsPerGroup);
  const [mean, variance] = [normalization.mean[group], normalization.variance[group]];
  const [gamma, beta] = [normalization.gamma[channel], normalization.beta[channel]];
  const value = ((sum - mean) / Math.sqrt(variance + epsilon)) * gamma + beta;
  const first = group * channelsPerGroup;
  return { mean, variance, epsilon, gamma, beta, value, first, last: first + channelsPerGroup - 1, isFixed };
}

/** The 2 × 2 numbers of a channel that end in one pixel of half the size. */
const fourOf = (layer: Layer, row: number, column: number, channel: number): number[] =>
  [0, 1, 2, 3].map((i) => numberAt(layer, 2 * row + (i >> 1), 2 * column + (i & 1), channel));

/** What a number of a convolution's input is made of. */
export function originOf(
  traced: Traced,
  id: string,
  [row, column]: readonly [row: number, column: number],
  channel: number,
): Origin {
  const source = sourceOf(traced.config, id);
  const numberOf = (from: string, c: number) => numberAt(layerIn(traced, from), row, column, c);
  const gated = (from: string, c: number, gateId: string): Origin => {
    const [feature, gate] = [numberOf(from, c), numberOf(gateId, 0)];
    const made = { kind: "gated", from, channel: c, feature, gate } as const;
    return { channel, row, column, value: feature * gate, made };
  };
  const plain = (from: string, c: number): Origin => {
    const made = { kind: "layer", from, channel: c } as const;
    return { channel, row, column, value: numberOf(from, c), made };
  };
  switch (source.kind) {
    case "photograph": {
      const { x, dims } = layerIn(traced, id).convolution;
      const value = x[(row * dims.W + column) * dims.C + channel];
      return { channel, row, column, value, made: { kind: "photograph" } };
    }
    case "layer":
      return plain(source.from, channel);
    case "pooled": {
      const four = fourOf(layerIn(traced, source.from), row, column, channel);
      const made = { kind: "pooled", from: source.from, channel, four } as const;
      return { channel, row, column, value: Math.max(...four), made };
    }
    case "gated":
      return gated(source.from, channel, source.gate);
    case "maps": {
      const { of, from } = source.maps[channel];
      const { channels } = layerIn(traced, from);
      const all = Array.from({ length: channels }, (_, c) => numberOf(from, c));
      const value = of === "mean" ? all.reduce((sum, each) => sum + each, 0) / channels : Math.max(...all);
      return { channel, row, column, value, made: { kind: "map", of, from, channels } };
    }
    case "joined": {
      const { channels } = layerIn(traced, source.up);
      if (channel < channels) return plain(source.up, channel);
      const c = channel - channels;
      return source.gate === undefined ? plain(source.skip, c) : gated(source.skip, c, source.gate);
    }
  }
}

/** A layer before, and which of its channels weighs most in a number; the mean stands for all of them. */
export interface Before {
  readonly id: string;
  readonly channel: number | "mean";
}

/** The layers that a number is made of. */
export function beforeOf(traced: Traced, id: string, contributions: ArrayLike<number>): Before[] {
  const heaviest = new Map<string, { channel: number; weight: number }>();
  for (let c = 0; c < contributions.length; c++) {
    const { made } = originOf(traced, id, [0, 0], c);
    if (made.kind === "photograph" || made.kind === "map") continue;
    const weight = Math.abs(contributions[c]);
    const known = heaviest.get(made.from);
    if (known === undefined || known.weight < weight)
      heaviest.set(made.from, { channel: made.channel, weight });
  }
  const source = sourceOf(traced.config, id);
  return layersBefore(source).map((before) => {
    const isGate = "gate" in source && source.gate === before;
    return { id: before, channel: isGate ? 0 : (heaviest.get(before)?.channel ?? "mean") };
  });
}

function nextOf(traced: Traced, id: string, row: number, column: number, channel: number): Next | undefined {
  for (const other of layersBehind(traced.config, id, [...traced.layers.keys()])) {
    const source = sourceOf(traced.config, other);
    if (source.kind === "pooled") {
      const [top, left] = [row, column].map((at) => Math.floor(at / 2));
      return { kind: "pooled", four: fourOf(layerIn(traced, id), top, left, channel) };
    }
    const of = source.kind === "gated" ? source.from : source.kind === "joined" ? source.skip : undefined;
    if (of === undefined || !("gate" in source) || source.gate !== id) continue;
    const gated = layerIn(traced, of);
    const features = Array.from({ length: gated.channels }, (_, c) => numberAt(gated, row, column, c));
    const largest = features.reduce((best, value, c) => (value > features[best] ? c : best), 0);
    return { kind: "gate", of, channel: largest, feature: features[largest] };
  }
  return undefined;
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
