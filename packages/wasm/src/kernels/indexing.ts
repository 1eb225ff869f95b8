// Entries of an axis by their numbers, and numbers as rows of zeros with a one.
//
//   gather.forward   y[o,j] = x[o, indices[j]]             runs of `inner` elements
//   gather.gradient  gx = 0;  gx[o, indices[j]] += gy[o,j]  in the order of j, as in the reference
//   oneHot.forward   y = 0;   y[i, indices[i]] = 1
//
// Forward an index that leads nowhere traps. The gradient is shared out by `o` and by stretches of `inner`, so that no two
// threads add to one element and every thread goes through all indices.

import { exactKey, gatherForward, gatherGradient, oneHotForward } from "@saunet/core/kernels";
import { generator, type Phase } from "../plan.ts";
import { trapUnlessIndex } from "./indices.ts";
import { cut, unravel } from "./ranges.ts";
import { FLOAT, MEMORY_GRAIN, moveBy, SMALLEST, setEach, stream } from "./stream.ts";

/** Elements that are set to zero at once, and of a stretch of `inner`: a line of the cache. */
const CLEARED = 4096;
const STRETCH = 16;

/** Sets all elements of an array to zero. */
function clearing<A>(array: keyof A, length: number): Phase<A> {
  return {
    items: Math.ceil(length / CLEARED),
    grain: Math.ceil(MEMORY_GRAIN / CLEARED),
    write: (f, { from, to, arrays }) => {
      const { i32, memory } = f;
      const { first, count } = f.declare("i32");
      f.set(first, i32.mul(from, CLEARED));
      f.set(count, i32.mul(to, CLEARED));
      f.set(count, f.min(count, length));
      const bytes = i32.mul(i32.sub(count, first), FLOAT);
      f.set(count, bytes);
      memory.fill(f.at(arrays[array], first, FLOAT), 0, count);
    },
  };
}

export const gather = generator(gatherForward, ({ outer, size, inner, count }) => {
  if (outer * count * inner < SMALLEST) return undefined;
  const name = "gather_f32_4x4_simd";
  return {
    name,
    key: `${name} ${exactKey([outer, size, inner, count])}`,
    refuses: true,
    phases: [
      {
        items: outer * count,
        grain: Math.ceil(MEMORY_GRAIN / inner),
        write: (f, { from, to, arrays: { y, x, indices } }) => {
          const { item, index, at, left, o, source } = f.declare("i32");
          moveBy(f, y, from, FLOAT * inner);
          f.forRange(item, { from, to }, () => {
            unravel(f, item, [o, at], [count]);
            f.set(at, f.at(indices, at, FLOAT));
            trapUnlessIndex(f, index, at, size);
            f.set(source, f.at(x, f.at(index, o, size), FLOAT * inner));
            f.set(left, inner);
            stream(
              f,
              { pointers: { x: source, y }, reads: ["x"], writes: ["y"], count: left, vectors: 4 },
              ({ x, y }) => setEach(f, y, (i) => x[i]),
            );
          });
        },
      },
    ],
  };
});

export const gradientOfGather = generator(gatherGradient, ({ outer, size, inner, count }) => {
  if (outer * count * inner < SMALLEST) return undefined;
  const name = "gather_gradient_f32_4x4_simd";
  const stretches = Math.ceil(inner / STRETCH);
  return {
    name,
    key: `${name} ${exactKey([outer, size, inner, count])}`,
    phases: [
      clearing("gx", outer * size * inner),
      {
        items: outer * stretches,
        grain: Math.ceil(MEMORY_GRAIN / (count * STRETCH)),
        write: (f, { from, to, arrays }) => {
          const { f32, f32x4, i32 } = f;
          const { item, o, first, width, left } = f.declare("i32");
          const { j, index, at, gy, gx, target } = f.declare("i32");
          f.forRange(item, { from, to }, () => {
            unravel(f, item, [o, first], [stretches]);
            f.set(first, i32.mul(first, STRETCH));
            cut(f, width, first, inner, STRETCH);
            f.set(gy, f.at(arrays.gy, f.at(first, o, count * inner), FLOAT));
            f.set(target, f.at(arrays.gx, f.at(first, o, size * inner), FLOAT));
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
                  ({ gx, gy }) => setEach(f, gx, (i) => f32x4.add(gx[i], gy[i])),
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
  const name = "one_hot_f32_simd";
  return {
    name,
    key: `${name} ${exactKey([classes, count])}`,
    refuses: true,
    phases: [
      clearing("y", count * classes),
      {
        items: count,
        grain: MEMORY_GRAIN / 4,
        write: (f, { from, to, arrays: { y, indices } }) => {
          const { f32 } = f;
          const { item, index } = f.declare("i32");
          moveBy(f, y, from, FLOAT * classes);
          moveBy(f, indices, from);
          f.forRange(item, { from, to }, () => {
            trapUnlessIndex(f, index, indices, classes);
            f32.store(f.at(y, index, FLOAT), 1);
            f.advance(y, FLOAT * classes);
            f.advance(indices, FLOAT);
          });
        },
      },
    ],
  };
});
