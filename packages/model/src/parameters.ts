// The parameters of a network: a flat dictionary of path names, in Keras's layouts. The same names stand in weights
// files.
//
//   encoder1.conv1.filter  [3,3,Cin,Cout]     encoder1.norm1.gamma  [C]
//   bottleneck.attention.filter  [7,7,2,1]    decoder1.up.filter  [3,3,Cout,Cin]    head.filter  [1,1,C,outputs]
//
// Stages count from the outside: encoder1 and decoder1 work at full resolution.

import {
  glorotUniform,
  heNormal,
  ones,
  type Parameters,
  parameter,
  type RandomState,
  type Shape,
  zeros,
} from "@saunet/core";
import { sizeOf } from "@saunet/core/kernels";
import { depthOf, type Initializer, type NetworkConfig, outputChannels } from "./config.ts";

export type { Parameters };

/** How one entry of the dictionary starts. */
export interface ParameterSpec {
  readonly shape: Shape;
  readonly start: Initializer | "zeros" | "ones";
  /** False for running statistics, which follow the data and take no gradient. */
  readonly trainable: boolean;
}

/** Side of the attention filters. */
export const ATTENTION_SIZE = 7;

/**
 * Every entry that a network needs, in the order of its layers.
 *
 * @example
 * console.log(parameterSpecs(saUNetV2)["head.filter"].shape); // [ 1, 1, 16, 1 ]
 */
export function parameterSpecs(config: NetworkConfig): Record<string, ParameterSpec> {
  const specs: Record<string, ParameterSpec> = {};
  const { convolution = "he-normal", transposed = "glorot-uniform" } = config.initializers ?? {};
  const add = (name: string, shape: Shape, start: ParameterSpec["start"], trainable = true) => {
    specs[name] = { shape, start, trainable };
  };
  const unit = (stage: string, index: number, from: number, to: number) => {
    add(`${stage}.conv${index}.filter`, [3, 3, from, to], convolution);
    add(`${stage}.conv${index}.bias`, [to], "zeros");
    if (config.normalization === "none") return;
    add(`${stage}.norm${index}.gamma`, [to], "ones");
    add(`${stage}.norm${index}.beta`, [to], "zeros");
    if (config.normalization === "group") return;
    add(`${stage}.norm${index}.mean`, [to], "zeros", false);
    add(`${stage}.norm${index}.variance`, [to], "ones", false);
  };
  const attention = (stage: string) =>
    add(`${stage}.attention.filter`, [ATTENTION_SIZE, ATTENTION_SIZE, 2, 1], "he-normal");

  const depth = depthOf(config);
  let from = config.inputChannels;
  for (let stage = 1; stage <= depth; stage++) {
    const to = config.channels[stage - 1];
    unit(`encoder${stage}`, 1, from, to);
    unit(`encoder${stage}`, 2, to, to);
    from = to;
  }
  const deepest = config.channels[depth];
  unit("bottleneck", 1, from, deepest);
  if (config.bottleneckAttention) attention("bottleneck");
  unit("bottleneck", 2, deepest, deepest);
  from = deepest;
  for (let stage = depth; stage >= 1; stage--) {
    const to = config.channels[stage - 1];
    add(`decoder${stage}.up.filter`, [3, 3, to, from], transposed);
    add(`decoder${stage}.up.bias`, [to], "zeros");
    if (config.skipAttention !== "none") attention(`decoder${stage}`);
    unit(`decoder${stage}`, 1, 2 * to, to);
    unit(`decoder${stage}`, 2, to, to);
    from = to;
  }
  add("head.filter", [1, 1, from, outputChannels(config)], convolution);
  add("head.bias", [outputChannels(config)], "zeros");
  return specs;
}

/**
 * Fresh parameters, started as the published code of each network starts them in Keras.
 *
 * @example
 * const p = initialize(saUNetV2, randomState(1));
 * console.log(countParameters(saUNetV2), p["head.filter"].shape); // 260521 [ 1, 1, 16, 1 ]
 */
export function initialize(config: NetworkConfig, random: RandomState): Parameters {
  const starts = { "he-normal": heNormal, "glorot-uniform": glorotUniform, zeros, ones };
  return Object.fromEntries(
    Object.entries(parameterSpecs(config)).map(([name, { shape, start, trainable }]) => {
      const values = starts[start](shape, random);
      return [name, trainable ? parameter(values) : values];
    }),
  );
}

/**
 * How many numbers a network's weights hold, running statistics included (as Keras counts).
 *
 * @example
 * console.log(countParameters(saUNetV2)); // 260521
 */
export function countParameters(config: NetworkConfig): number {
  return Object.values(parameterSpecs(config)).reduce((count, { shape }) => count + sizeOf(shape), 0);
}
