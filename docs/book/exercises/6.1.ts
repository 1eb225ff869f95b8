/**
 * The normalised numbers: `(x - mean) / sqrt(variance + epsilon)`, with the variance that divides by the number of numbers.
 */
export function normalise(x: readonly number[], epsilon: number): number[] {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
}
