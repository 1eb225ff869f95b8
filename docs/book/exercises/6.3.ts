/**
 * The derivative of `tanh(x) = (e^x - e^-x) / (e^x + e^-x)`, written with `tanh(x)` itself, as the sigmoid's is written with
 * the sigmoid. Use `Math.tanh` once.
 */
export function slopeOfTanh(x: number): number {
  const y = Math.tanh(x);
  return 1 - y * y;
}
