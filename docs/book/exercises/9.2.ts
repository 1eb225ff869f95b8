/**
 * The learning rate of a step, along half a cosine: `highest` at step 0, `lowest` at step `last`.
 */
export function cosineRate(step: number, last: number, highest: number, lowest: number): number {
  return lowest + ((highest - lowest) * (1 + Math.cos((Math.PI * step) / last))) / 2;
}
