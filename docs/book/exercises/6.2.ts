/**
 * The way back through a normalisation without scale and shift: the gradient by `x`, given the gradient `g` by the
 * normalised numbers. Derive it before you look.
 */
export function gradientOfNormalise(x: readonly number[], g: readonly number[], epsilon: number): number[] {
  const average = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const mean = average(x);
  const r = 1 / Math.sqrt(average(x.map((value) => (value - mean) ** 2)) + epsilon);
  const normalised = x.map((value) => (value - mean) * r);
  const along = average(g.map((gradient, i) => gradient * normalised[i]));
  return g.map((gradient, i) => r * (gradient - average(g) - normalised[i] * along));
}
