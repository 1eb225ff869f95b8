// The inner step of both filter gradients: sums of outer products, sixteen sums in registers.

/**
 * `sum[row][column] += Σ_t a[t][row] · b[t][column]` over `count` values of t, in tiles of 4 x 4. Where `rows` or
 * `columns` are no multiple of 4 the tiles reach over: `sum` has room for whole tiles (`width` numbers per row), what is
 * summed up beyond is meaningless, and `a` and `b` go on for 3 more numbers, as reading past an array is slow.
 */
export function addOuterProducts(
  sum: Float64Array,
  at: number,
  width: number,
  a: Float64Array,
  aStart: number,
  aStep: number,
  rows: number,
  b: Float64Array,
  bStart: number,
  bStep: number,
  columns: number,
  count: number,
): void {
  for (let row = 0; row < rows; row += 4)
    for (let column = 0; column < columns; column += 4) {
      const s0 = at + row * width + column;
      const s1 = s0 + width;
      const s2 = s1 + width;
      const s3 = s2 + width;
      let c00 = sum[s0];
      let c01 = sum[s0 + 1];
      let c02 = sum[s0 + 2];
      let c03 = sum[s0 + 3];
      let c10 = sum[s1];
      let c11 = sum[s1 + 1];
      let c12 = sum[s1 + 2];
      let c13 = sum[s1 + 3];
      let c20 = sum[s2];
      let c21 = sum[s2 + 1];
      let c22 = sum[s2 + 2];
      let c23 = sum[s2 + 3];
      let c30 = sum[s3];
      let c31 = sum[s3 + 1];
      let c32 = sum[s3 + 2];
      let c33 = sum[s3 + 3];
      let p = aStart + row;
      let q = bStart + column;
      for (let t = 0; t < count; t++) {
        const b0 = b[q];
        const b1 = b[q + 1];
        const b2 = b[q + 2];
        const b3 = b[q + 3];
        const a0 = a[p];
        c00 += a0 * b0;
        c01 += a0 * b1;
        c02 += a0 * b2;
        c03 += a0 * b3;
        const a1 = a[p + 1];
        c10 += a1 * b0;
        c11 += a1 * b1;
        c12 += a1 * b2;
        c13 += a1 * b3;
        const a2 = a[p + 2];
        c20 += a2 * b0;
        c21 += a2 * b1;
        c22 += a2 * b2;
        c23 += a2 * b3;
        const a3 = a[p + 3];
        c30 += a3 * b0;
        c31 += a3 * b1;
        c32 += a3 * b2;
        c33 += a3 * b3;
        p += aStep;
        q += bStep;
      }
      sum[s0] = c00;
      sum[s0 + 1] = c01;
      sum[s0 + 2] = c02;
      sum[s0 + 3] = c03;
      sum[s1] = c10;
      sum[s1 + 1] = c11;
      sum[s1 + 2] = c12;
      sum[s1 + 3] = c13;
      sum[s2] = c20;
      sum[s2 + 1] = c21;
      sum[s2 + 2] = c22;
      sum[s2 + 3] = c23;
      sum[s3] = c30;
      sum[s3 + 1] = c31;
      sum[s3 + 2] = c32;
      sum[s3 + 3] = c33;
    }
}
