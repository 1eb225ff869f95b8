/**
 * One step of Adam for one parameter: returns the new `[w, m, v]`. `t` is the number of this step, 1 at first. As in the
 * engine, `epsilon` is 1e-7 and is added to the root, and both corrections are one factor on the learning rate.
 */
export function adamStep(
  [w, m, v]: readonly [number, number, number],
  g: number,
  t: number,
  rate: number,
): [number, number, number] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-7];
  const mean = beta1 * m + (1 - beta1) * g;
  const square = beta2 * v + (1 - beta2) * g * g;
  const corrected = (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
  return [w - (corrected * mean) / (Math.sqrt(square) + epsilon), mean, square];
}
