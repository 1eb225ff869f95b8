// Softmax along the last axis, line by line.
//
//   y = e^(x - max x) / Σ e^(x - max x)        gx = y · (gy - Σ gy · y)
//
// Sums run in double. A line takes as many passes as it has sums to wait for: the largest element, the powers and their sum,
// the shares; it stays in the first cache meanwhile. Other axes stay with the portable form.

import { type AxisDims, exactKey, type Kernel, softmaxForward, softmaxGradient } from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { type Generator, generator, type PhaseLocals } from "../plan.ts";
import { exponential } from "./exp.ts";
import { acrossLanes, addDoubles, sumOfDoubles } from "./lanes.ts";
import { ARITHMETIC_GRAIN, FLOAT, moveBy, SMALLEST, setEach, stream, type Vectors } from "./stream.ts";

/** How many vectors at once: enough to fill the waits of e^x. */
const VECTORS = 4;

/** A pass over a line: what it reads and writes, and what it does to some vectors. */
type Pass<N extends string> = (
  reads: readonly N[],
  writes: readonly N[],
  compute: (values: Vectors<N>) => void,
) => void;

/** A generator whose items are lines; `prepare` declares variables, and what it returns writes the passes over one. */
function alongLines<A>(
  kernel: Kernel<A, AxisDims>,
  name: string,
  arrays: readonly (keyof A & string)[],
  prepare: (f: FunctionBuilder, pass: Pass<keyof A & string>) => () => void,
): Generator {
  return generator(kernel, ({ outer, size, inner }) => {
    if (inner !== 1 || outer * size < SMALLEST) return undefined;
    const plan = `${name}_f32_4x${VECTORS}_simd`;
    return {
      name: plan,
      key: `${plan} ${exactKey(size)}`,
      phases: [
        {
          items: outer,
          grain: Math.ceil(ARITHMETIC_GRAIN / size),
          write: (f, locals: PhaseLocals<A>) => {
            const lines = Object.fromEntries(arrays.map((array) => [array, locals.arrays[array]])) as Record<
              keyof A & string,
              Local<"i32">
            >;
            const pointers = Object.fromEntries(
              arrays.map((array) => [array, f.local(`${array}At`, "i32")]),
            ) as typeof lines;
            const count = f.local("count", "i32");
            const item = f.local("item", "i32");
            const write = prepare(f, (reads, writes, compute) => {
              for (const array of [...reads, ...writes]) f.set(pointers[array], lines[array]);
              f.set(count, size);
              stream(f, { pointers, reads, writes, count, vectors: VECTORS }, compute);
            });
            for (const array of arrays) moveBy(f, lines[array], locals.from, size * FLOAT);
            f.forRange(item, { from: locals.from, to: locals.to }, () => {
              write();
              for (const array of arrays) f.advance(lines[array], size * FLOAT);
            });
          },
        },
      ],
    };
  });
}

/** Prepares a sum over a line in double; `add` takes vectors, or a single one of which the lowest lane counts. */
function lineSum(f: FunctionBuilder) {
  const { v128, f32, f32x4 } = f;
  const zero = f.let("nothing", v128.const("f64x2", 0));
  const lowest = f.let("lowest", f.i32x4.replace_lane(v128.const("i32x4", 0), -1, 0));
  const halves = f.locals("half", "v128", 2) as [Local<"v128">, Local<"v128">];
  const term = f.local("term", "v128");
  const total = f.local("total", "v128");
  return {
    clear: () => {
      for (const half of halves) f.set(half, zero);
    },
    add: (vectors: readonly Local<"v128">[]) => {
      for (const vector of vectors) {
        f.set(term, vectors.length === 1 ? v128.and(vector, lowest) : f.get(vector));
        addDoubles(f, halves, term);
      }
    },
    /** The sum in all lanes. */
    total: () => {
      f.set(total, f32x4.splat(f32.demote_f64(sumOfDoubles(f, halves))));
      return total;
    },
  };
}

export const softmax = alongLines(softmaxForward, "softmax", ["y", "x"], (f, pass) => {
  const { v128, f32x4 } = f;
  const exp = exponential(f, 1);
  const least = f.let("least", v128.const("f32x4", Number.NEGATIVE_INFINITY));
  const one = f.let("one", v128.const("f32x4", 1));
  const largest = f.local("largest", "v128");
  const share = f.local("share", "v128");
  const sum = lineSum(f);
  return () => {
    f.set(largest, least);
    pass(["x"], [], ({ x }) => {
      if (x.length === 1) f.set(x[0], f32x4.splat(f32x4.extract_lane(x[0], 0)));
      for (const vector of x) f.set(largest, f32x4.max(largest, vector));
    });
    acrossLanes(f, "max", largest);
    sum.clear();
    pass(["x"], ["y"], ({ x, y }) => {
      setEach(f, y, (i) => f32x4.sub(x[i], largest));
      exp(y);
      sum.add(y);
    });
    f.set(share, f32x4.div(one, sum.total()));
    pass(["y"], ["y"], ({ y }) => {
      for (const power of y) f.set(power, f32x4.mul(power, share));
    });
  };
});

export const gradientOfSoftmax = alongLines(
  softmaxGradient,
  "softmax_gradient",
  ["gx", "gy", "y"],
  (f, pass) => {
    const { f32x4 } = f;
    const sum = lineSum(f);
    return () => {
      sum.clear();
      pass(["gy", "y"], [], ({ gy, y }) => {
        setEach(f, gy, (i) => f32x4.mul(gy[i], y[i]));
        sum.add(gy);
      });
      const total = sum.total();
      pass(["gy", "y"], ["gx"], ({ gx, gy, y }) => {
        setEach(f, gx, (i) => f32x4.mul(y[i], f32x4.sub(gy[i], total)));
      });
    };
  },
);
