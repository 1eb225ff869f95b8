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
  sqrt,
  sub,
  type Tensor,
} from "@saunet/core";
import { expectShape } from "@saunet/core/kernels";

/** Loss of logits against a target of 0 and 1 in the same shape: a tensor of one element. */
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
  const { p, t, overlap } = averages("mccLoss", logits, target);
  const radicand = mul(mul(p, t), mul(complement(p), complement(t)));
  const root = sqrt(clip(radicand, { min: SMALLEST_RADICAND }));
  const mcc = div(sub(overlap, mul(p, t)), add(root, EPSILON / logits.size ** 2));
  return complement(mcc);
};

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
export function paperLoss({
  crossEntropy = 0.5,
  mcc = 0.5,
}: {
  crossEntropy?: number;
  mcc?: number;
} = {}): Loss {
  return (logits, target) =>
    add(mul(crossEntropy, crossEntropyLoss(logits, target)), mul(mcc, mccLoss(logits, target)));
}
