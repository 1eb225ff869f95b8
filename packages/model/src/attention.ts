// Where to look: one map between 0 and 1 over the picture, made from two maps by one 7x7 filter.

import { concat, conv2d, max, mean, mul, sigmoid, type Tensor } from "@saunet/core";

const overChannels = { axes: -1, keepDims: true } as const;

function gate(features: Tensor, first: Tensor, second: Tensor, filter: Tensor): Tensor {
  return mul(features, sigmoid(conv2d(concat([first, second], -1), filter)));
}

/**
 * Spatial attention (CBAM; Woo et al., ECCV 2018): `f · sigmoid(conv7x7([mean f, max f]))`, mean and max over the
 * channels.
 *
 * @param features `[N,H,W,C]`
 * @param filter `[7,7,2,1]`, no bias
 * @example
 * console.log(spatialAttention(ones([1, 8, 8, 16]), zeros([7, 7, 2, 1])).data[0]); // 0.5
 */
export function spatialAttention(features: Tensor, filter: Tensor): Tensor {
  return gate(features, mean(features, overChannels), max(features, overChannels), filter);
}

/**
 * Cross-scale spatial attention (SA-UNetv2): `e · sigmoid(conv7x7([mean e, mean d]))`. Only the encoder's features
 * are gated; the decoder's coarser view helps to decide where.
 *
 * @param encoder features of the skip connection `[N,H,W,C]`
 * @param decoder upsampled features of the same size
 * @param filter `[7,7,2,1]`, no bias; channel 0 is the encoder's map
 * @example
 * const [encoder, decoder] = [ones([1, 8, 8, 16]), ones([1, 8, 8, 16])];
 * console.log(crossScaleAttention(encoder, decoder, zeros([7, 7, 2, 1])).data[0]); // 0.5
 */
export function crossScaleAttention(encoder: Tensor, decoder: Tensor, filter: Tensor): Tensor {
  return gate(encoder, mean(encoder, overChannels), mean(decoder, overChannels), filter);
}
