// Movement: elements change place.
//
//   gather   y ← a box of x, row by row        concat  y ← runs of a and b in turn
//   scatter  a box of y ← x, the rest a value  split   the reverse
//
// A row is what lies side by side in both arrays. Rows of some length go with memory.copy, short ones in vectors: the
// host's routine has a price to begin with. Where the innermost axis has gaps (a transposition), one element is a row.

import { type Box, concatForward, readBox, splitForward, writeBox } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32 } from "../asm/index.ts";
import { type Generator, generator, type Phase } from "../plan.ts";
import { MEMORY_GRAIN, SMALLEST, stream, vectorsFor } from "./stream.ts";

/** From so many elements on memory.copy is faster. */
const LONG_ROW = 256;

/** `to[0 … length - 1] = from[…]`; both pointers may stand anywhere afterwards. */
export function copyRow(f: FunctionBuilder, { to, from }: { to: I32; from: I32 }, length: number): void {
  if (length >= LONG_ROW) f.memory.copy(to, from, FLOAT * length);
  else if (length === 1) f.f32.store(to, f.f32.load(from));
  else {
    const count = f.let("count", f.i32.const(length));
    const vectors = vectorsFor(length);
    stream(f, { pointers: { to, from }, reads: ["from"], writes: ["to"], count, vectors }, (values) =>
      f.setEach(values.to, (i) => values.from[i]),
    );
  }
}

/** The phase that sets all elements of an array to a value. */
export const filling = <A>(array: keyof A, length: number, value: number): Phase<A> => ({
  items: length,
  grain: MEMORY_GRAIN,
  write: (f, { from, to, arrays }) => {
    const [pointer, count] = [arrays[array], f.let("count", f.i32.sub(to, from))];
    f.advance(pointer, from, FLOAT);
    if (Object.is(value, 0)) {
      f.memory.fill(pointer, 0, f.i32.mul(count, FLOAT));
      return;
    }
    const all = f.constant("value", value);
    stream(f, { pointers: { pointer }, reads: [], writes: ["pointer"], count, vectors: 4 }, (values) =>
      f.setEach(values.pointer, () => all),
    );
  },
});

/** The phase that copies the rows of a box: `dense` has them in order, `boxed` at the box's strides. `y` is the target. */
function copyBox(
  { walk: { shape, strides }, offset }: Box,
  target: "dense" | "boxed",
): Phase<{ y: unknown; x: unknown }> {
  const [denseStrides, boxStrides] = strides;
  const whole = denseStrides.at(-1) === 1 && boxStrides.at(-1) === 1;
  const length = whole ? shape.at(-1)! : 1;
  const axes = whole ? shape.slice(0, -1) : shape;
  const items = axes.reduce((product, size) => product * size, 1);
  return {
    items,
    grain: Math.ceil(MEMORY_GRAIN / (whole ? length : 8)),
    write: (f, { from, to, arrays: { y, x } }) => {
      const { i32 } = f;
      const [dense, boxed] = target === "dense" ? [y, x] : [x, y];
      const [rest, index, place, pointer] = f.locals("index", "i32", 4);
      f.forEachItem({ from, to }, [[dense, FLOAT * length]], (row) => {
        // The row's index on each axis, the last axis first; together they are its place in the box.
        f.set(rest, row);
        f.set(place, offset);
        for (let axis = axes.length - 1; axis >= 0; axis--) {
          f.set(index, axis === 0 ? rest : i32.rem_u(rest, axes[axis]));
          if (axis > 0) f.set(rest, i32.div_u(rest, axes[axis]));
          f.set(place, i32.add(place, i32.mul(index, boxStrides[axis])));
        }
        f.set(place, f.at(boxed, place, FLOAT));
        f.set(pointer, dense);
        const ends = target === "dense" ? { to: pointer, from: place } : { to: place, from: pointer };
        copyRow(f, ends, length);
      });
    },
  };
}

/** The number of elements, where the walk's first array is dense: in order and without gaps. */
const sizeOf = ({ walk }: Box): number => walk.shape.reduce((product, size) => product * size, 1);

export const gather = generator(readBox, (box: Box) =>
  sizeOf(box) < SMALLEST ? undefined : { name: "gather_f32_simd", phases: [copyBox(box, "dense")] },
);

/** Phase 1: all of y = value. Phase 2: the box. */
export const scatter = generator(writeBox, (box: Box & { readonly value: number }, { y: length }) =>
  length! < SMALLEST
    ? undefined
    : {
        name: "scatter_f32_simd",
        phases: [filling("y", length!, box.value), copyBox(box, "boxed")],
      },
);

/** Each pair of runs, of a and of b, between them and their place in y. */
const alternation = (
  kernel: typeof concatForward | typeof splitForward,
  kind: "concat" | "split",
): Generator =>
  generator(kernel as typeof concatForward, ({ sizeA, sizeB }, { y: length }) => {
    const size = sizeA + sizeB;
    if (length! < SMALLEST || size === 0) return undefined;
    return {
      name: `${kind}_f32_simd`,
      phases: [
        {
          items: length! / size,
          grain: Math.ceil(MEMORY_GRAIN / size),
          write: (f, { from, to, arrays: { y, a, b } }) => {
            const [whole, part] = f.locals("pointer", "i32", 2);
            const parts = [
              { array: a, size: sizeA, place: 0 },
              { array: b, size: sizeB, place: FLOAT * sizeA },
            ];
            const along = [{ array: y, size }, ...parts].map(
              ({ array, size }) => [array, FLOAT * size] as const,
            );
            f.forEachItem({ from, to }, along, () => {
              for (const { array, size, place } of parts) {
                f.set(whole, place === 0 ? y : f.i32.add(y, place));
                f.set(part, array);
                copyRow(f, kind === "concat" ? { to: whole, from: part } : { to: part, from: whole }, size);
              }
            });
          },
        },
      ],
    };
  });

export const concat = alternation(concatForward, "concat");
export const split = alternation(splitForward, "split");
