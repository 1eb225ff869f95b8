// What a list of times says: the middle, the spread around it and the best.

/** Times of one thing, in milliseconds. */
export interface Summary {
  readonly runs: number;
  readonly median_ms: number;
  /** Median absolute deviation from the median: half of the runs lie closer to it than this. */
  readonly mad_ms: number;
  readonly min_ms: number;
}

/** The middle of the values; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("median: wants at least one value");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, deviation and minimum of times in milliseconds. */
export function summarize(times: readonly number[]): Summary {
  const middle = median(times);
  return {
    runs: times.length,
    median_ms: middle,
    mad_ms: median(times.map((time) => Math.abs(time - middle))),
    min_ms: Math.min(...times),
  };
}

/** The summary of one call, where a run makes several. */
export function perCall({ runs, median_ms, mad_ms, min_ms }: Summary, calls: number): Summary {
  return { runs, median_ms: median_ms / calls, mad_ms: mad_ms / calls, min_ms: min_ms / calls };
}

/** `max |a - b|`; infinite where the lengths differ or an element is no number. */
export function maxAbsDiff(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  }
  return largest;
}
