/**
 * The most bytes that are alive at one time: no arena can be smaller. Each buffer has its size in `bytes`, and the `first` and
 * the `last` call that touches it; it is alive during both.
 */
export function mostAlive(
  buffers: readonly { readonly bytes: number; readonly first: number; readonly last: number }[],
): number {
  let most = 0;
  for (const { first: call } of buffers) {
    let alive = 0;
    for (const { bytes, first, last } of buffers) if (first <= call && call <= last) alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
}
