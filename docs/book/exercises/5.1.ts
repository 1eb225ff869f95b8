/**
 * The way back through `y[p] = Σ x[p + i]·w[i]` to `x`: given the gradient `gy` by `y`, the gradient by `x`, which has
 * `gy.length + w.length - 1` numbers.
 */
export function gradientOfInput(gy: readonly number[], w: readonly number[]): number[] {
  const gx = new Array<number>(gy.length + w.length - 1).fill(0);
  gy.forEach((gradient, p) => {
    w.forEach((tap, i) => {
      gx[p + i] += gradient * tap;
    });
  });
  return gx;
}
