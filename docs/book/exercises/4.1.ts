/**
 * The gradient of `L = (w1·x1 + w2·x2 - t)²` by `w1` and by `w2`, as `[dL/dw1, dL/dw2]`. Derive it on paper; use numbers alone.
 */
export function gradientOfTwo(w1: number, w2: number, x1: number, x2: number, t: number): [number, number] {
  const error = w1 * x1 + w2 * x2 - t;
  return [2 * error * x1, 2 * error * x2];
}
