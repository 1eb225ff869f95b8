// What a network is made of: every operator of one forward pass with its shape, parameters and FLOPs. The pass is
// recorded but its kernels are not run, so any input size costs next to nothing.

import { randomState, type Shape, type Tensor, zeros } from "@saunet/core";
import { intercept } from "@saunet/core/kernels";
import type { NetworkConfig } from "./config.ts";
import { forward } from "./network.ts";
import { countParameters, initialize } from "./parameters.ts";

/** One operator of the forward pass. */
export interface LayerReport {
  /** The path of the parameters it reads, such as `encoder1.conv1`, or else the stage it stands in. */
  readonly layer: string;
  readonly op: string;
  readonly shape: Shape;
  /** Numbers in the filters, biases, scales and shifts it reads. */
  readonly parameters: number;
  readonly flops: number;
}

/** A network, operator by operator. */
export interface NetworkReport {
  readonly model: string;
  /** `[H,W,C]` */
  readonly input: Shape;
  /** All numbers of a weights file, running statistics included. */
  readonly parameters: number;
  readonly flops: number;
  readonly layers: readonly LayerReport[];
}

/**
 * FLOPs of an operator, counted as TensorFlow's profiler counts them, from which the paper's 21.19 billion come: two
 * for each tap of a filter (also on padding), one for a bias, one for each number that a pooling or reduction reads
 * and for each product, seven for each number that is normalised; exp and sigmoid are free.
 */
function flopsOf(op: string, out: Tensor, inputs: readonly Tensor[]): number {
  const [x, w, b] = inputs;
  const bias = b === undefined ? 0 : out.size;
  switch (op) {
    case "conv2d":
      return 2 * out.size * (w.size / w.shape[3]) + bias;
    case "convTranspose2d":
      return 2 * x.size * (w.size / w.shape[3]) + bias;
    case "groupNorm":
    case "batchNorm":
      return 7 * out.size;
    case "maxPool2d":
    case "mean":
    case "max":
      return x.size;
    case "mul":
    case "silu":
    case "relu":
      return out.size;
    default:
      return 0;
  }
}

/**
 * Lists the operators of a network in the order in which they run.
 *
 * @throws ShapeError where the network does not take that size
 * @example
 * const { parameters, flops } = inspectNetwork(saUNetV2, { height: 592, width: 592 });
 * console.log(parameters, (flops / 1e9).toFixed(2)); // 260521 21.19
 */
export function inspectNetwork(
  config: NetworkConfig,
  { height, width }: { height: number; width: number },
): NetworkReport {
  const parameters = initialize(config, randomState(0));
  const names = new Map(Object.entries(parameters).map(([name, tensor]) => [tensor, name]));
  const x = zeros([1, height, width, config.inputChannels]);
  const skip = () => {};
  const logits = intercept(skip, () => forward(config, parameters, x));

  let stage = "";
  const layers = graphOf(logits).map((out): LayerReport => {
    const { op, inputs } = out.history!;
    const own = inputs.filter((input) => names.has(input));
    const path = own.length > 0 ? names.get(own[0])! : undefined;
    if (path !== undefined) stage = path.slice(0, path.indexOf("."));
    return {
      layer: path === undefined ? stage : path.slice(0, path.lastIndexOf(".")),
      op,
      shape: out.shape,
      parameters: own.reduce((count, { size }) => count + size, 0),
      flops: flopsOf(op, out, inputs),
    };
  });
  return {
    model: config.name,
    input: [height, width, config.inputChannels],
    parameters: countParameters(config),
    flops: layers.reduce((sum, { flops }) => sum + flops, 0),
    layers,
  };
}

/** Every result that led to `last`, in order of execution. */
function graphOf(last: Tensor): Tensor[] {
  const found = new Set([last]);
  for (const { history } of found) {
    for (const input of history!.inputs) if (input.history !== undefined) found.add(input);
  }
  return [...found].sort((a, b) => a.history!.order - b.history!.order);
}
