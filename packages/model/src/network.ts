// The network, from photograph to logits, as the paper draws it.
//
//            encoder1 ────────────── gate ─┐            decoder1 ── head ── logits
//   x ──► unit unit ──► pool               └─► concat ─► unit unit
//            encoder2 ─────── gate ─┐  up ▲
//              unit unit ──► pool   └─► concat ─► unit unit
//                 …                up ▲
//                    bottleneck: unit ── attention ── unit
//
// A unit is conv 3x3 → DropBlock (training only) → normalisation → activation.

import {
  batchNorm,
  concat,
  conv2d,
  convTranspose2d,
  type DropBlockOptions,
  dropBlock,
  groupNorm,
  maxPool2d,
  type RandomState,
  relu,
  ShapeError,
  silu,
  slice,
  type Tensor,
} from "@saunet/core";
import { crossScaleAttention, spatialAttention } from "./attention.ts";
import { depthOf, type NetworkConfig, sizeMultiple } from "./config.ts";
import type { Parameters } from "./parameters.ts";

/** Training normalises by the batch where the network has batch normalisation, and drops blocks. */
export type Mode =
  | { readonly training: false }
  /** Blocks are drawn from `random`. */
  | { readonly training: true; readonly random: RandomState }
  /** Blocks are dropped by somebody else, who is called for each layer in turn. */
  | { readonly training: true; readonly drop: (f: Tensor, options: DropBlockOptions) => Tensor };

const INFERENCE: Mode = { training: false };

/**
 * Runs a network: a pure function of parameters and input (training also moves running statistics and random state).
 *
 * @param p parameters of this network, see {@link initialize}
 * @param x photographs `[N,H,W,3]`, 0 … 1; H and W multiples of 8 (see {@link sizeMultiple})
 * @returns logits `[N,H,W,1]`, whose sigmoid is the probability of a vessel; of a network that tells classes apart
 *   `[N,H,W,classes]`, whose softmax are their probabilities (see {@link probabilitiesOf})
 * @throws ShapeError where `x` does not suit the network
 * @example
 * const p = initialize(saUNetV2, randomState(1));
 * const probability = noGrad(() => sigmoid(forward(saUNetV2, p, zeros([1, 16, 16, 3]))));
 * console.log(probability.shape); // [ 1, 16, 16, 1 ]
 */
export function forward(config: NetworkConfig, p: Parameters, x: Tensor, mode: Mode = INFERENCE): Tensor {
  checkInput(config, x);
  const unit = (f: Tensor, stage: string, index: 1 | 2): Tensor => {
    let g = conv2d(f, p[`${stage}.conv${index}.filter`], p[`${stage}.conv${index}.bias`]);
    if (mode.training && config.dropBlock.rate > 0) {
      const options = { rate: config.dropBlock.rate, blockSize: config.dropBlock.size };
      g = "drop" in mode ? mode.drop(g, options) : dropBlock(g, mode.random, options);
    }
    g = normalize(config, p, g, `${stage}.norm${index}`, mode);
    return config.activation === "silu" ? silu(g) : relu(g);
  };
  const attention = (stage: string) => p[`${stage}.attention.filter`];

  const depth = depthOf(config);
  const skips: Tensor[] = [];
  let f = x;
  for (let stage = 1; stage <= depth; stage++) {
    f = unit(unit(f, `encoder${stage}`, 1), `encoder${stage}`, 2);
    skips.push(f);
    f = maxPool2d(f, { size: 2 });
  }

  f = unit(f, "bottleneck", 1);
  if (config.bottleneckAttention) f = spatialAttention(f, attention("bottleneck"));
  f = unit(f, "bottleneck", 2);

  for (let stage = depth; stage >= 1; stage--) {
    const name = `decoder${stage}`;
    const up = enlarge(config, f, p[`${name}.up.filter`], p[`${name}.up.bias`]);
    let skip = skips.pop() as Tensor;
    if (config.skipAttention === "spatial") skip = spatialAttention(skip, attention(name));
    if (config.skipAttention === "cross-scale") skip = crossScaleAttention(skip, up, attention(name));
    f = unit(unit(concat([up, skip], -1), name, 1), name, 2);
  }
  return conv2d(f, p["head.filter"], p["head.bias"]);
}

/** Twice the rows and columns. */
function enlarge({ transposedPadding = 0 }: NetworkConfig, f: Tensor, filter: Tensor, bias: Tensor): Tensor {
  if (transposedPadding === 0) return convTranspose2d(f, filter, bias, { stride: 2 });
  const [N, H, W] = f.shape;
  const whole = convTranspose2d(f, filter, bias, { stride: 2, padding: "valid" });
  return slice(whole, [0, 1, 1, 0], [N, 2 * H, 2 * W, filter.shape[2]]);
}

function normalize(
  config: NetworkConfig,
  p: Parameters,
  f: Tensor,
  name: string,
  { training }: Mode,
): Tensor {
  const gamma = p[`${name}.gamma`];
  const beta = p[`${name}.beta`];
  const { groups, epsilon = 1e-3 } = config;
  if (config.normalization === "group") return groupNorm(f, gamma, beta, { groups, epsilon });
  if (config.normalization === "none") return f;
  return batchNorm(
    f,
    gamma,
    beta,
    { mean: p[`${name}.mean`], variance: p[`${name}.variance`] },
    { training, epsilon },
  );
}

function checkInput(config: NetworkConfig, x: Tensor): void {
  const [, H, W, C] = x.shape;
  const multiple = sizeMultiple(config);
  if (x.shape.length !== 4 || C !== config.inputChannels) {
    throw new ShapeError(`${config.name}: x must be [N,H,W,${config.inputChannels}] but is [${x.shape}]`);
  }
  if (H % multiple !== 0 || W % multiple !== 0 || x.size === 0) {
    throw new ShapeError(
      `${config.name}: height and width of x [${x.shape}] must be multiples of ${multiple}`,
    );
  }
}
