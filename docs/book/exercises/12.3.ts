/**
 * How long a program takes with a barrier after each call. `calls[i][t]` is the time that thread `t` works on call `i`.
 */
export function timeOf(calls: readonly (readonly number[])[]): number {
  return calls.reduce((sum, threads) => sum + Math.max(...threads), 0);
}
