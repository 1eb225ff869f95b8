// How the layers hang together: what each convolution reads, and who reads what it gives.

import { depthOf, type NetworkConfig } from "@saunet/model";

/** Where the input of a layer's convolution comes from. */
export type Source =
  | { readonly kind: "photograph" }
  | { readonly kind: "layer"; readonly from: string }
  /** The largest of four, at half the size. */
  | { readonly kind: "pooled"; readonly from: string }
  /** Every channel times one map. */
  | { readonly kind: "gated"; readonly from: string; readonly gate: string }
  /** One map each, over all channels of a layer. */
  | { readonly kind: "maps"; readonly maps: readonly MapSource[] }
  /** The channels of `up`, and after them those of `skip`, gated where there is a gate. */
  | { readonly kind: "joined"; readonly up: string; readonly skip: string; readonly gate?: string };

/** A map of an attention. */
export interface MapSource {
  readonly of: "mean" | "maximum";
  readonly from: string;
}

/** Where the input of a layer comes from, by the path of its parameters. */
export function sourceOf(config: NetworkConfig, id: string): Source {
  const depth = depthOf(config);
  const [stage, part] = id.split(".");
  const n = Number(/\d$/.exec(stage)?.[0]);
  const skip = `encoder${n}.conv2`;
  if (stage === "head") return { kind: "layer", from: "decoder1.conv2" };
  if (id === "encoder1.conv1") return { kind: "photograph" };
  if (part === "up")
    return { kind: "layer", from: n === depth ? "bottleneck.conv2" : `decoder${n + 1}.conv2` };
  if (part === "attention") {
    const [from, other] = stage === "bottleneck" ? ["bottleneck.conv1"] : [skip, `decoder${n}.up`];
    const isCrossScale = other !== undefined && config.skipAttention === "cross-scale";
    const second: MapSource = isCrossScale ? { of: "mean", from: other } : { of: "maximum", from };
    return { kind: "maps", maps: [{ of: "mean", from }, second] };
  }
  if (part === "conv2") {
    const from = `${stage}.conv1`;
    const isGated = stage === "bottleneck" && config.bottleneckAttention;
    return isGated ? { kind: "gated", from, gate: "bottleneck.attention" } : { kind: "layer", from };
  }
  if (stage === "bottleneck") return { kind: "pooled", from: `encoder${depth}.conv2` };
  if (stage.startsWith("encoder")) return { kind: "pooled", from: `encoder${n - 1}.conv2` };
  const gate = config.skipAttention === "none" ? {} : { gate: `decoder${n}.attention` };
  return { kind: "joined", up: `decoder${n}.up`, skip, ...gate };
}

/** The layers that a source names, each once. */
export function layersBefore(source: Source): readonly string[] {
  switch (source.kind) {
    case "photograph":
      return [];
    case "maps":
      return [...new Set(source.maps.map(({ from }) => from))];
    case "joined":
      return [source.up, source.skip, ...(source.gate === undefined ? [] : [source.gate])];
    case "gated":
      return [source.from, source.gate];
    default:
      return [source.from];
  }
}

/** The layers that read this one. */
export const layersBehind = (config: NetworkConfig, id: string, all: readonly string[]): readonly string[] =>
  all.filter((other) => layersBefore(sourceOf(config, other)).includes(id));
