/**
 * F(2, 3): two outputs of three taps `g` from four inputs `d`. Everything that multiplies something made of `d` by something
 * made of `g` must go through `times`, at most four times. (Halving a sum of taps is free.)
 */
export function f23(
  d: readonly number[],
  g: readonly number[],
  times: (a: number, b: number) => number,
): [number, number] {
  const m1 = times(d[0] - d[2], g[0]);
  const m2 = times(d[1] + d[2], (g[0] + g[1] + g[2]) / 2);
  const m3 = times(d[2] - d[1], (g[0] - g[1] + g[2]) / 2);
  const m4 = times(d[3] - d[1], g[2]);
  return [m1 + m2 + m3, m2 - m3 + m4];
}
