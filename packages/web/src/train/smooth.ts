// The mean of a noisy curve, recent values counting most, from its first value on: an exponential mean that starts at 0
// is divided by the weight it has seen (as Adam does with its moments), so that it neither starts at 0 nor clings to
// the first loss, which is the largest.

/** How far a mean has come; plain data, to be kept with a run. */
export interface Level {
  readonly sum: number;
  readonly weight: number;
}

export const START: Level = { sum: 0, weight: 0 };
/** Weight of a new value. */
const FRESHNESS = 0.08;

/** Takes a value in. */
export const takeIn = ({ sum, weight }: Level, value: number): Level => ({
  sum: sum + FRESHNESS * (value - sum),
  weight: weight + FRESHNESS * (1 - weight),
});

export const meanOf = ({ sum, weight }: Level): number => sum / weight;
