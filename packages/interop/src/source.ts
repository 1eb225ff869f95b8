// Layers with weights as another framework's file tells them, in this project's terms and layouts.

import type { Shape } from "@saunet/core";

/** One array of a layer. */
export interface SourceArray {
  readonly shape: Shape;
  readonly values: Float32Array;
}

/**
 * What a layer is, as far as the file says: `"filter"` is a convolution that may be a transposed one, where nothing
 * but order and shape can tell.
 */
export type SourceKind = "convolution" | "transposed" | "filter" | "normalization" | "other";

/** A layer, its arrays by the names that weights files of this project use: filter, bias, gamma, beta, mean, variance. */
export interface SourceLayer {
  /** As the file calls it. */
  readonly name: string;
  readonly kind: SourceKind;
  readonly arrays: Readonly<Record<string, SourceArray>>;
}

/** What a file says of its network beyond names and shapes. What it does not say is left out. */
export interface SourceFacts {
  readonly groups?: number;
  readonly epsilon?: number;
  readonly activation?: "relu" | "silu";
  readonly skipAttention?: "spatial" | "cross-scale";
  readonly transposedPadding?: 0 | 1;
}

/** A model as a file tells it. */
export interface SourceModel {
  /** What wrote it, such as `Keras 2.12.0`. */
  readonly origin: string;
  /** In the order of the file, which is the order of the network within each kind. */
  readonly layers: readonly SourceLayer[];
  readonly facts: SourceFacts;
}

/** What a layer with these arrays is, where its class is not known. */
export function kindOf(arrays: Readonly<Record<string, SourceArray>>, isTransposed?: boolean): SourceKind {
  if (arrays.filter?.shape.length === 4) {
    if (isTransposed === undefined) return "filter";
    return isTransposed ? "transposed" : "convolution";
  }
  return "gamma" in arrays && "beta" in arrays ? "normalization" : "other";
}
