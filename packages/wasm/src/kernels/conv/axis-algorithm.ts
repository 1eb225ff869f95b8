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

import type { Axis, AxisPhase } from "@saunet/core/kernels";
import { type Bilinear, type Matrix, winograd } from "./bilinear.ts";

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

/** The algorithms that exist for an axis; none if its taps are not three of these kinds. */
export function algorithmsFor(axis: Axis): AxisAlgorithm[] {
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

/** `length` numbers, zero but for these. */
const sparse = (length: number, entries: readonly (readonly [at: number, value: number])[]): number[] =>
  entries.reduce((row, [at, value]) => row.with(at, value), Array<number>(length).fill(0));

/** Rows of a filter matrix whose columns are some of three taps. */
const overTaps = (filter: Matrix, taps: readonly number[]): number[][] =>
  filter.map((row) =>
    sparse(
      3,
      row.map((value, t) => [taps[t], value] as const),
    ),
  );

function adjacent(phase: AxisPhase, F: Bilinear): AxisAlgorithm {
  return { ...F, filter: overTaps(F.filter, phase.taps), start: phase.start, advance: F.outputs };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function strided(phase: AxisPhase, F: Bilinear): AxisAlgorithm {
  const m = F.outputs;
  const inputs = 2 * m + 1;
  const [tap0, tap1, tap2] = phase.taps;
  return {
    inputs,
    points: F.points + m,
    outputs: m,
    taps: 3,
    start: phase.start,
    advance: 2 * m,
    input: [
      ...F.input.map((row) =>
        sparse(
          inputs,
          row.map((value, i) => [2 * i, value] as const),
        ),
      ),
      ...range(m).map((j) => sparse(inputs, [[2 * j + 1, 1]])),
    ],
    filter: [...overTaps(F.filter, [tap0, tap2]), ...range(m).map(() => sparse(3, [[tap1, 1]]))],
    output: F.output.map((row, j) => [...row, ...sparse(m, [[j, 1]])]),
  };
}

function interleaved(axis: Axis, two: AxisPhase, one: AxisPhase, F: Bilinear): AxisAlgorithm {
  const m = F.outputs;
  const shift = one.start - two.start;
  return {
    inputs: F.inputs,
    points: F.points + m,
    outputs: 2 * m,
    taps: 3,
    start: two.start,
    advance: m,
    input: [...F.input, ...range(m).map((j) => sparse(F.inputs, [[shift + j, 1]]))],
    filter: [...overTaps(F.filter, two.taps), ...range(m).map(() => sparse(3, [[one.taps[0], 1]]))],
    output: range(2 * m).map((i) => {
      const j = i >> 1;
      return axis.phases[i % 2] === two
        ? [...F.output[j], ...sparse(m, [])]
        : sparse(F.points + m, [[F.points + j, 1]]);
    }),
  };
}
