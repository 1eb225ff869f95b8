// A normalised and activated map with what others make of it: its pooling, and its averages and maxima over channels, of
// which the attention makes its maps.
//
//   y = activation(groupNorm(x))    pooled = maxPool2d(y)    averages = mean(y)    maxima = max(y)
//
// Each of them would read all of y from memory again. The pooling is joined where nobody asks where the largest elements
// were: in inference.

import {
  type AnyKernel,
  exactKey,
  type GroupNormDims,
  kernel,
  maxForward,
  maxPool2dForward,
  type Pool2dDims,
  type ProgramCall,
  type ScaledWalk,
  sumForward,
  type Walk,
} from "@saunet/core/kernels";
import { type ReducedArrays, type ReducedDims, reducing } from "../kernels/norm-reduced.ts";
import { suits } from "../kernels/norm-strips.ts";
import { suits as suitsPool } from "../kernels/pool.ts";
import type { Generator } from "../plan.ts";
import { groupNormRelu, groupNormSilu } from "./normalize-activate.ts";
import { absorbReader, type Fusion, type Pattern } from "./rewrite.ts";

const activated = { relu: groupNormRelu, silu: groupNormSilu } as const;

/** Of the map and of what it is reduced to. */
const overChannels = ({ N, P, C }: GroupNormDims): Walk => ({
  shape: [N * P, C],
  strides: [
    [C, 1],
    [1, 0],
  ],
});

/** See the head of this file. */
export const groupNormReduced = /* @__PURE__ */ kernel(
  "groupNorm.reduced",
  {
    ...({ y: "write", pooled: "write", averages: "write", maxima: "write" } as const),
    ...({ x: "read", mean: "read", variance: "read", gamma: "read", beta: "read" } as const),
  },
  (arrays: ReducedArrays, { norm, activation, pool, scale }: ReducedDims) => {
    const { y, pooled, averages, maxima } = arrays;
    activated[activation].reference(arrays, norm);
    if (pooled && pool) {
      const argmax = new Int32Array(pooled.length);
      maxPool2dForward.reference({ y: pooled, argmax, x: y }, pool);
    }
    const walk = overChannels(norm);
    if (averages) sumForward.reference({ out: averages, x: y }, { walk, scale });
    if (maxima) maxForward.reference({ y: maxima, x: y }, walk);
  },
  { inPlace: { y: "x" } },
);

/** A call that writes an activated map, as one that also reduces it; `undefined` where it is none. */
function asReduced({ kernel: { name }, buffers, dims }: ProgramCall): ReducedCall | undefined {
  if (name === groupNormReduced.name) return { buffers, dims: dims as ReducedDims };
  const activation = (["relu", "silu"] as const).find((which) => activated[which].name === name);
  const norm = dims as GroupNormDims;
  if (activation === undefined || !suits(norm)) return undefined;
  return { buffers, dims: { norm, activation, pool: undefined, scale: 1 } };
}

interface ReducedCall {
  readonly buffers: ProgramCall["buffers"];
  readonly dims: ReducedDims;
}

const isOverChannels = (walk: Walk, norm: GroupNormDims): boolean =>
  exactKey([walk.shape, walk.strides]) === exactKey(Object.values(overChannels(norm)));

/**
 * A reader of an activated map that its writer absorbs, where that gives nothing of the kind yet.
 *
 * @param result what the joined call gives too, by the names there and here; all else has to be of use to nobody
 * @param dimsOf of the joined call; `undefined` where the reader's do not suit
 */
const absorbed = (
  reader: AnyKernel,
  [joined, own]: readonly [joined: keyof ReducedArrays, own: string],
  dimsOf: (writer: ReducedDims, own: unknown) => ReducedDims | undefined,
): Pattern =>
  absorbReader({
    reader,
    operand: "x",
    result: "y",
    join: (call, reading) => {
      const writer = asReduced(call);
      if (writer === undefined || writer.buffers[joined] !== undefined) return undefined;
      const dims = dimsOf(writer.dims, reading.dims);
      return (
        dims && {
          kernel: groupNormReduced as AnyKernel,
          buffers: { ...writer.buffers, [joined]: reading.buffers[own] },
          dims,
        }
      );
    },
  });

const pooling = /* @__PURE__ */ absorbed(maxPool2dForward as AnyKernel, ["pooled", "y"], (writer, own) => {
  const pool = own as Pool2dDims;
  const suitsTiles = suitsPool(pool) && pool.H % 2 === 0 && writer.norm.N === 1;
  return suitsTiles ? { ...writer, pool } : undefined;
});
const averages = /* @__PURE__ */ absorbed(sumForward as AnyKernel, ["averages", "out"], (writer, own) => {
  const { walk, scale } = own as ScaledWalk;
  return isOverChannels(walk, writer.norm) ? { ...writer, scale } : undefined;
});
const maxima = /* @__PURE__ */ absorbed(maxForward as AnyKernel, ["maxima", "y"], (writer, own) =>
  isOverChannels(own as Walk, writer.norm) ? writer : undefined,
);

export const normalizeReduceFusions: readonly Fusion[] = [
  { name: "normalize+pool", patterns: [pooling] },
  { name: "normalize+channels", patterns: [averages, maxima] },
];

export const groupNormReducedGenerator: Generator = /* @__PURE__ */ reducing(groupNormReduced);
