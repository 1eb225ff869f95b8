/**
 * Whether `back` is the adjoint of `forward`: compare the two inner products for these `x` and `y`. They count as equal
 * where they differ by at most 1e-9 of the larger one.
 */
export function isAdjoint(
  forward: (x: readonly number[]) => number[],
  back: (y: readonly number[]) => number[],
  x: readonly number[],
  y: readonly number[],
): boolean {
  const inner = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * b[i], 0);
  const [left, right] = [inner(forward(x), y), inner(x, back(y))];
  return Math.abs(left - right) <= 1e-9 * Math.max(Math.abs(left), Math.abs(right));
}
