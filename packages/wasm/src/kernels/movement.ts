// Movement: elements change place.
//
//   gather   y ← a box of x, row by row        concat  y ← runs of a and b in turn
//   scatter  a box of y ← x, the rest a value  split   the reverse
//
// A row is what lies side by side in both arrays. Rows of some length go with memory.copy, short ones in vectors: the
// host's routine has a price to begin with. Where the innermost axis has gaps (a transposition), one element is a row.

import {
  type Alternation,
  type Box,
  concatForward,
  exactKey,
  readBox,
  splitForward,
  writeBox,
} from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { type Generator, generator, type Phase } from "../plan.ts";
import { FLOAT, MEMORY_GRAIN, moveBy, SMALLEST, stream, whileAtLeast } from "./stream.ts";

type I32 = Local<"i32">;

/** From so many elements on memory.copy is faster. */
const LONG_ROW = 256;

/** `to[0 … length - 1] = from[…]`; both pointers may stand anywhere afterwards. */
function copyRow(f: FunctionBuilder, { to, from }: { to: I32; from: I32 }, length: number): void {
  if (length >= LONG_ROW) f.memory.copy(to, from, FLOAT * length);
  else if (length === 1) f.f32.store(to, f.f32.load(from));
  else {
    const count = f.let("count", f.i32.const(length));
    const vectors = [4, 3, 2, 1].find((many) => length % (4 * many) === 0) ?? 1;
    stream(f, { pointers: { to, from }, reads: ["from"], writes: ["to"], count, vectors }, (values) => {
      values.to.forEach((vector, i) => {
        f.set(vector, values.from[i]);
      });
    });
  }
}

/** The phase that copies the rows of a box: `dense` in order, the box at its strides. */
function copyBox<A>(
  { walk: { shape, strides }, offset }: Box,
  pick: (arrays: { readonly [K in keyof A]-?: I32 }) => { dense: I32; boxed: I32; to: "dense" | "boxed" },
): Phase<A> {
  const [denseStrides, boxStrides] = strides;
  const whole = denseStrides.at(-1) === 1 && boxStrides.at(-1) === 1;
  const length = whole ? shape.at(-1)! : 1;
  const axes = whole ? shape.slice(0, -1) : shape;
  const items = axes.reduce((product, size) => product * size, 1);
  return {
    items,
    grain: Math.ceil(MEMORY_GRAIN / (whole ? length : 8)),
    write: (f, { from, to, arrays }) => {
      const { i32 } = f;
      const { dense, boxed, to: target } = pick(arrays);
      const [row, rest, index, place, pointer] = f.locals("index", "i32", 5);
      moveBy(f, dense, from, FLOAT * length);
      f.forRange(row, { from, to }, () => {
        // The row's index on each axis, the last axis first; together they are its place in the box.
        f.set(rest, row);
        f.set(place, offset);
        for (let axis = axes.length - 1; axis >= 0; axis--) {
          f.set(index, axis === 0 ? rest : i32.rem_u(rest, axes[axis]));
          if (axis > 0) f.set(rest, i32.div_u(rest, axes[axis]));
          f.set(place, i32.add(place, i32.mul(index, boxStrides[axis])));
        }
        f.set(place, i32.add(boxed, i32.mul(place, FLOAT)));
        f.set(pointer, dense);
        const ends = target === "dense" ? { to: pointer, from: place } : { to: place, from: pointer };
        copyRow(f, ends, length);
        f.advance(dense, FLOAT * length);
      });
    },
  };
}

const boxKey = (name: string, { walk, offset }: Box): string =>
  `${name} ${exactKey([walk.shape, walk.strides, offset])}`;

/** The number of elements, where the walk's first array is dense: in order and without gaps. */
const sizeOf = ({ walk }: Box): number => walk.shape.reduce((product, size) => product * size, 1);

export const gather: Generator = generator(readBox, (box: Box) => {
  if (sizeOf(box) < SMALLEST) return undefined;
  const name = "gather_f32_simd";
  return {
    name,
    key: boxKey(name, box),
    phases: [copyBox(box, ({ y, x }: { y: I32; x: I32 }) => ({ dense: y, boxed: x, to: "dense" }))],
  };
});

/** Phase 1: all of y = value. Phase 2: the box. */
export const scatter: Generator = generator(
  writeBox,
  (box: Box & { readonly value: number }, { y: length }) => {
    if (length! < SMALLEST) return undefined;
    const name = "scatter_f32_simd";
    return {
      name,
      key: `${boxKey(name, box)} ${exactKey(box.value)}`,
      phases: [
        {
          items: length!,
          grain: MEMORY_GRAIN,
          write: (f, { from, to, arrays: { y } }) => {
            const value = f.let("value", f.v128.const("f32x4", box.value));
            const count = f.let("count", f.i32.sub(to, from));
            moveBy(f, y, from);
            stream(f, { pointers: { y }, reads: [], writes: ["y"], count, vectors: 4 }, (values) => {
              for (const vector of values.y) f.set(vector, value);
            });
          },
        },
        copyBox(box, ({ y, x }: { y: I32; x: I32 }) => ({ dense: x, boxed: y, to: "boxed" })),
      ],
    };
  },
);

/** Each pair of runs, of a and of b, between them and their place in y. */
function alternate(
  f: FunctionBuilder,
  { from, to, arrays }: { from: I32; to: I32; arrays: { y: I32; a: I32; b: I32 } },
  { sizeA, sizeB }: Alternation,
  joining: boolean,
): void {
  const { i32 } = f;
  const { y, a, b } = arrays;
  const left = f.let("left", i32.sub(to, from));
  const [whole, part] = f.locals("pointer", "i32", 2);
  moveBy(f, y, from, FLOAT * (sizeA + sizeB));
  moveBy(f, a, from, FLOAT * sizeA);
  moveBy(f, b, from, FLOAT * sizeB);
  whileAtLeast(f, left, 1, () => {
    for (const [array, size] of [[a, sizeA] as const, [b, sizeB] as const]) {
      f.set(whole, y);
      f.set(part, array);
      copyRow(f, joining ? { to: whole, from: part } : { to: part, from: whole }, size);
      f.advance(y, FLOAT * size);
      f.advance(array, FLOAT * size);
    }
  });
}

const alternation = (kernel: typeof concatForward | typeof splitForward, name: string): Generator =>
  generator(kernel as typeof concatForward, ({ sizeA, sizeB }, { y }) => {
    if (y! < SMALLEST || sizeA + sizeB === 0) return undefined;
    return {
      name: `${name}_f32_simd`,
      key: `${name}_f32_simd ${sizeA} ${sizeB}`,
      phases: [
        {
          items: y! / (sizeA + sizeB),
          grain: Math.ceil(MEMORY_GRAIN / (sizeA + sizeB)),
          write: (f, locals) => alternate(f, locals, { sizeA, sizeB }, name === "concat"),
        },
      ],
    };
  });

export const concat = alternation(concatForward, "concat");
export const split = alternation(splitForward, "split");
