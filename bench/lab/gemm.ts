// A matrix product in doubles, three rows by four columns at a time: twelve sums in registers, and seven loads for
// twelve products. Attempts 5, 7 and 8 are this product with different preludes.

/**
 * `out[r,o] = start[o] + Σ_k a[r,k] · b[k,o]`
 *
 * @param rows a multiple of 3
 * @param columns a multiple of 4
 * @param b four columns side by side: `[columns/4][inner][4]`
 */
export function gemm(
  out: Float64Array,
  outAt: number,
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  start: ArrayLike<number>,
  rows: number,
  inner: number,
  columns: number,
): void {
  for (let o = 0; o < columns; o += 4)
    for (let row = 0; row < rows; row += 3) {
      let s00 = start[o];
      let s01 = start[o + 1];
      let s02 = start[o + 2];
      let s03 = start[o + 3];
      let s10 = s00;
      let s11 = s01;
      let s12 = s02;
      let s13 = s03;
      let s20 = s00;
      let s21 = s01;
      let s22 = s02;
      let s23 = s03;
      let p = aAt + row * inner;
      let q = p + inner;
      let r = q + inner;
      let w = bAt + o * inner;
      for (const end = q; p < end; p++, q++, r++, w += 4) {
        const w0 = b[w];
        const w1 = b[w + 1];
        const w2 = b[w + 2];
        const w3 = b[w + 3];
        const x0 = a[p];
        s00 += x0 * w0;
        s01 += x0 * w1;
        s02 += x0 * w2;
        s03 += x0 * w3;
        const x1 = a[q];
        s10 += x1 * w0;
        s11 += x1 * w1;
        s12 += x1 * w2;
        s13 += x1 * w3;
        const x2 = a[r];
        s20 += x2 * w0;
        s21 += x2 * w1;
        s22 += x2 * w2;
        s23 += x2 * w3;
      }
      let at = outAt + row * columns + o;
      out[at] = s00;
      out[at + 1] = s01;
      out[at + 2] = s02;
      out[at + 3] = s03;
      at += columns;
      out[at] = s10;
      out[at + 1] = s11;
      out[at + 2] = s12;
      out[at + 3] = s13;
      at += columns;
      out[at] = s20;
      out[at + 1] = s21;
      out[at + 2] = s22;
      out[at + 3] = s23;
    }
}
