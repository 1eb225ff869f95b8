/**
 * The cross entropy of one logit and a target from 0 to 1, right for logits as large as 1000 and as small as -1000.
 */
export function crossEntropy(logit: number, target: number): number {
  return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)));
}
