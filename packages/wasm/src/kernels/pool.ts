// Max pooling of windows of 2 by 2 that do not overlap.
//
//   y[oy, ox, c] = max of x[2oy … 2oy+1, 2ox … 2ox+1, c]      gx[2oy+ky, 2ox+kx, c] = gy[oy, ox, c] where argmax is it
//
// An item is a row of y and the rows of x under it. The window is gone through in row-major order; a later element
// takes the place of the best one where it is larger, or NaN while the best is none: not (later ≤ best), and best = best.
//
// Other windows, and numbers of channels that are not multiples of 4, stay with the portable form.

import { exactKey, maxPool2dForward, maxPool2dGradient, type Pool2dDims } from "@saunet/core/kernels";
import type { FunctionBuilder, Local, Value } from "../asm/index.ts";
import { type Generator, generator } from "../plan.ts";
import { FLOAT, MEMORY_GRAIN, moveBy, SMALLEST, VECTOR } from "./stream.ts";

type I32 = Local<"i32">;
type V128 = Local<"v128">;

/** Whether there is code for it. */
export const suits = (d: Pool2dDims): boolean =>
  [d.sizeH, d.sizeW, d.strideH, d.strideW].every((size) => size === 2) &&
  d.padTop === 0 &&
  d.padLeft === 0 &&
  2 * d.OH <= d.H &&
  2 * d.OW <= d.W &&
  d.C % 4 === 0 &&
  d.N * d.OH * d.OW * d.C >= SMALLEST;

const planOf = (name: string, { N, H, W, C, OH, OW }: Pool2dDims) => ({
  name,
  key: `${name} ${exactKey([H, W, C, OH, OW])}`,
  items: N * OH,
  grain: Math.ceil(MEMORY_GRAIN / (4 * OW * C)),
});

/** How far the elements of a window lie after its first, in elements and in row-major order. */
const windowOf = ({ W, C }: Pool2dDims): [number, number, number, number] => [0, C, W * C, (W + 1) * C];

/**
 * Writes the loop over rows of y and, inside, over all vectors of a row.
 *
 * @param x points to the first element of the vector's first window; it is moved on
 * @param others point to a vector of an array in the shape of y; they are moved on
 * @param vector writes what is done; `index` is where the first lane of `x` lies in its array, in elements
 */
function forEachWindow(
  f: FunctionBuilder,
  { H, W, C, OH, OW }: Pool2dDims,
  { from, to }: { from: I32; to: I32 },
  x: I32,
  others: readonly I32[],
  vector: (index: I32) => void,
  rowEnd: (row: { image: I32; oy: I32 }) => void = () => {},
): void {
  const { i32 } = f;
  const [row, image, oy, ox, c, index, start] = f.locals("index", "i32", 7);
  f.set(start, x);
  for (const other of others) moveBy(f, other, from, FLOAT * OW * C);
  f.forRange(row, { from, to }, () => {
    f.set(image, i32.div_u(row, OH));
    f.set(oy, i32.sub(row, i32.mul(image, OH)));
    f.set(index, i32.mul(i32.add(i32.mul(image, H), i32.shl(oy, 1)), W * C));
    f.set(x, i32.add(start, i32.mul(index, FLOAT)));
    f.forRange(ox, { to: OW }, () => {
      f.forRange(c, { to: C, step: 4 }, () => {
        vector(index);
        f.advance(index, 4);
        for (const pointer of [x, ...others]) f.advance(pointer, VECTOR);
      });
      f.advance(index, C);
      f.advance(x, FLOAT * C);
    });
    rowEnd({ image, oy });
  });
}

/** Where `later` takes the place of `best`: it is larger, or NaN while `best` is none. */
export function largerOf(f: FunctionBuilder, later: V128, best: V128): Value<"v128"> {
  return f.v128.andnot(f.f32x4.eq(best, best), f.f32x4.le(later, best));
}

/** best = x[0]; for the others: where x[k] > best, or x[k] is NaN and best is not: best = x[k], place = window[k] */
export const maxPool: Generator = generator(maxPool2dForward, (d: Pool2dDims) => {
  if (!suits(d)) return undefined;
  const { items, grain, ...plan } = planOf("max_pool2d_f32_2x2x4_simd", d);
  const phase = { items, grain };
  const window = windowOf(d);
  return {
    ...plan,
    phases: [
      {
        ...phase,
        write: (f, { from, to, arrays: { x, y, argmax } }) => {
          const { i32x4, v128 } = f;
          const xs = f.locals("x", "v128", 4);
          const [take, place] = f.locals("vector", "v128", 2) as [V128, V128];
          const lanes = f.let("lanes", v128.const("i32x4", 0, 1, 2, 3));
          const offsets = window.map((offset, k) => f.let(`offset${k}`, v128.const("i32x4", offset)));
          forEachWindow(f, d, { from, to }, x, [y, argmax], (index) => {
            xs.forEach((x4, k) => {
              f.set(x4, v128.load(x, { offset: FLOAT * window[k], align: FLOAT }));
            });
            const [best, ...later] = xs;
            f.set(place, offsets[0]);
            later.forEach((x4, k) => {
              f.set(take, largerOf(f, x4, best));
              f.set(best, v128.bitselect(x4, best, take));
              f.set(place, v128.bitselect(offsets[k + 1], place, take));
            });
            v128.store(y, best, { align: FLOAT });
            f.set(place, i32x4.add(place, lanes));
            v128.store(argmax, i32x4.add(i32x4.splat(index), place), { align: FLOAT });
          });
        },
      },
    ],
  };
});

/** Every window: gx[k] = argmax is k ? gy : 0; 0 in a last row or column without a window. */
export const gradientOfMaxPool: Generator = generator(maxPool2dGradient, (d: Pool2dDims) => {
  if (!suits(d)) return undefined;
  const { items, grain, ...plan } = planOf("max_pool2d_gradient_f32_2x2x4_simd", d);
  const phase = { items, grain };
  const { H, W, C, OH, OW } = d;
  const rowBytes = FLOAT * W * C;
  const restOfRow = FLOAT * (W - 2 * OW) * C;
  const restOfImage = rowBytes * (H - 2 * OH);
  const window = windowOf(d);
  return {
    ...plan,
    phases: [
      {
        ...phase,
        write: (f, { from, to, arrays: { gx, gy, argmax } }) => {
          const { i32, i32x4, memory, v128 } = f;
          const [gradient, place] = f.locals("vector", "v128", 2) as [V128, V128];
          const lanes = f.let("lanes", v128.const("i32x4", 0, 1, 2, 3));
          const offsets = window.map((offset, k) => f.let(`offset${k}`, v128.const("i32x4", offset)));
          forEachWindow(
            f,
            d,
            { from, to },
            gx,
            [gy, argmax],
            (index) => {
              f.set(gradient, v128.load(gy, { align: FLOAT }));
              f.set(place, i32x4.sub(v128.load(argmax, { align: FLOAT }), lanes));
              f.set(place, i32x4.sub(place, i32x4.splat(index)));
              offsets.forEach((offset, k) => {
                const own = v128.and(i32x4.eq(place, offset), gradient);
                v128.store(gx, own, { offset: FLOAT * window[k], align: FLOAT });
              });
            },
            // Here gx follows the last window of the upper row.
            ({ oy }) => {
              if (restOfRow > 0) {
                memory.fill(gx, 0, restOfRow);
                memory.fill(i32.add(gx, rowBytes), 0, restOfRow);
              }
              if (restOfImage > 0)
                f.if(i32.eq(oy, OH - 1), () => {
                  memory.fill(i32.add(gx, rowBytes + restOfRow), 0, restOfImage);
                });
            },
          );
        },
      },
    ],
  };
});
