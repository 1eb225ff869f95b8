// Thinning: a mask becomes lines of one pixel that keep its pieces and its holes.
//
// The rules are Guo and Hall's algorithm A1 (Communications of the ACM 32(3), 1989), as `thin` of scikit-image and
// `bwmorph` of MATLAB have them. Whether a pixel goes depends on its eight neighbours alone, so both of its sub-passes are
// tables of 256 answers. Only pixels that are still there are visited, which the first passes leave a tenth of the picture.

import type { Mask } from "../image.ts";
import { expectMask } from "./expect-mask.ts";

/** For each neighbourhood whether its pixel goes, in the first sub-pass and in the second. */
const TABLES = [tableOf(isFirst), tableOf(isSecond)] as const;

/** @param condition the one in which the sub-passes differ; `x[1]` … `x[8]` are the paper's neighbours, `x[9]` is the first again */
function tableOf(condition: (x: readonly boolean[]) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, bits) => {
    const x = Array.from({ length: 10 }, (_, k) => ((bits >> ((k + 7) % 8)) & 1) === 1);
    let [crossings, odd, even] = [0, 0, 0];
    for (let k = 1; k <= 4; k++) {
      if (!x[2 * k - 1] && (x[2 * k] || x[2 * k + 1])) crossings++;
      if (x[2 * k - 1] || x[2 * k]) odd++;
      if (x[2 * k] || x[2 * k + 1]) even++;
    }
    const fewest = Math.min(odd, even);
    return crossings === 1 && fewest >= 2 && fewest <= 3 && condition(x) ? 1 : 0;
  });
}

function isFirst(x: readonly boolean[]): boolean {
  return !((x[2] || x[3] || !x[8]) && x[1]);
}

function isSecond(x: readonly boolean[]): boolean {
  return !((x[6] || x[7] || !x[4]) && x[5]);
}

/**
 * The centre lines of a mask, one pixel wide. What lies beyond the picture counts as background.
 *
 * The same pixels as scikit-image's `thin` (Guo and Hall, Communications of the ACM 32(3), 1989).
 *
 * @throws ShapeError where the array does not fill the picture; RangeError where it holds anything but 0 and 1
 * @example
 * const bar = { width: 7, height: 3, data: new Uint8Array(21).fill(1) };
 * console.log(skeletonize(bar).data.join("")); // 000000001111100000000
 */
export function skeletonize(mask: Mask): Mask {
  expectMask("skeletonize", "mask", mask);
  const { width, height } = mask;
  // A frame of background spares every pixel a look at whether it has neighbours.
  const stride = width + 2;
  const framed = new Uint8Array(stride * (height + 2));
  const places: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask.data[y * width + x] === 0) continue;
      const place = (y + 1) * stride + x + 1;
      framed[place] = 1;
      places.push(place);
    }
  }
  const there = thinned(framed, stride, Int32Array.from(places));
  const data = new Uint8Array(width * height);
  for (const place of there) data[(Math.floor(place / stride) - 1) * width + (place % stride) - 1] = 1;
  return { width, height, data };
}

/** @returns the first of `places`, those that stay */
function thinned(framed: Uint8Array, stride: number, places: Int32Array): Int32Array {
  const going = new Int32Array(places.length);
  let count = places.length;
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const table of TABLES) {
      let gone = 0;
      for (let i = 0; i < count; i++) {
        if (table[neighbourhood(framed, places[i], stride)] === 1) going[gone++] = places[i];
      }
      if (gone === 0) continue;
      hasChanged = true;
      for (let i = 0; i < gone; i++) framed[going[i]] = 0;
      let kept = 0;
      for (let i = 0; i < count; i++) if (framed[places[i]] === 1) places[kept++] = places[i];
      count = kept;
    }
  }
  return places.subarray(0, count);
}

/** Bit i is neighbour i: east first, then counter-clockwise (rows run down). */
function neighbourhood(framed: Uint8Array, at: number, stride: number): number {
  return (
    framed[at + 1] |
    (framed[at - stride + 1] << 1) |
    (framed[at - stride] << 2) |
    (framed[at - stride - 1] << 3) |
    (framed[at - 1] << 4) |
    (framed[at + stride - 1] << 5) |
    (framed[at + stride] << 6) |
    (framed[at + stride + 1] << 7)
  );
}
