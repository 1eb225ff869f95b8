// What is called vessel at a threshold: what is seen, saved, corrected and measured.

/** What was found; one element a pixel. */
export interface Probabilities {
  readonly probability: Float32Array;
  readonly field: Uint8Array;
}

/** A byte a pixel, 1 where the probability reaches the threshold; with `fieldOnly`, in the field of view alone. */
export function calledVessel(
  { probability, field }: Probabilities,
  threshold: number,
  fieldOnly: boolean,
): Uint8Array {
  const called = new Uint8Array(probability.length);
  for (let pixel = 0; pixel < called.length; pixel++)
    called[pixel] = probability[pixel] >= threshold && !(fieldOnly && field[pixel] === 0) ? 1 : 0;
  return called;
}
