/**
 * The gradient of the MCC (not of the loss) by each *probability*, from soft counts.
 */
export function gradientOfMcc(probability: readonly number[], truth: readonly number[]): number[] {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [p, t, o] = [mean(probability), mean(truth), mean(probability.map((each, i) => each * truth[i]))];
  const root = Math.sqrt(p * (1 - p) * t * (1 - t));
  const mcc = (o - p * t) / root;
  return truth.map((own) => ((own - t) / root - (mcc * (1 - 2 * p)) / (2 * p * (1 - p))) / truth.length);
}
