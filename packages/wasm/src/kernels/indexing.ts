// Entries of an axis by their numbers, and numbers as rows of zeros with a one.
//
//   gather.forward   y[o,j] = x[o, indices[j]]             runs of `inner` elements
//   gather.gradient  gx = 0;  gx[o, indices[j]] += gy[o,j]  in the order of j, as in the reference
//   oneHot.forward   y = 0;   y[i, indices[i]] = 1
//
// Forward an index that is no integer or leads nowhere traps; the portable form then says which it is (`refuses` in
// plan.ts). The gradient is shared out by `o` and by stretches of `inner`, so that no two
// threads add to one element and every thread goes through all indices.

import { gatherForward, gatherGradient, oneHotForward } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type Local } from "../asm/index.ts";
import { generator } from "../plan.ts";
import { copyRow, filling } from "./movement.ts";
import { MEMORY_GRAIN, SMALLEST, stream } from "./stream.ts";

/** Elements of a stretch of `inner`: a line of the cache. */
const STRETCH = 16;

/** Reads the index at an address; traps where it is no integer from 0 to `count - 1`. */
export function trapUnlessIndex(
  f: FunctionBuilder,
  index: Local<"i32">,
  at: Local<"i32">,
  count: number,
): void {
  const { f32, i32 } = f;
  f.set(index, i32.trunc_sat_f32_s(f32.load(at)));
  const isOther = f32.ne(f32.convert_i32_s(index), f32.load(at));
  f.if(i32.or(isOther, i32.ge_u(index, count)), () => f.unreachable());
}

export const gather = generator(gatherForward, ({ outer, size, inner, count }) => {
  if (outer * count * inner < SMALLEST) return undefined;
  return {
    name: "gather_f32_4x4_simd",
    refuses: true,
    phases: [
      {
        items: outer * count,
        grain: Math.ceil(MEMORY_GRAIN / inner),
        write: (f, { from, to, arrays: { y, x, indices } }) => {
          const { i32 } = f;
          const { index, at, o, source, target } = f.declare("i32");
          f.forEachItem({ from, to }, [[y, FLOAT * inner]], (item) => {
            f.set(o, i32.div_u(item, count));
            f.set(at, f.at(indices, i32.sub(item, i32.mul(o, count)), FLOAT));
            trapUnlessIndex(f, index, at, size);
            f.set(source, f.at(x, i32.add(i32.mul(o, size), index), FLOAT * inner));
            f.set(target, y);
            copyRow(f, { to: target, from: source }, inner);
          });
        },
      },
    ],
  };
});

export const gradientOfGather = generator(gatherGradient, ({ outer, size, inner, count }) => {
  if (outer * count * inner < SMALLEST) return undefined;
  const stretches = Math.ceil(inner / STRETCH);
  return {
    name: "gather_gradient_f32_4x4_simd",
    phases: [
      filling("gx", outer * size * inner, 0),
      {
        items: outer * stretches,
        grain: Math.ceil(MEMORY_GRAIN / (count * STRETCH)),
        write: (f, { from, to, arrays }) => {
          const { f32, f32x4, i32 } = f;
          const { o, first, width, left } = f.declare("i32");
          const { j, index, at, gy, gx, target } = f.declare("i32");
          f.forEachItem({ from, to }, [], (item) => {
            f.set(o, i32.div_u(item, stretches));
            f.set(first, i32.mul(i32.sub(item, i32.mul(o, stretches)), STRETCH));
            f.cut(width, first, inner, STRETCH);
            f.set(gy, f.at(arrays.gy, i32.add(i32.mul(o, count * inner), first), FLOAT));
            f.set(target, f.at(arrays.gx, i32.add(i32.mul(o, size * inner), first), FLOAT));
            f.set(at, arrays.indices);
            f.forRange(j, { to: count }, () => {
              f.set(index, i32.trunc_sat_f32_s(f32.load(at)));
              f.set(gx, f.at(target, index, FLOAT * inner));
              f.set(left, width);
              f.if(i32.lt_u(index, size), () =>
                stream(
                  f,
                  {
                    pointers: { gx, gy: f.let("from", gy) },
                    reads: ["gx", "gy"],
                    writes: ["gx"],
                    count: left,
                    vectors: 4,
                  },
                  ({ gx, gy }) => f.setEach(gx, (i) => f32x4.add(gx[i], gy[i])),
                ),
              );
              f.advance(gy, FLOAT * inner);
              f.advance(at, FLOAT);
            });
          });
        },
      },
    ],
  };
});

export const oneHot = generator(oneHotForward, ({ classes }, lengths) => {
  const count = lengths.indices!;
  if (count * classes < SMALLEST) return undefined;
  return {
    name: "one_hot_f32_simd",
    fixed: [classes, count],
    refuses: true,
    phases: [
      filling("y", count * classes, 0),
      {
        items: count,
        grain: MEMORY_GRAIN / 4,
        write: (f, { from, to, arrays: { y, indices } }) => {
          const { f32 } = f;
          const index = f.local("index", "i32");
          const along = [[y, FLOAT * classes] as const, [indices, FLOAT] as const];
          f.forEachItem({ from, to }, along, () => {
            trapUnlessIndex(f, index, indices, classes);
            f32.store(f.at(y, index, FLOAT), 1);
          });
        },
      },
    ],
  };
});
