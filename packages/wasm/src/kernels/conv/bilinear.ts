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
// A row of `input` and a column of `output` may be multiplied by anything that the row of `filter` is divided by. Where 1/p
// is a point beside p, both are multiplied until p and 1/p have the same coefficients, in opposite order: of F(6, 3) `input`
// keeps 6 constants instead of 9, `output` 5 instead of 10, and they stay in registers.
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

/** The algorithm of these matrices. */
export const bilinear = (matrices: Pick<Bilinear, "input" | "filter" | "output">): Bilinear => ({
  ...matrices,
  inputs: matrices.input[0].length,
  points: matrices.input.length,
  outputs: matrices.output.length,
  taps: matrices.filter[0].length,
});

/** F(outputs, taps) with the given finite points; there must be `outputs + taps - 2` of them. */
export function winograd(outputs: number, taps: number, finite: readonly number[]): Bilinear {
  const others = (p: number) => finite.filter((q) => q !== p);
  const powers = (p: number, count: number) => Array.from({ length: count }, (_, k) => p ** k);
  const last = (count: number) => Array.from({ length: count }, (_, k) => (k === count - 1 ? 1 : 0));
  /** What the row of `input` and the column of `output` of a point are multiplied by: powers of two round nothing. */
  const scales = (p: number) => {
    const isPaired = p !== 0 && finite.includes(1 / p);
    return {
      input: isPaired ? Math.max(p * p, 1) : 1,
      output: isPaired ? Math.max(1, Math.abs(p) ** (1 - outputs)) : 1,
    };
  };
  const times = (row: readonly number[], factor: number) => row.map((value) => value * factor);
  const columns = [...finite.map((p) => times(powers(p, outputs), scales(p).output)), last(outputs)];
  return bilinear({
    input: [...finite.map((p) => times([...polynomial(others(p)), 0], scales(p).input)), polynomial(finite)],
    filter: [
      ...finite.map((p) => {
        const { input, output } = scales(p);
        const divisor = others(p).reduce((product, q) => product * (p - q), input * output);
        return powers(p, taps).map((power) => power / divisor);
      }),
      last(taps),
    ],
    output: transpose(columns),
  });
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

const transposed = new WeakMap<Matrix, Matrix>();

/** Rows become columns; of one matrix always the same one, so that what is known of it is found again. */
export function transpose(matrix: Matrix): Matrix {
  const columns = transposed.get(matrix) ?? matrix[0].map((_, column) => matrix.map((row) => row[column]));
  transposed.set(matrix, columns);
  return columns;
}
