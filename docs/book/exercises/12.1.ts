/**
 * Whether two calls of a program may change places. For each, `reads` and `writes` are the numbers of the buffers that it
 * reads and writes.
 */
export function mayChangePlaces(
  a: { readonly reads: readonly number[]; readonly writes: readonly number[] },
  b: { readonly reads: readonly number[]; readonly writes: readonly number[] },
): boolean {
  const touches = (buffer: number): boolean => b.reads.includes(buffer) || b.writes.includes(buffer);
  return !a.writes.some(touches) && !b.writes.some((buffer) => a.reads.includes(buffer));
}
