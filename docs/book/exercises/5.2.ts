/**
 * The way back through `y[p] = Σ x[p + i]·w[i]` to the filter: given `x` and the gradient `gy` by `y`, the gradient by `w`,
 * which has `x.length - gy.length + 1` numbers.
 */
export function gradientOfFilter(x: readonly number[], gy: readonly number[]): number[] {
  return Array.from({ length: x.length - gy.length + 1 }, (_, i) =>
    gy.reduce((sum, gradient, p) => sum + gradient * x[p + i], 0),
  );
}
