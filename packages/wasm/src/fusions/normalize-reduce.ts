// A normalised and activated map with what others make of it: its pooling, and its averages and maxima over channels, of
// which the attention makes its maps.
//
//   y = activation(groupNorm(x))    pooled = maxPool2d(y)    averages = mean(y)    maxima = max(y)
//
// Each of them would read all of y from memory again. The pooling is joined where nobody asks where the largest elements
// were: in inference.

import {
  type AnyKernel,
  type GroupNormDims,
  kernel,
  maxForward,
  maxPool2dForward,
  type Pool2dDims,
  type Program,
  type ProgramCall,
  type ScaledWalk,
  sumKernel,
  type Walk,
} from "@saunet/core";
import { type ReducedArrays, type ReducedDims, reducing } from "../kernels/norm-reduced.ts";
import { suits } from "../kernels/norm-strips.ts";
import { suits as suitsPool } from "../kernels/pool.ts";
import type { Generator } from "../plan.ts";
import { callsTouching, type Fusion } from "./fuse.ts";
import { groupNormRelu, groupNormSilu } from "./normalize-activate.ts";

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
    if (averages) sumKernel.reference({ out: averages, x: y }, { walk, scale });
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

/** Something that reads an activated map and can be joined with its writer. */
interface Reader {
  readonly kernel: AnyKernel;
  /** What it gives that the joined call gives too, by the names there and here; all else has to be of use to nobody. */
  readonly result: readonly [joined: keyof ReducedArrays, own: string];
  /** The dims of both; `undefined` where these do not suit. */
  readonly join: (writer: ReducedDims, own: unknown) => ReducedDims | undefined;
}

const isOverChannels = (walk: Walk, norm: GroupNormDims): boolean =>
  JSON.stringify([walk.shape, walk.strides]) === JSON.stringify(Object.values(overChannels(norm)));

const readers: Readonly<Record<"pooling" | "averages" | "maxima", Reader>> = {
  pooling: {
    kernel: maxPool2dForward as AnyKernel,
    result: ["pooled", "y"],
    join: (writer, own) => {
      const pool = own as Pool2dDims;
      const suitsTiles = suitsPool(pool) && pool.H % 2 === 0 && writer.norm.N === 1;
      return suitsTiles ? { ...writer, pool } : undefined;
    },
  },
  averages: {
    kernel: sumKernel as AnyKernel,
    result: ["averages", "out"],
    join: (writer, own) => {
      const { walk, scale } = own as ScaledWalk;
      return isOverChannels(walk, writer.norm) ? { ...writer, scale } : undefined;
    },
  },
  maxima: {
    kernel: maxForward as AnyKernel,
    result: ["maxima", "y"],
    join: (writer, own) => (isOverChannels(own as Walk, writer.norm) ? writer : undefined),
  },
};

/** Joins every such reader with the writer of its map, where that gives nothing of the kind yet. */
function joinReader(program: Program, { kernel, result: [joined, own], join }: Reader): Program {
  const calls: (ProgramCall | undefined)[] = [...program.calls];
  const touched = callsTouching(program);
  program.calls.forEach((call, at) => {
    if (call.kernel.name !== kernel.name) return;
    const written = Object.keys(kernel.roles).filter((name) => kernel.roles[name] === "write");
    const isFree = written.every((name) => {
      const buffer = call.buffers[name]!;
      const [first, ...others] = touched.get(buffer)!;
      // Written earlier than before, it must not have been anybody's until then.
      const isNew = program.buffers[buffer].external === undefined && first === at;
      return isNew && (name === own || others.length === 0);
    });
    const place = calls.findIndex((other) => other !== call && other?.buffers.y === call.buffers.x);
    const writer = isFree && place >= 0 && place < at ? asReduced(calls[place]!) : undefined;
    if (writer === undefined || writer.buffers[joined] !== undefined) return;
    const dims = join(writer.dims, call.dims);
    if (dims === undefined) return;
    calls[at] = undefined;
    calls[place] = {
      kernel: groupNormReduced as AnyKernel,
      buffers: { ...writer.buffers, [joined]: call.buffers[own] },
      dims,
    };
  });
  return { ...program, calls: calls.filter((call) => call !== undefined) };
}

export const normalizeReduceFusions: readonly Fusion[] = [
  { name: "normalize+pool", rewrite: (program) => joinReader(program, readers.pooling) },
  {
    name: "normalize+channels",
    rewrite: (program) => joinReader(joinReader(program, readers.averages), readers.maxima),
  },
];

export const groupNormReducedGenerator: Generator = /* @__PURE__ */ reducing(groupNormReduced);
