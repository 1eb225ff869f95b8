// Where the temporary buffers of a program lie: two that are never alive together may share their bytes.
//
// Buffers are placed one by one, the largest first, each at the lowest offset where no buffer that is alive with it
// lies ("greedy by size"; Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020). No
// plan can do with less than the largest sum of bytes that are alive at one time, so that sum is returned too.

/** One buffer: its size, and the first and the last call that touches it. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Offsets of buffers in one block of memory. */
export interface ArenaPlan {
  readonly lifetimes: readonly Lifetime[];
  readonly offsets: readonly number[];
  /** Size of the block. */
  readonly bytes: number;
  /** The largest sum of bytes that are alive at one time: no plan needs less. */
  readonly lowerBound: number;
}

const overlap = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last;

/**
 * Places buffers: a pure function of their lifetimes.
 *
 * @param alignment every offset is a multiple of it
 * @example
 * const { offsets, bytes } = planArena([
 *   { bytes: 64, first: 0, last: 1 },
 *   { bytes: 64, first: 1, last: 2 },
 *   { bytes: 64, first: 2, last: 3 },
 * ]);
 * console.log(offsets, bytes); // [ 0, 64, 0 ] 128
 */
export function planArena(lifetimes: readonly Lifetime[], alignment = 64): ArenaPlan {
  const sizes = lifetimes.map(({ bytes }) => Math.ceil(bytes / alignment) * alignment);
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const bySize = lifetimes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a] || a - b);
  const placed: number[] = [];
  for (const i of bySize) {
    const neighbours = placed
      .filter((j) => overlap(lifetimes[i], lifetimes[j]))
      .sort((a, b) => offsets[a] - offsets[b]);
    let offset = 0;
    for (const j of neighbours) {
      if (offset + sizes[i] <= offsets[j]) break;
      offset = Math.max(offset, offsets[j] + sizes[j]);
    }
    offsets[i] = offset;
    placed.push(i);
  }
  const bytes = offsets.reduce((end, offset, i) => Math.max(end, offset + sizes[i]), 0);
  return { lifetimes, offsets, bytes, lowerBound: mostAlive(lifetimes, sizes) };
}

function mostAlive(lifetimes: readonly Lifetime[], sizes: readonly number[]): number {
  const change = new Map<number, number>();
  lifetimes.forEach(({ first, last }, i) => {
    change.set(first, (change.get(first) ?? 0) + sizes[i]);
    change.set(last + 1, (change.get(last + 1) ?? 0) - sizes[i]);
  });
  let alive = 0;
  let most = 0;
  for (const [, bytes] of [...change].sort(([a], [b]) => a - b)) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
}
