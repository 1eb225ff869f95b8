/**
 * How many times fewer multiplications `F(m, r)` takes than the direct sum, in two dimensions: `m` by `m` outputs of a filter
 * with `r` by `r` taps. `saving(2, 3)` is 2.25.
 */
export function saving(m: number, r: number): number {
  return ((m * r) / (m + r - 1)) ** 2;
}
