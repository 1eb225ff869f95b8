// Bilinear algorithms (bilinear.ts) for the axes of a correlation with three taps.
//
// Neighbouring taps without stride are F(m, 3). With stride 2, forward or as its adjoint, an axis falls apart into two
// interleaved correlations, one with two taps, which is an F(m, 2), and one with a single tap, where each output is one
// product:
//
//   forward:   out[j]     = (w0 · in[2j] + w2 · in[2j + 2]) + w1 · in[2j + 1]
//   adjoint:   out[2j]    =  w2 · in[j - 1] + w0 · in[j]       out[2j + 1] = w1 · in[j]        (for a padding of 0)
//
// Both together are one bilinear algorithm of m + 1 + m points: on two axes 81 products for 64 outputs instead of 144
// with m = 4.

import { type Axis, type AxisPhase, exactKey } from "@saunet/core/kernels";
import { type Bilinear, bilinear, type Matrix, winograd } from "./bilinear.ts";

/** An algorithm in its place: its `filter` takes the taps in the filter's own order. */
export interface AxisAlgorithm extends Bilinear {
  /** The input that the first tile reads first. */
  readonly start: number;
  /** How many inputs further the next tile reads. */
  readonly advance: number;
}

/** Finite points of F(6, 3) and F(4, 3), and of F(4, 2) and F(5, 2). */
const THREE_TAPS = [winograd(6, 3, [0, 1, -1, 2, -2, 1 / 2, -1 / 2]), winograd(4, 3, [0, 1, -1, 2, -2])];
const TWO_TAPS = [winograd(5, 2, [0, 1, -1, 2, -2]), winograd(4, 2, [0, 1, -1, 2])];

/** By all that they depend on: choosing an algorithm and writing its code ask for the same few again and again. */
const known = new Map<string, readonly AxisAlgorithm[]>();

/** The algorithms that exist for an axis, the same objects each time; none if its taps are not three of these kinds. */
export function algorithmsFor(axis: Axis): readonly AxisAlgorithm[] {
  const key = exactKey([axis.step, axis.phases.map(({ taps, start, spacing }) => [taps, start, spacing])]);
  const algorithms = known.get(key) ?? deriveFor(axis);
  known.set(key, algorithms);
  return algorithms;
}

function deriveFor(axis: Axis): AxisAlgorithm[] {
  const { step, phases } = axis;
  const [first, second] = phases;
  // The filter may have more taps: an adjoint with fewer outputs than its stride leaves some out, such as every other of 5.
  if (String(phases.flatMap(({ taps }) => taps).sort()) !== "0,1,2") return [];
  if (phases.length === 1 && first.spacing === 1) {
    if (step === 1) return THREE_TAPS.map((F) => adjacent(first, F));
    if (step === 2) return TWO_TAPS.map((F) => strided(first, F));
  }
  if (phases.length === 2 && first.taps.length * second.taps.length === 2) {
    const [two, one] = first.taps.length === 2 ? [first, second] : [second, first];
    // The single tap meets one of the inputs that the first of the two tiles meets.
    if (two.spacing === 1 && [0, 1].includes(one.start - two.start))
      return TWO_TAPS.map((F) => interleaved(axis, two, one, F));
  }
  return [];
}

const unit = (length: number, at: number): number[] => Array.from({ length }, (_, i) => Number(i === at));
const identity = (size: number): Matrix => Array.from({ length: size }, (_, i) => unit(size, i));

/** The columns of a matrix at these places among `length`, with zeros between them. */
const spread = (matrix: Matrix, length: number, placeOf: (column: number) => number): number[][] =>
  matrix.map((row) =>
    row.reduce((wide, value, column) => wide.with(placeOf(column), value), Array<number>(length).fill(0)),
  );

function adjacent(phase: AxisPhase, F: Bilinear): AxisAlgorithm {
  const filter = spread(F.filter, 3, (t) => phase.taps[t]);
  return { ...F, filter, start: phase.start, advance: F.outputs };
}

function strided(phase: AxisPhase, F: Bilinear): AxisAlgorithm {
  const singles = identity(F.outputs);
  const inputs = 2 * F.outputs + 1;
  const [tap0, tap1, tap2] = phase.taps;
  return {
    ...bilinear({
      input: [...spread(F.input, inputs, (i) => 2 * i), ...spread(singles, inputs, (j) => 2 * j + 1)],
      filter: [...spread(F.filter, 3, (t) => [tap0, tap2][t]), ...singles.map(() => unit(3, tap1))],
      output: F.output.map((row, j) => [...row, ...singles[j]]),
    }),
    start: phase.start,
    advance: 2 * F.outputs,
  };
}

function interleaved(axis: Axis, two: AxisPhase, one: AxisPhase, F: Bilinear): AxisAlgorithm {
  const singles = identity(F.outputs);
  const points = F.points + F.outputs;
  const [sums, products] = [spread(F.output, points, (p) => p), spread(singles, points, (p) => F.points + p)];
  return {
    ...bilinear({
      input: [...F.input, ...spread(singles, F.inputs, (j) => one.start - two.start + j)],
      filter: [...spread(F.filter, 3, (t) => two.taps[t]), ...singles.map(() => unit(3, one.taps[0]))],
      output: singles.flatMap((_, j) => axis.phases.map((phase) => (phase === two ? sums : products)[j])),
    }),
    start: two.start,
    advance: F.outputs,
  };
}
