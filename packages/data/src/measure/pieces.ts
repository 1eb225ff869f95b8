// The pieces of a mask: sets of marked pixels that touch, at their corners too.

import { expectSameSize, type Mask } from "../image.ts";
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
  return pieceRuns(mask).pieces;
}

/** Into how many pieces a prediction breaks what is one piece in truth. */
export interface BrokenPieces {
  /** Pieces of the truth, and those of them that share no pixel with the prediction. */
  readonly truthPieces: number;
  readonly missed: number;
  /** Pieces of the prediction, and those of them that share no pixel with the truth. */
  readonly predictedPieces: number;
  readonly spurious: number;
  /**
   * How many pieces of the prediction share a pixel with a piece of the truth: the mean over the pieces that are not missed: 1 where none is broken.
   * Left out where none is found.
   */
  readonly piecesPerPiece?: number;
}

/**
 * Holds the pieces of a prediction against those of the truth. A vessel that the prediction finds in three parts has 3 pieces; one that
 * it joins to another has 1. The difference of the numbers of pieces, which is the usual figure (error of the Betti number β0: Hu, Li,
 * Samaras and Chen, NeurIPS 2019; the C of Gegúndez-Arias, Aquino, Bravo and Marín, IEEE Transactions on Medical Imaging 31(2), 2012),
 * lets a speck of noise stand for a break and a missed vessel cancel one; here they are counted apart.
 *
 * @throws ShapeError where sizes differ or an array does not fill its picture; RangeError where one holds anything but 0 and 1
 * @example
 * const truth = { width: 7, height: 1, data: Uint8Array.of(1, 1, 1, 1, 1, 0, 0) };
 * const prediction = { width: 7, height: 1, data: Uint8Array.of(1, 1, 0, 1, 1, 0, 1) };
 * const { piecesPerPiece, spurious } = brokenPieces(prediction, truth);
 * console.log(piecesPerPiece, spurious); // 2 1
 */
export function brokenPieces(prediction: Mask, truth: Mask): BrokenPieces {
  expectMask("brokenPieces", "prediction", prediction);
  expectMask("brokenPieces", "truth", truth);
  expectSameSize("brokenPieces", "prediction", prediction, "truth", truth);
  const [found, wanted] = [pieceRuns(prediction), pieceRuns(truth)];
  const pairs = new Set<number>();
  for (let y = 0; y < truth.height; y++) {
    const [runs, others] = [found.rows[y], wanted.rows[y]];
    for (let i = 0, j = 0; i < runs.length && j < others.length; ) {
      const [run, other] = [runs[i], others[j]];
      if (run.first <= other.last && other.first <= run.last) {
        pairs.add(found.rootOf(run.piece) * wanted.labels + wanted.rootOf(other.piece));
      }
      if (run.last < other.last) i++;
      else j++;
    }
  }
  const touched = new Set<number>();
  const touching = new Set<number>();
  for (const pair of pairs) {
    touched.add(pair % wanted.labels);
    touching.add(Math.floor(pair / wanted.labels));
  }
  return {
    truthPieces: wanted.pieces,
    missed: wanted.pieces - touched.size,
    predictedPieces: found.pieces,
    spurious: found.pieces - touching.size,
    ...(touched.size > 0 && { piecesPerPiece: pairs.size / touched.size }),
  };
}

/** Marked pixels side by side in a row, and a label of the piece that they belong to. */
interface Run {
  readonly first: number;
  readonly last: number;
  readonly piece: number;
}

/** The runs of each row; labels of one piece have one root. */
function pieceRuns({ width, height, data }: Mask) {
  const rows: Run[][] = [];
  const parents: number[] = [];
  const rootOf = (piece: number): number => {
    let root = piece;
    while (parents[root] !== root) root = parents[root] = parents[parents[root]];
    return root;
  };
  let pieces = 0;
  for (let y = 0; y < height; y++) {
    const above = rows[y - 1] ?? [];
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
    rows.push(row);
  }
  return { rows, pieces, labels: parents.length, rootOf };
}
