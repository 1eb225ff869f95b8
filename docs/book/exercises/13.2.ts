/**
 * One draw of the bootstrap: as many values as there are, drawn with replacement, and their mean. `random()` gives numbers from 0
 * up to, but not including, 1; each call gives the place of one value.
 */
export function drawnMean(values: readonly number[], random: () => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)];
  return sum / values.length;
}
