// Winograd's convolutions along one axis: correlations with few taps in fewer products than outputs times taps
// (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015).
//
// y = output · [ (filter · g) ⊙ (input · d) ]   for d inputs of a tile, g taps, y outputs; three small matrices.
//
// F(m, r), m outputs and r taps: a polynomial of degree m - 1 times one of degree r - 1 has degree n - 1 = m + r - 2,
// so its values at n points fix it: evaluate both, multiply point by point, interpolate. That algorithm transposed is
// the correlation. One point is ∞, which stands for the leading coefficient. For a finite point p and the other
// finite points q,
//   the column of `output` is (1, p, … p^(m-1)), the row of `filter` (1, p, … p^(r-1)) / Π (p - q),
//   the row of `input` the coefficients of Π (x - q), rising;
// for ∞: (0, … 1) in `output` and `filter`, and in `input` the coefficients of Π (x - q) over all finite points.
//
// Two axes take the matrices one after the other, so a tile of m x m outputs costs n x n products: for three taps
// F(4, 3) takes 2.25 products an output instead of 9, F(6, 3) takes 1.78.

/** Rows of coefficients. */
export type Matrix = readonly (readonly number[])[];

/** An algorithm for one tile of one axis. */
export interface Bilinear {
  /** Inputs that a tile reads, products that it takes, outputs that it gives. */
  readonly inputs: number;
  readonly points: number;
  readonly outputs: number;
  readonly taps: number;
  readonly input: Matrix;
  readonly filter: Matrix;
  readonly output: Matrix;
}

/** F(outputs, taps) with the given finite points; there must be `outputs + taps - 2` of them. */
export function winograd(outputs: number, taps: number, finite: readonly number[]): Bilinear {
  const points = finite.length + 1;
  const others = (p: number) => finite.filter((q) => q !== p);
  const powers = (p: number, count: number) => Array.from({ length: count }, (_, k) => p ** k);
  const last = (count: number) => Array.from({ length: count }, (_, k) => (k === count - 1 ? 1 : 0));
  const columns = [...finite.map((p) => powers(p, outputs)), last(outputs)];
  return {
    inputs: points,
    points,
    outputs,
    taps,
    input: [...finite.map((p) => [...polynomial(others(p)), 0]), polynomial(finite)],
    filter: [
      ...finite.map((p) => {
        const scale = others(p).reduce((product, q) => product * (p - q), 1);
        return powers(p, taps).map((power) => power / scale);
      }),
      last(taps),
    ],
    output: transpose(columns),
  };
}

/** The coefficients of Π (x - root), rising. */
function polynomial(roots: readonly number[]): number[] {
  let coefficients = [1];
  for (const root of roots) {
    const [shifted, scaled] = [
      [0, ...coefficients],
      [...coefficients.map((c) => -root * c), 0],
    ];
    coefficients = shifted.map((c, k) => c + scaled[k]);
  }
  return coefficients;
}

/** Rows become columns. */
export function transpose(matrix: Matrix): Matrix {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}
