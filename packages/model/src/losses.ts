// Losses, from logits. All but the cross entropy compare the predicted share of vessel with the true one over all
// pixels of the batch at once; with soft counts (TP = Σ p·t and so on) they are smooth.
//
// With averages p̄ = mean p, t̄ = mean t, o = mean p·t over the batch's N pixels:
//
//   MCC  = (TP·TN - FP·FN) / (sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)) + ε)      ε = 1e-7, outside the root
//        = (o - p̄·t̄) / (sqrt(p̄·t̄·(1-p̄)·(1-t̄)) + ε/N²)                    dividing by N²
//   Dice = (2·o + ε) / (p̄ + t̄ + ε)        Jaccard = (o + ε) / (p̄ + t̄ - o + ε)
//
// (so nothing predicted where nothing is counts as perfect).
//
// With K classes p and t are their shares (softmax of the logits, and the target, along the last axis). Each class has its
// MCC against all others, and the loss takes the mean of the K. For two classes both MCC are equal and the cross entropy is
// the binary one, so the loss of logits [0, x] is the binary loss of x.
//
// A target of background alone makes the root 0, where its slope is infinite. The radicand is therefore kept at
// least 1e-30: the loss stays what it is (the numerator is 0 there) and its gradient is 0, so the cross entropy
// alone teaches such a batch.

import {
  add,
  clip,
  div,
  mean,
  mul,
  sigmoid,
  sigmoidCrossEntropy,
  softmax,
  softmaxCrossEntropy,
  sqrt,
  sub,
  type Tensor,
} from "@saunet/core";
import { expectShape } from "@saunet/core/kernels";
import type { NetworkConfig } from "./config.ts";

/** Loss of logits against a target from 0 to 1 in the same shape: a tensor of one element. */
export type Loss = (logits: Tensor, target: Tensor) => Tensor;

const EPSILON = 1e-7;
const SMALLEST_RADICAND = 1e-30;

/** `(a + ε) / (b + ε)` */
const ratio = (a: Tensor, b: Tensor): Tensor => div(add(a, EPSILON), add(b, EPSILON));

const complement = (x: Tensor): Tensor => sub(1, x);

function averages(op: string, logits: Tensor, target: Tensor): { p: Tensor; t: Tensor; overlap: Tensor } {
  expectShape(op, "target", target.shape, logits.shape);
  const probability = sigmoid(logits);
  return { p: mean(probability), t: mean(target), overlap: mean(mul(probability, target)) };
}

/** Mean binary cross entropy; from logits, so it never sees log 0. */
export const crossEntropyLoss: Loss = (logits, target) => mean(sigmoidCrossEntropy(logits, target));

/** 1 - MCC: 0 for a perfect, 1 for an uninformed, 2 for an inverted prediction. */
export const mccLoss: Loss = (logits, target) => {
  return complement(mccOf(averages("mccLoss", logits, target), logits.size));
};

/** MCC from averages over so many positions. */
function mccOf({ p, t, overlap }: ReturnType<typeof averages>, positions: number): Tensor {
  const radicand = mul(mul(p, t), mul(complement(p), complement(t)));
  const root = sqrt(clip(radicand, { min: SMALLEST_RADICAND }));
  return div(sub(overlap, mul(p, t)), add(root, EPSILON / positions ** 2));
}

/** 1 - Dice (F1) with soft counts. */
export const diceLoss: Loss = (logits, target) => {
  const { p, t, overlap } = averages("diceLoss", logits, target);
  return complement(ratio(mul(2, overlap), add(p, t)));
};

/** 1 - Jaccard with soft counts. */
export const jaccardLoss: Loss = (logits, target) => {
  const { p, t, overlap } = averages("jaccardLoss", logits, target);
  return complement(ratio(overlap, sub(add(p, t), overlap)));
};

/**
 * The paper's loss: `crossEntropy · CE + mcc · (1 - MCC)`, both weights 0.5 where nothing else is said.
 *
 * @example
 * const loss = paperLoss();
 * console.log(loss(tensor([[9, -9]]), tensor([[1, 0]])).item().toFixed(3)); // 0.000
 */
export function paperLoss(weights: LossWeights = {}): Loss {
  return weighted(crossEntropyLoss, mccLoss, weights);
}

/** What each part of a loss counts; 0.5 where left out. */
export interface LossWeights {
  readonly crossEntropy?: number;
  readonly mcc?: number;
}

function weighted(ofEntropy: Loss, ofMcc: Loss, { crossEntropy = 0.5, mcc = 0.5 }: LossWeights): Loss {
  return (logits, target) =>
    add(mul(crossEntropy, ofEntropy(logits, target)), mul(mcc, ofMcc(logits, target)));
}

/** Mean cross entropy of the softmax over the last axis, against how much of each position is of each class. */
export const classCrossEntropyLoss: Loss = (logits, target) => {
  expectShape("classCrossEntropyLoss", "target", target.shape, logits.shape);
  return mean(softmaxCrossEntropy(logits, target));
};

/** 1 - the mean of the classes' MCC, each class against all others, with soft counts; classes lie along the last axis. */
export const classMccLoss: Loss = (logits, target) => {
  expectShape("classMccLoss", "target", target.shape, logits.shape);
  const axes = logits.shape.slice(1).map((_, axis) => axis);
  const shares = softmax(logits);
  const [p, t, overlap] = [shares, target, mul(shares, target)].map((each) => mean(each, { axes }));
  const classes = logits.shape[logits.shape.length - 1];
  return complement(mean(mccOf({ p, t, overlap }, logits.size / classes)));
};

/**
 * The paper's loss for several classes: `crossEntropy · CE + mcc · (1 - mean of the classes' MCC)`, both weights 0.5 by
 * default.
 *
 * @throws ShapeError where the target has another shape than the logits
 * @example
 * const loss = classLoss();
 * console.log(loss(tensor([[9, 0, 0], [0, 9, 0]]), tensor([[1, 0, 0], [0, 1, 0]])).item().toFixed(3)); // 0.167
 */
export function classLoss(weights: LossWeights = {}): Loss {
  return weighted(classCrossEntropyLoss, classMccLoss, weights);
}

/**
 * The loss that a network is trained with: the paper's, or its form for several classes.
 *
 * @example
 * console.log(lossOf(saUNetV2)(tensor([[9, -9]]), tensor([[1, 0]])).item().toFixed(3)); // 0.000
 */
export function lossOf({ classes }: NetworkConfig): Loss {
  return classes === undefined ? paperLoss() : classLoss();
}
