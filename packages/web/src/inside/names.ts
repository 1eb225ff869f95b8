// What the layers are called and where their code stands.

import type { NetworkConfig } from "@saunet/model";
import { type Source, sourceOf } from "./sources.ts";

/** A layer's name in words. */
export function nameOf(id: string): string {
  const [stage, part] = id.split(".");
  if (stage === "head") return "Head";
  const words = stage.replace(/(\d)$/, " $1");
  const place = words[0].toUpperCase() + words.slice(1);
  const parts: Readonly<Record<string, string>> = {
    conv1: "unit 1",
    conv2: "unit 2",
    up: "enlarged",
    attention: "attention",
  };
  return `${place}, ${parts[part]}`;
}

/** How networks of the family normalise and activate, in words. */
const NORMALIZATIONS = { group: ", group normalisation", batch: ", batch normalisation", none: "" } as const;
const ACTIVATIONS = { silu: "SiLU", relu: "ReLU" } as const;

/** What a layer does, in a sentence. */
export function deedOf(config: NetworkConfig, id: string): string {
  if (id === "head")
    return "A 1 × 1 convolution adds all channels up; the sigmoid of the sum is the probability.";
  const source = sourceOf(config, id);
  if (source.kind === "maps") {
    const [first, second] = source.maps;
    return first.from === second.from
      ? "Mean and maximum over the channels, a 7 × 7 filter and a sigmoid make one map; it multiplies every channel."
      : "The mean of the encoder's channels and the mean of the decoder's meet in a 7 × 7 filter. The sigmoid is the gate: it multiplies the encoder's channels before they are joined.";
  }
  if (id.endsWith(".up")) return "A transposed 3 × 3 convolution with stride 2 doubles width and height.";
  const before =
    source.kind === "pooled"
      ? "After max pooling: "
      : source.kind === "joined"
        ? "The enlarged channels, joined with those of the encoder: "
        : source.kind === "gated"
          ? "After the attention: "
          : "";
  const deed = `${before}a 3 × 3 convolution${NORMALIZATIONS[config.normalization]} and ${ACTIVATIONS[config.activation]}.`;
  return deed[0].toUpperCase() + deed.slice(1);
}

/** What a channel of a convolution's input is called; `enlarged` channels come first where two are joined. */
export function inputName(source: Source, channel: number, enlarged: number): string {
  switch (source.kind) {
    case "photograph":
      return ["red", "green", "blue"][channel] ?? `channel ${channel}`;
    case "maps": {
      const { of, from } = source.maps[channel];
      return `${of} of ${nameOf(from).toLowerCase()}`;
    }
    case "joined":
      return channel < enlarged ? `enlarged ${channel}` : `encoder's ${channel - enlarged}`;
    default:
      return `channel ${channel}`;
  }
}

/** The lines of network.ts that compute a layer. */
export function linesOf(id: string): RegExp {
  if (id === "head") return /return conv2d\(/;
  if (id === "bottleneck.attention") return /spatialAttention\(f,/;
  if (id.endsWith(".attention")) return /crossScaleAttention\(skip/;
  if (id.endsWith(".up")) return /const up = /;
  const unit = /const unit|let g = conv2d|g = normalize\(|return config\.activation/;
  const calls: Readonly<Record<string, string>> = {
    encoder: "f = unit\\(unit\\(f, `encoder",
    bottleneck: `unit\\(f, "bottleneck", ${id.endsWith("1") ? 1 : 2}\\)`,
    decoder: "f = unit\\(unit\\(concat",
  };
  return new RegExp(`${unit.source}|${calls[id.replace(/\d?\..*$/, "")]}`);
}
