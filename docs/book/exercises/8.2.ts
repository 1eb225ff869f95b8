/**
 * The MCC of an answer by soft counts, from the averages `p̄`, `t̄` and `o`. Neither list is all 0 or all 1.
 */
export function softMcc(probability: readonly number[], truth: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [p, t, o] = [mean(probability), mean(truth), mean(probability.map((each, i) => each * truth[i]))];
  return (o - p * t) / Math.sqrt(p * (1 - p) * t * (1 - t));
}
