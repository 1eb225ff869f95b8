// What the tests of the convolutions share.

import { type Conv2dOptions, normal, type Padding, randomState } from "@saunet/core";
import { type Arrays, type Conv2dDims, type Correlation, conv2dDims } from "@saunet/core/kernels";
import fc from "fast-check";
import type { Generator } from "../../plan.ts";
import { errorOf } from "../../testing.ts";
import { channels, outputsOf } from "../testing.ts";
import { algorithmsFor } from "./axis-algorithm.ts";
import type { Choose } from "./choose.ts";

/** One call: a geometry, and whether there is a bias. */
export interface Case {
  readonly d: Conv2dDims;
  readonly bias: boolean;
}

/** Calls in which x and y together have at most so many numbers of products. */
export function cases(
  options: fc.Arbitrary<Conv2dOptions & { readonly kernel: readonly [number, number] }>,
  {
    C = channels,
    O = channels,
    height = 30,
    width = 70,
    products = 1e6,
  }: {
    readonly C?: readonly number[];
    readonly O?: readonly number[];
    readonly height?: number;
    readonly width?: number;
    readonly products?: number;
  } = {},
): fc.Arbitrary<Case> {
  return fc
    .record({
      N: fc.integer({ min: 1, max: 2 }),
      H: fc.integer({ min: 1, max: height }),
      W: fc.integer({ min: 1, max: width }),
      C: fc.constantFrom(...C),
      O: fc.constantFrom(...O),
      bias: fc.boolean(),
      options,
    })
    .map(({ N, H, W, C, O, bias, options: { kernel, ...options } }) => {
      const d = dimsOrNothing([N, H, W, C], [...kernel, C, O], options);
      return d && d.flops < 2 * products ? { d, bias } : undefined;
    })
    .filter((found) => found !== undefined);
}

function dimsOrNothing(x: number[], w: number[], options: Conv2dOptions): Conv2dDims | undefined {
  try {
    return conv2dDims("conv2d", x, w, options);
  } catch {
    return undefined;
  }
}

/** The arrays of a call of any of the three kernels, with random numbers. */
export function arraysOf({ kernel }: Generator, { d, bias }: Case): Arrays {
  const [x, y, w] = [d.N * d.H * d.W * d.C, d.N * d.OH * d.OW * d.O, d.KH * d.KW * d.C * d.O];
  const random = randomState(1);
  const sizes: Record<string, number> = {
    ...{ x, y, w, gw: w, gy: y },
    b: kernel.name === "conv2d.transposed" ? d.C : d.O,
  };
  return Object.fromEntries(
    Object.keys(kernel.roles).map((name) => [
      name,
      name === "b" && !bias ? undefined : normal([sizes[name]], random).data,
    ]),
  );
}

/**
 * The largest error of a call, relative to the largest element that is wanted or to what an element usually is: a sum
 * of n products of normal numbers has a deviation of √n, but the only one of a small call may come out near nothing.
 */
export function errorIn(generator: Generator, call: Case, relaxed = false): number {
  const arrays = arraysOf(generator, call);
  const [written] = Object.entries(generator.kernel.roles).find(([, role]) => role === "write")!;
  const typical = Math.sqrt(call.d.flops / 2 / arrays[written]!.length);
  return errorOf(generator, arrays, call.d, { features: { relaxed }, typical });
}

/** Throws unless sharing a call's items out among two to four threads changes no bit. */
export function expectPartitionIndependence(generator: Generator, call: Case): void {
  const arrays = arraysOf(generator, call);
  const [whole, ...shared] = [1, 2, 3, 4].map((parts) => outputsOf(generator, arrays, call.d, { parts }));
  for (const outputs of shared)
    for (const [name, array] of Object.entries(outputs!)) {
      if (array.some((value, i) => !Object.is(value, whole![name][i])))
        throw new Error(`${generator.kernel.name}: ${name} depends on how items are shared out`);
    }
}

/** Chooses Winograd with the algorithm of that number for each axis, counted around, and such strips. */
export const winogradOf =
  (rows: number, columns: number, stripTiles: number): Choose =>
  (c) => {
    const [down, across] = [algorithmsFor(c.rows), algorithmsFor(c.columns)];
    return {
      algorithm: "winograd",
      rows: down[rows % down.length],
      columns: across[columns % across.length],
      stripTiles,
    };
  };

/** Whether {@link winogradOf} finds something. */
export const hasWinograd = (c: Correlation): boolean =>
  algorithmsFor(c.rows).length * algorithmsFor(c.columns).length > 0;

/** Filters of 3x3 with strides of 1 and 2, and every kind of padding. */
export const threeTaps = fc.record({
  kernel: fc.constant([3, 3] as const),
  stride: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 2)),
  padding: fc.constantFrom<Padding>("same", "valid", 2, { top: 3, bottom: 0, left: 1, right: 4 }),
});
