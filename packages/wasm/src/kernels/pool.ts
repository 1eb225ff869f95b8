// Max pooling of windows of 2 by 2 that do not overlap.
//
//   y[oy, ox, c] = max of x[2oy … 2oy+1, 2ox … 2ox+1, c]      gx[2oy+ky, 2ox+kx, c] = gy[oy, ox, c] where argmax is it
//
// An item is a row of y and the rows of x under it. The window is gone through in row-major order; a later element
// takes the place of the best one where it is larger, or NaN while the best is none: not (later ≤ best), and best = best.
//
// Other windows, and numbers of channels that are not multiples of 4, stay with the portable form.

import { type Kernel, maxPool2dForward, maxPool2dGradient, type Pool2dDims } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type Range, type V128, VECTOR } from "../asm/index.ts";
import { type Generator, generator, nameOf, type PhaseLocals } from "../plan.ts";
import { MEMORY_GRAIN, SMALLEST, vectorsFor } from "./stream.ts";

/** Whether there is code for it. */
const suits = (d: Pool2dDims): boolean =>
  [d.sizeH, d.sizeW, d.strideH, d.strideW].every((size) => size === 2) &&
  d.padTop === 0 &&
  d.padLeft === 0 &&
  2 * d.OH <= d.H &&
  2 * d.OW <= d.W &&
  d.C % 4 === 0 &&
  d.N * d.OH * d.OW * d.C >= SMALLEST;

/** A generator of such kernels. */
const ofWindows = <A>(
  kernel: Kernel<A, Pool2dDims>,
  write: (f: FunctionBuilder, d: Pool2dDims, locals: PhaseLocals<A>) => void,
): Generator =>
  generator(kernel, (d) => {
    if (!suits(d)) return undefined;
    const { N, H, W, C, OH, OW } = d;
    const grain = Math.ceil(MEMORY_GRAIN / (4 * OW * C));
    return {
      name: `${nameOf(kernel)}_f32_2x2x${4 * vectorsFor(C)}_simd`,
      fixed: [H, W, C, OH, OW],
      phases: [{ items: N * OH, grain, write: (f, locals) => write(f, d, locals) }],
    };
  });

/** How far the elements of a window lie after its first, in elements and in row-major order. */
const windowOf = ({ W, C }: Pool2dDims): [number, number, number, number] => [0, C, W * C, (W + 1) * C];

/** The same for four windows of neighbouring channels, counted from the first element of the first one. */
const placesOf = (f: FunctionBuilder, d: Pool2dDims): V128[] =>
  windowOf(d).map((at, k) => f.let(`place${k}`, f.v128.const("i32x4", at, at + 1, at + 2, at + 3)));

/**
 * Writes the loop over rows of y and, inside, over all vectors of a row.
 *
 * @param x points to the first element of a vector's first window; it is moved on
 * @param others point to a vector of an array in the shape of y; they are moved on
 * @param vector writes what is done; it is told how many bytes beyond the pointers, and gives where the first lane of `x`
 *   lies in its array, in elements and in all lanes
 */
function forEachWindow(
  f: FunctionBuilder,
  { H, W, C, OH, OW }: Pool2dDims,
  { from, to }: Range,
  x: I32,
  others: readonly I32[],
  vector: (offset: number, first: V128) => void,
  rowEnd: (oy: I32) => void = () => {},
): void {
  const { i32, i32x4 } = f;
  const vectors = vectorsFor(C);
  const [row, image, oy, ox, c, index, start] = f.locals("index", "i32", 7);
  const first = f.local("first", "v128");
  f.set(start, x);
  for (const other of others) f.advance(other, from, FLOAT * OW * C);
  f.forRange(row, { from, to }, () => {
    f.set(image, i32.div_u(row, OH));
    f.set(oy, i32.sub(row, i32.mul(image, OH)));
    f.set(index, i32.mul(i32.add(i32.mul(image, H), i32.shl(oy, 1)), W * C));
    f.set(x, i32.add(start, i32.mul(index, FLOAT)));
    f.forRange(ox, { to: OW }, () => {
      f.forRange(c, { to: C, step: 4 * vectors }, () => {
        for (let v = 0; v < vectors; v++) {
          f.set(first, i32x4.splat(index));
          vector(VECTOR * v, first);
          f.advance(index, 4);
        }
        for (const pointer of [x, ...others]) f.advance(pointer, VECTOR * vectors);
      });
      f.advance(index, C);
      f.advance(x, FLOAT * C);
    });
    rowEnd(oy);
  });
}

/**
 * best = x[0]; for the others: where x[k] > best, or x[k] is NaN and best is not: best = x[k], place = window[k]
 */
export const maxPool = ofWindows(maxPool2dForward, (f, d, { from, to, arrays: { x, y, argmax } }) => {
  const { f32x4, i32x4, v128 } = f;
  const xs = f.locals("x", "v128", 4);
  const [take, place] = f.locals("vector", "v128", 2);
  const places = placesOf(f, d);
  const window = windowOf(d);
  forEachWindow(f, d, { from, to }, x, [y, argmax], (offset, first) => {
    f.setEach(xs, (k) => v128.load(x, { offset: offset + FLOAT * window[k], align: FLOAT }));
    const [best, ...later] = xs;
    f.set(place, places[0]);
    later.forEach((x4, k) => {
      f.set(take, v128.andnot(f32x4.eq(best, best), f32x4.le(x4, best)));
      f.set(best, v128.bitselect(x4, best, take));
      f.set(place, v128.bitselect(places[k + 1], place, take));
    });
    v128.store(y, best, { offset, align: FLOAT });
    v128.store(argmax, i32x4.add(first, place), { offset, align: FLOAT });
  });
});

/** Every window: gx[k] = argmax is k ? gy : 0; 0 in a last row or column without a window. */
export const gradientOfMaxPool = ofWindows(
  maxPool2dGradient,
  (f, d, { from, to, arrays: { gx, gy, argmax } }) => {
    const { i32, i32x4, memory, v128 } = f;
    const { H, W, C, OH, OW } = d;
    const rowBytes = FLOAT * W * C;
    const restOfRow = FLOAT * (W - 2 * OW) * C;
    const restOfImage = rowBytes * (H - 2 * OH);
    const window = windowOf(d);
    const places = placesOf(f, d);
    const [gradient, place] = f.locals("vector", "v128", 2);
    forEachWindow(
      f,
      d,
      { from, to },
      gx,
      [gy, argmax],
      (offset, first) => {
        f.set(gradient, v128.load(gy, { offset, align: FLOAT }));
        f.set(place, i32x4.sub(v128.load(argmax, { offset, align: FLOAT }), first));
        places.forEach((own, k) => {
          const share = v128.and(i32x4.eq(place, own), gradient);
          v128.store(gx, share, { offset: offset + FLOAT * window[k], align: FLOAT });
        });
      },
      // Here gx follows the last window of the upper row.
      (oy) => {
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
);
