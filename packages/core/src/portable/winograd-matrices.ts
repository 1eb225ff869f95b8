// Winograd's F(6x6, 3x3): a stride-1 convolution with a 3x3 filter in 64 products for 36 outputs of a channel pair
// instead of 324 (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015).
//
// One axis. A polynomial of degree 5 times one of degree 2 has degree 7, so its values at 8 points fix it: evaluate
// both, multiply point by point, interpolate. That algorithm transposed is a correlation of 8 inputs d with 3 taps g
// into 6 outputs, y = Aᵀ [ (G g) ⊙ (Bᵀ d) ]. The points are 0, 1, -1, 2, -2, 1/2, -1/2 and ∞. For a finite point p
//   Aᵀ has the column (1, p, … p⁵),   G the row (1, p, p²) / Π (p - q),   Bᵀ the coefficients of Π (x - q), rising,
// both products over the other finite points q; the row of 0 is negated in G and in Bᵀ. ∞ stands for the leading
// coefficient: (0, … 1) in Aᵀ and G, and in Bᵀ the coefficients of Π (x - q) over all finite q.
//
//        | 1    0  -21/4    0    21/4    0   -1  0 |        |   1      0      0   |
//        | 0    1    1   -17/4  -17/4    1    1  0 |        | -2/9   -2/9   -2/9  |
//        | 0   -1    1    17/4  -17/4   -1    1  0 |        | -2/9    2/9   -2/9  |
//   Bᵀ = | 0   1/2  1/4   -5/2   -5/4    2    1  0 |    G = |  1/90   1/45   2/45 |
//        | 0  -1/2  1/4    5/2   -5/4   -2    1  0 |        |  1/90  -1/45   2/45 |
//        | 0    2    4    -5/2    -5    1/2   1  0 |        | 32/45  16/45   8/45 |
//        | 0   -2    4     5/2    -5   -1/2   1  0 |        | 32/45 -16/45   8/45 |
//        | 0   -1    0    21/4     0  -21/4   0  1 |        |   0      0      1   |
//
//        | 1  1   1   1    1    1     1    0 |
//        | 0  1  -1   2   -2   1/2  -1/2   0 |
//   Aᵀ = | 0  1   1   4    4   1/4   1/4   0 |
//        | 0  1  -1   8   -8   1/8  -1/8   0 |
//        | 0  1   1  16   16  1/16  1/16   0 |
//        | 0  1  -1  32  -32  1/32 -1/32   1 |
//
// Points come in pairs ±p, whose rows differ in the sign of every other term: the code shares even and odd parts.
// On two axes the transforms run over columns first, then over rows; summed over channels, each of the 64 points is a
// matrix product.
//
// Rounding: the largest row sums of |Aᵀ|, |G| and |Bᵀ| are 67, 1.3 and 15, so an error may grow 1250-fold an axis.
// Everything between the operands is in double, where that is harmless: in 3000 random cases the largest error was
// 3.4e-14 of the largest element for double operands, and 4e-9, a float rounded to its neighbour, for floats.

/** Outputs of a tile along an axis. */
export const TILE = 6;
/** Points along an axis, which is also the inputs that a tile reads. */
export const POINTS = 8;

// The products with a matrix: numbers of the column lie `distance` apart in `from`, those of the result `step`
// apart in `to`; `count` neighbouring columns at once. All reads of a column come before its writes, so a result may
// take the place of its column.

/** `to = G from`: 3 taps into 8 values. */
export function timesG(
  to: Float64Array,
  at: number,
  step: number,
  from: Float64Array,
  start: number,
  distance: number,
): void {
  const g0 = from[start];
  const g1 = from[start + distance];
  const g2 = from[start + 2 * distance];
  to[at] = g0;
  to[at + step] = (-2 / 9) * (g0 + g1 + g2);
  to[at + 2 * step] = (-2 / 9) * (g0 - g1 + g2);
  to[at + 3 * step] = (g0 + 2 * g1 + 4 * g2) / 90;
  to[at + 4 * step] = (g0 - 2 * g1 + 4 * g2) / 90;
  to[at + 5 * step] = (32 * g0 + 16 * g1 + 8 * g2) / 45;
  to[at + 6 * step] = (32 * g0 - 16 * g1 + 8 * g2) / 45;
  to[at + 7 * step] = g2;
}

/** `to = Gᵀ from`: 8 values into 3 taps. */
export function timesGTransposed(
  to: Float64Array,
  at: number,
  step: number,
  from: Float64Array,
  start: number,
  distance: number,
): void {
  const v0 = from[start];
  const v1 = from[start + distance];
  const v2 = from[start + 2 * distance];
  const v3 = from[start + 3 * distance];
  const v4 = from[start + 4 * distance];
  const v5 = from[start + 5 * distance];
  const v6 = from[start + 6 * distance];
  const v7 = from[start + 7 * distance];
  const even1 = (-2 / 9) * (v1 + v2);
  const odd1 = (-2 / 9) * (v1 - v2);
  const even2 = (v3 + v4) / 90;
  const odd2 = (v3 - v4) / 90;
  const even3 = (v5 + v6) / 45;
  const odd3 = (v5 - v6) / 45;
  to[at] = v0 + even1 + even2 + 32 * even3;
  to[at + step] = odd1 + 2 * odd2 + 16 * odd3;
  to[at + 2 * step] = even1 + 4 * even2 + 8 * even3 + v7;
}

/** `to = Bᵀ from`: 8 inputs into 8 values. */
export function timesB(
  to: Float64Array,
  at: number,
  step: number,
  from: Float64Array,
  start: number,
  distance: number,
  count: number,
): void {
  for (let e = 0; e < count; e++) {
    const s = start + e;
    const d0 = from[s];
    const d1 = from[s + distance];
    const d2 = from[s + 2 * distance];
    const d3 = from[s + 3 * distance];
    const d4 = from[s + 4 * distance];
    const d5 = from[s + 5 * distance];
    const d6 = from[s + 6 * distance];
    const d7 = from[s + 7 * distance];
    const even1 = d2 - 4.25 * d4 + d6;
    const odd1 = d1 - 4.25 * d3 + d5;
    const even2 = 0.25 * d2 - 1.25 * d4 + d6;
    const odd2 = 0.5 * d1 - 2.5 * d3 + 2 * d5;
    const even3 = 4 * d2 - 5 * d4 + d6;
    const odd3 = 2 * d1 - 2.5 * d3 + 0.5 * d5;
    const a = at + e;
    to[a] = d0 - d6 + 5.25 * (d4 - d2);
    to[a + step] = even1 + odd1;
    to[a + 2 * step] = even1 - odd1;
    to[a + 3 * step] = even2 + odd2;
    to[a + 4 * step] = even2 - odd2;
    to[a + 5 * step] = even3 + odd3;
    to[a + 6 * step] = even3 - odd3;
    to[a + 7 * step] = d7 - d1 + 5.25 * (d3 - d5);
  }
}

/** `to = Aᵀ from`: 8 values into 6 outputs. */
export function timesA(
  to: Float64Array,
  at: number,
  step: number,
  from: Float64Array,
  start: number,
  distance: number,
  count: number,
): void {
  for (let e = 0; e < count; e++) {
    const s = start + e;
    const m0 = from[s];
    const m1 = from[s + distance];
    const m2 = from[s + 2 * distance];
    const m3 = from[s + 3 * distance];
    const m4 = from[s + 4 * distance];
    const m5 = from[s + 5 * distance];
    const m6 = from[s + 6 * distance];
    const m7 = from[s + 7 * distance];
    const even1 = m1 + m2;
    const odd1 = m1 - m2;
    const even2 = m3 + m4;
    const odd2 = m3 - m4;
    const even3 = m5 + m6;
    const odd3 = m5 - m6;
    const a = at + e;
    to[a] = m0 + even1 + even2 + even3;
    to[a + step] = odd1 + 2 * odd2 + 0.5 * odd3;
    to[a + 2 * step] = even1 + 4 * even2 + 0.25 * even3;
    to[a + 3 * step] = odd1 + 8 * odd2 + 0.125 * odd3;
    to[a + 4 * step] = even1 + 16 * even2 + 0.0625 * even3;
    to[a + 5 * step] = odd1 + 32 * odd2 + 0.03125 * odd3 + m7;
  }
}

/** `to = A from`: 6 outputs into 8 values. */
export function timesATransposed(
  to: Float64Array,
  at: number,
  step: number,
  from: Float64Array,
  start: number,
  distance: number,
  count: number,
): void {
  for (let e = 0; e < count; e++) {
    const s = start + e;
    const y0 = from[s];
    const y1 = from[s + distance];
    const y2 = from[s + 2 * distance];
    const y3 = from[s + 3 * distance];
    const y4 = from[s + 4 * distance];
    const y5 = from[s + 5 * distance];
    const even1 = y0 + y2 + y4;
    const odd1 = y1 + y3 + y5;
    const even2 = y0 + 4 * y2 + 16 * y4;
    const odd2 = 2 * y1 + 8 * y3 + 32 * y5;
    const even3 = y0 + 0.25 * y2 + 0.0625 * y4;
    const odd3 = 0.5 * y1 + 0.125 * y3 + 0.03125 * y5;
    const a = at + e;
    to[a] = y0;
    to[a + step] = even1 + odd1;
    to[a + 2 * step] = even1 - odd1;
    to[a + 3 * step] = even2 + odd2;
    to[a + 4 * step] = even2 - odd2;
    to[a + 5 * step] = even3 + odd3;
    to[a + 6 * step] = even3 - odd3;
    to[a + 7 * step] = y5;
  }
}
