// What a list of times says, by order alone: the middle, how sure it is, the spread around it and the best; and whether two
// lists differ. Times have long tails to one side, so nothing here is a mean or wants a normal distribution.

/** Times of one thing, in milliseconds. */
export interface Summary {
  readonly runs: number;
  readonly median_ms: number;
  /** The 95 % interval of the median, by bootstrap. */
  readonly low_ms: number;
  readonly high_ms: number;
  /** Median absolute deviation from the median: half of the runs lie closer to it than this. */
  readonly mad_ms: number;
  readonly min_ms: number;
}

/** The middle of the values; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("median: wants at least one value");
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What the interval leaves out on each side. */
const LEFT_OUT = 0.025;

/**
 * The 95 % interval of the median by the percentile bootstrap (Efron, 1979). Its median of `n` draws is at most the k-th
 * value where at least half of them are, which has the probability of a binomial distribution: so it takes no draws, and is
 * what more and more of them would lead to. Where `n` is even, the lower limit is that of the lower of the two middle
 * values and the upper limit that of the upper one, which is the wider side.
 */
export function medianInterval(values: readonly number[]): readonly [number, number] {
  const sorted = Float64Array.from(values).sort();
  const { length } = sorted;
  const half = (length + 1) >> 1;
  const choices = logChoices(length, half);
  let [low, high] = [1, half];
  while (low < high) {
    const k = (low + high) >> 1;
    if (binomialTail(length, half, k / length, choices) >= LEFT_OUT) high = k;
    else low = k + 1;
  }
  return [sorted[low - 1], sorted[length - low]];
}

/** How many choices of `k` among `n` there are, as a logarithm. */
function logChoices(n: number, k: number): number {
  let log = 0;
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return log;
}

/** The probability of `k` or more of `n`, each of probability `p`; `choices` is `logChoices(n, k)`. */
function binomialTail(n: number, k: number, p: number, choices: number): number {
  if (p === 1) return 1;
  let term = Math.exp(choices + k * Math.log(p) + (n - k) * Math.log1p(-p));
  let tail = term;
  for (let j = k; j < n; j++) {
    term *= ((n - j) / (j + 1)) * (p / (1 - p));
    tail += term;
  }
  return tail;
}

/**
 * The summary of what several processes took. Runs of one process share its memory and its compiled code, so where there
 * are several, median, interval and deviation are those of the processes' medians; from one process alone the interval
 * says nothing about another process.
 */
export function summarize(processes: readonly (readonly number[])[]): Summary {
  const all = processes.flat();
  const values = processes.length === 1 ? all : processes.map(median);
  const middle = median(values);
  const [low, high] = medianInterval(values);
  return {
    runs: all.length,
    median_ms: middle,
    low_ms: low,
    high_ms: high,
    mad_ms: median(values.map((time) => Math.abs(time - middle))),
    min_ms: all.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY),
  };
}

/** Up to so many values in both lists the distribution of rank sums is counted out. */
const MOST_COUNTED = 60;

/**
 * How likely two lists that come from the same distribution are at least as far apart in rank: the two-sided p-value of the
 * rank-sum test (Wilcoxon 1945; Mann and Whitney 1947). It is exact, ties included, up to 60 values together, and from the
 * normal approximation with the correction for ties (Lehmann, Nonparametrics, 1975) beyond.
 */
export function rankTest(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const ranks = doubledRanks([...a, ...b]);
  const observed = ranks.slice(0, a.length).reduce((sum, rank) => sum + rank, 0);
  const count = ranks.length;
  // Ranks are doubled so that those of ties are whole; so is their mean, a.length · (count + 1).
  const distance = Math.abs(observed - a.length * (count + 1));
  return count <= MOST_COUNTED
    ? countedTail(ranks, a.length, distance)
    : normalTail(ranks, a.length, distance);
}

/** Twice each value's rank, that of ties the mean of theirs. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) ranks[order[i]] = start + 1 + end;
    start = end;
  }
  return ranks;
}

/** The share of all choices of `size` ranks whose sum is at least so far from its mean. */
function countedTail(ranks: readonly number[], size: number, distance: number): number {
  const most = ranks.reduce((sum, rank) => sum + rank, 0);
  // ways[k][s]: choices of k of the ranks so far with the sum s
  const ways = Array.from({ length: size + 1 }, () => new Float64Array(most + 1));
  ways[0][0] = 1;
  for (const rank of ranks)
    for (let k = size; k >= 1; k--) for (let s = most; s >= rank; s--) ways[k][s] += ways[k - 1][s - rank];
  const mean = size * (ranks.length + 1);
  let [far, all] = [0, 0];
  ways[size].forEach((number, sum) => {
    all += number;
    if (Math.abs(sum - mean) >= distance) far += number;
  });
  return far / all;
}

function normalTail(ranks: readonly number[], size: number, distance: number): number {
  const count = ranks.length;
  const ties = new Map<number, number>();
  for (const rank of ranks) ties.set(rank, (ties.get(rank) ?? 0) + 1);
  const tied = [...ties.values()].reduce((sum, t) => sum + t ** 3 - t, 0);
  const variance = ((size * (count - size)) / 12) * (count + 1 - tied / (count * (count - 1)));
  // Back to single ranks, half a step closer for the step from whole sums to a curve.
  const z = Math.max(0, distance / 2 - 0.5) / Math.sqrt(variance || 1);
  return complementaryError(z / Math.SQRT2);
}

/** 1 - erf(x) for x of at least 0, to 1.2e-7 of its value (Numerical Recipes, 2nd edition, section 6.2). */
function complementaryError(x: number): number {
  const t = 1 / (1 + x / 2);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  const exponent = coefficients.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  return t * Math.exp(-x * x + exponent);
}

/** The least p-value that lists of these lengths can have, when none of their values mix. */
export function leastPossible(a: number, b: number): number {
  let choices = 1;
  for (let i = 1; i <= a; i++) choices *= (b + i) / i;
  return Math.min(1, 2 / choices);
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
