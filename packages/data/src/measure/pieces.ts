// The pieces of a mask: sets of marked pixels that touch, at their corners too.

import type { Mask } from "../image.ts";
import { expectMask } from "./expect-mask.ts";

/**
 * How many pieces a mask has (8-connected components): the vessels of an eye are a few trees, and every break makes one more.
 *
 * @throws ShapeError where the array does not fill the picture; RangeError where it holds anything but 0 and 1
 * @example
 * console.log(countPieces({ width: 3, height: 2, data: Uint8Array.of(1, 0, 1, 0, 1, 0) })); // 1
 */
export function countPieces(mask: Mask): number {
  expectMask("countPieces", "mask", mask);
  const { width, height, data } = mask;
  /** The first and last column of each run of marked pixels in the row above, and the piece that it belongs to. */
  let above: Run[] = [];
  const parents: number[] = [];
  const rootOf = (piece: number): number => {
    let root = piece;
    while (parents[root] !== root) root = parents[root] = parents[parents[root]];
    return root;
  };
  let pieces = 0;
  for (let y = 0; y < height; y++) {
    const row: Run[] = [];
    for (let x = 0, other = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      const first = x;
      while (x + 1 < width && data[y * width + x + 1] === 1) x++;
      const run = { first, last: x, piece: parents.length };
      parents.push(run.piece);
      pieces++;
      while (other < above.length && above[other].last < first - 1) other++;
      // The last of them may reach the next run, too.
      for (let i = other; i < above.length && above[i].first <= run.last + 1; i++) {
        const [one, joined] = [rootOf(above[i].piece), rootOf(run.piece)];
        if (one === joined) continue;
        parents[joined] = one;
        pieces--;
      }
      row.push(run);
    }
    above = row;
  }
  return pieces;
}

interface Run {
  readonly first: number;
  readonly last: number;
  readonly piece: number;
}
