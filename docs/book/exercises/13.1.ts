/**
 * The threshold of the highest F1, among 0.1, 0.2, … 0.9; of several, the lowest. A pixel is marked where its probability is at
 * least the threshold.
 */
export function bestThreshold(probability: ArrayLike<number>, truth: ArrayLike<number>): number {
  let [best, highest] = [0, -1];
  for (let step = 1; step <= 9; step++) {
    const threshold = step / 10;
    let [both, wrong] = [0, 0];
    for (let i = 0; i < truth.length; i++) {
      const marked = probability[i] >= threshold;
      if (marked && truth[i] === 1) both++;
      else if (marked || truth[i] === 1) wrong++;
    }
    const f1 = (2 * both) / (2 * both + wrong);
    if (f1 > highest) [best, highest] = [threshold, f1];
  }
  return best;
}
