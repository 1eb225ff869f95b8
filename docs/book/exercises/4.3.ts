/**
 * The derivative of `f` at `x` by a trial on either side: the central difference quotient with steps of `h`.
 */
export function quotient(f: (x: number) => number, x: number, h: number): number {
  return (f(x + h) - f(x - h)) / (2 * h);
}
