/**
 * The F1 of an answer: `probability` and `truth` have one number per pixel, and the answer is "vessel" where the
 * probability is at least 0.5. Where there is neither a vessel nor a pixel marked as one, the answer is perfect: return 1.
 */
export function f1Of(probability: ArrayLike<number>, truth: ArrayLike<number>): number {
  let [both, wrong] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    const marked = probability[i] >= 0.5;
    if (marked && truth[i] === 1) both++;
    else if (marked || truth[i] === 1) wrong++;
  }
  return both + wrong === 0 ? 1 : (2 * both) / (2 * both + wrong);
}
