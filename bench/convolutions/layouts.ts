// Our layouts and those of libraries that have channels before rows.

/** `[N,A,B]` of a flat array to `[N,B,A]`: rows and columns of pixels against channels. */
export function exchanged(data: Float32Array, N: number, A: number, B: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let n = 0; n < N; n++)
    for (let a = 0; a < A; a++)
      for (let b = 0; b < B; b++) out[(n * B + b) * A + a] = data[(n * A + a) * B + b];
  return out;
}

/** Filters `[T,A,B]` (T taps) to `[B,A,T]`: both kinds of filter end in the channels that others have first. */
export function filterFirst(data: Float32Array, T: number, A: number, B: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let t = 0; t < T; t++)
    for (let a = 0; a < A; a++)
      for (let b = 0; b < B; b++) out[(b * A + a) * T + t] = data[(t * A + a) * B + b];
  return out;
}
