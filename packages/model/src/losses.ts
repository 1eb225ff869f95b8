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
  type Shape,
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

/**
 * A loss that sees its batch only through averages over all positions. So it can be computed a part of the batch at a time: the
 * averages of the parts first, then the loss of their average, and what its gradient hands back to each part.
 */
export interface LossOfAverages extends Loss {
  /** The averages over these positions, each one number, or one for each class. */
  readonly averages: (logits: Tensor, target: Tensor) => readonly Tensor[];
  /** The loss from averages over so many positions. */
  readonly ofAverages: (averages: readonly Tensor[], positions: number) => Tensor;
}

const EPSILON = 1e-7;
const SMALLEST_RADICAND = 1e-30;

/** `(a + ε) / (b + ε)` */
const ratio = (a: Tensor, b: Tensor): Tensor => div(add(a, EPSILON), add(b, EPSILON));

const complement = (x: Tensor): Tensor => sub(1, x);

function lossOfAverages(
  op: string,
  averages: LossOfAverages["averages"],
  ofAverages: LossOfAverages["ofAverages"],
  classesOf: (shape: Shape) => number,
): LossOfAverages {
  const checked = (logits: Tensor, target: Tensor) => {
    expectShape(op, "target", target.shape, logits.shape);
    return averages(logits, target);
  };
  const loss = (logits: Tensor, target: Tensor) =>
    ofAverages(checked(logits, target), logits.size / classesOf(logits.shape));
  return Object.assign(loss, { averages: checked, ofAverages });
}

/** Of logits that are one number a position. */
const binary = (op: string, ...parts: [LossOfAverages["averages"], LossOfAverages["ofAverages"]]) =>
  lossOfAverages(op, ...parts, () => 1);

/** Of logits that have one number for each class along the last axis. */
const ofClasses = (op: string, ...parts: [LossOfAverages["averages"], LossOfAverages["ofAverages"]]) =>
  lossOfAverages(op, ...parts, (shape) => shape[shape.length - 1]);

/** p̄, t̄ and o */
const shares = (logits: Tensor, target: Tensor): readonly Tensor[] => {
  const probability = sigmoid(logits);
  return [mean(probability), mean(target), mean(mul(probability, target))];
};

/** Mean binary cross entropy; from logits, so it never sees log 0. */
export const crossEntropyLoss: LossOfAverages = /* @__PURE__ */ binary(
  "crossEntropyLoss",
  (logits, target) => [mean(sigmoidCrossEntropy(logits, target))],
  ([entropy]) => entropy,
);

/** 1 - MCC: 0 for a perfect, 1 for an uninformed, 2 for an inverted prediction. */
export const mccLoss: LossOfAverages = /* @__PURE__ */ binary("mccLoss", shares, (averages, positions) =>
  complement(mccOf(averages, positions)),
);

/** MCC from averages over so many positions. */
function mccOf([p, t, overlap]: readonly Tensor[], positions: number): Tensor {
  const radicand = mul(mul(p, t), mul(complement(p), complement(t)));
  const root = sqrt(clip(radicand, { min: SMALLEST_RADICAND }));
  return div(sub(overlap, mul(p, t)), add(root, EPSILON / positions ** 2));
}

/** 1 - Dice (F1) with soft counts. */
export const diceLoss: LossOfAverages = /* @__PURE__ */ binary("diceLoss", shares, ([p, t, overlap]) =>
  complement(ratio(mul(2, overlap), add(p, t))),
);

/** 1 - Jaccard with soft counts. */
export const jaccardLoss: LossOfAverages = /* @__PURE__ */ binary("jaccardLoss", shares, ([p, t, overlap]) =>
  complement(ratio(overlap, sub(add(p, t), overlap))),
);

/**
 * The paper's loss: `crossEntropy · CE + mcc · (1 - MCC)`, both weights 0.5 where nothing else is said.
 *
 * @example
 * const loss = paperLoss();
 * console.log(loss(tensor([[9, -9]]), tensor([[1, 0]])).item().toFixed(3)); // 0.000
 */
export function paperLoss(weights: LossWeights = {}): LossOfAverages {
  return binary("paperLoss", ...weighted(crossEntropyLoss, mccLoss, weights));
}

/** What each part of a loss counts; 0.5 where left out. */
export interface LossWeights {
  readonly crossEntropy?: number;
  readonly mcc?: number;
}

function weighted(
  ofEntropy: LossOfAverages,
  ofMcc: LossOfAverages,
  { crossEntropy = 0.5, mcc = 0.5 }: LossWeights,
): [LossOfAverages["averages"], LossOfAverages["ofAverages"]] {
  return [
    (logits, target) => [...ofEntropy.averages(logits, target), ...ofMcc.averages(logits, target)],
    ([entropy, ...others], positions) =>
      add(
        mul(crossEntropy, ofEntropy.ofAverages([entropy], positions)),
        mul(mcc, ofMcc.ofAverages(others, positions)),
      ),
  ];
}

/** Mean cross entropy of the softmax over the last axis, against how much of each position is of each class. */
export const classCrossEntropyLoss: LossOfAverages = /* @__PURE__ */ ofClasses(
  "classCrossEntropyLoss",
  (logits, target) => [mean(softmaxCrossEntropy(logits, target))],
  ([entropy]) => entropy,
);

/** 1 - the mean of the classes' MCC, each class against all others, with soft counts; classes lie along the last axis. */
export const classMccLoss: LossOfAverages = /* @__PURE__ */ ofClasses(
  "classMccLoss",
  (logits, target) => {
    const axes = logits.shape.slice(1).map((_, axis) => axis);
    const probability = softmax(logits);
    return [probability, target, mul(probability, target)].map((each) => mean(each, { axes }));
  },
  (averages, positions) => complement(mean(mccOf(averages, positions))),
);

/**
 * The paper's loss for several classes: `crossEntropy · CE + mcc · (1 - mean of the classes' MCC)`, both weights 0.5 by
 * default.
 *
 * @throws ShapeError where the target has another shape than the logits
 * @example
 * const loss = classLoss();
 * console.log(loss(tensor([[9, 0, 0], [0, 9, 0]]), tensor([[1, 0, 0], [0, 1, 0]])).item().toFixed(3)); // 0.167
 */
export function classLoss(weights: LossWeights = {}): LossOfAverages {
  return ofClasses("classLoss", ...weighted(classCrossEntropyLoss, classMccLoss, weights));
}

/**
 * The loss that a network is trained with: the paper's, or its form for several classes.
 *
 * @example
 * console.log(lossOf(saUNetV2)(tensor([[9, -9]]), tensor([[1, 0]])).item().toFixed(3)); // 0.000
 */
export function lossOf({ classes }: NetworkConfig): LossOfAverages {
  return classes === undefined ? paperLoss() : classLoss();
}
