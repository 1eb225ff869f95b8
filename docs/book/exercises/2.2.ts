/**
 * A kernel that adds one number per channel: `y[i, c] = x[i, c] + b[c]`. `x` and `y` are flat arrays whose last axis has as
 * many channels as `b`. Fill every element of `y`, and change nothing else.
 */
export function addBias(y: Float32Array, x: Float32Array, b: Float32Array): void {
  for (let i = 0; i < y.length; i++) y[i] = x[i] + b[i % b.length];
}
