/**
 * A tile of a matrix product, 2 rows by 2 columns: `y[p, o] = Σ_k x[p, k] · w[k, o]` for `K` numbers k, as the four numbers
 * `[y00, y01, y10, y11]`. `x` is `[2, K]` and `w` is `[K, 2]`, both row-major. **Load every number of `x` and `w` only once**;
 * the check counts.
 */
export function tileOf2x2(x: ArrayLike<number>, w: ArrayLike<number>, K: number): number[] {
  let [y00, y01, y10, y11] = [0, 0, 0, 0];
  for (let k = 0; k < K; k++) {
    const [x0, x1] = [x[k], x[K + k]];
    const [w0, w1] = [w[2 * k], w[2 * k + 1]];
    y00 += x0 * w0;
    y01 += x0 * w1;
    y10 += x1 * w0;
    y11 += x1 * w1;
  }
  return [y00, y01, y10, y11];
}
