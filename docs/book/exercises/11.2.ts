/**
 * The row of `G` for a finite point `p`: `(1, p, p²)` divided by the product of `p - q` over the other finite points
 * `q`. For F(2, 3) and the point 1, whose others are 0 and -1, it is `[0.5, 0.5, 0.5]`.
 */
export function rowOfG(p: number, others: readonly number[]): number[] {
  const divisor = others.reduce((product, q) => product * (p - q), 1);
  return [1 / divisor, p / divisor, (p * p) / divisor];
}
