// Centre lines, distances, pieces and branches as scikit-image, SciPy and skan find them (fixtures/generate/measure.py).

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Mask } from "../image.ts";
import { clDice } from "./cl-dice.ts";
import { distanceToBackground } from "./distance.ts";
import { vesselGraph } from "./graph.ts";
import { type BrokenPieces, brokenPieces, countPieces } from "./pieces.ts";
import { skeletonize } from "./thinning.ts";
import { chainLength } from "./tidy.ts";

interface Case {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly mask: string;
  readonly thin: string;
  readonly pieces: number;
  readonly squaredDistance: number[] | null;
  readonly skan: { readonly branches: number; readonly ends: number; readonly length: number } | null;
}

/** Two masks as bits. */
interface Pair {
  readonly width: number;
  readonly height: number;
  readonly prediction: string;
  readonly truth: string;
  readonly clDice: number;
  /** With the prediction, and with truth and prediction exchanged. */
  readonly broken: BrokenPieces;
  readonly brokenBack: BrokenPieces;
}

const { cases, pairs } = JSON.parse(
  readFileSync(new URL("../../../../fixtures/measure/measure.json", import.meta.url), "utf8"),
) as { cases: Case[]; pairs: Pair[] };

function unpacked({ width, height }: Case | Pair, bits: string): Mask {
  const bytes = Buffer.from(bits, "base64");
  const data = Uint8Array.from({ length: width * height }, (_, i) => (bytes[i >> 3] >> (7 - (i % 8))) & 1);
  return { width, height, data };
}

describe.each(cases)("$name", (each) => {
  const mask = unpacked(each, each.mask);

  it("has the centre lines of scikit-image", () => {
    expect(skeletonize(mask)).toEqual(unpacked(each, each.thin));
  });

  it("has the distances of SciPy", () => {
    const found = [...distanceToBackground(mask)];
    if (each.squaredDistance === null) expect(new Set(found)).toEqual(new Set([Number.POSITIVE_INFINITY]));
    else expect(found).toEqual(each.squaredDistance.map((square) => Math.fround(Math.sqrt(square))));
  });

  it("has the pieces of scikit-image", () => expect(countPieces(mask)).toBe(each.pieces));
});

// skan takes all eight neighbours, so that a corner is a triangle of three branch points; the trees of vessels have few.
it("has the branches, ends and lengths of skan on a tree", () => {
  const tree = cases.find(({ name }) => name === "tree") as Case;
  const { nodes, segments } = vesselGraph(unpacked(tree, tree.thin));
  const length = segments.reduce((sum, { path }) => sum + chainLength(path, tree.width), 0);
  expect(segments).toHaveLength(tree.skan?.branches as number);
  expect(nodes.filter(({ kind }) => kind === "end")).toHaveLength(tree.skan?.ends as number);
  expect(Math.abs(length / (tree.skan?.length as number) - 1)).toBeLessThan(0.02);
});

it.each(["fine", "blobs", "coarse"])("has nearly skan's length of the chains of %s", (name) => {
  const each = cases.find((other) => other.name === name) as Case;
  const { segments } = vesselGraph(unpacked(each, each.thin));
  const length = segments.reduce((sum, { path }) => sum + chainLength(path, each.width), 0);
  expect(Math.abs(length / (each.skan?.length as number) - 1)).toBeLessThan(0.05);
});

it.each(pairs)("has the centre-line Dice of scikit-image's centre lines, $clDice", (pair) => {
  const [prediction, truth] = [unpacked(pair, pair.prediction), unpacked(pair, pair.truth)];
  expect(clDice(prediction, truth)).toBeCloseTo(pair.clDice, 12);
  expect(clDice(truth, prediction)).toBeCloseTo(pair.clDice, 12);
});

it.each(pairs)("has the broken pieces of scikit-image's labels, $broken", (pair) => {
  const [prediction, truth] = [unpacked(pair, pair.prediction), unpacked(pair, pair.truth)];
  const [there, back] = [brokenPieces(prediction, truth), brokenPieces(truth, prediction)];
  expect({ ...there, piecesPerPiece: 0 }).toEqual({ ...pair.broken, piecesPerPiece: 0 });
  expect({ ...back, piecesPerPiece: 0 }).toEqual({ ...pair.brokenBack, piecesPerPiece: 0 });
  expect(there.piecesPerPiece).toBeCloseTo(pair.broken.piecesPerPiece as number, 12);
  expect(back.piecesPerPiece).toBeCloseTo(pair.brokenBack.piecesPerPiece as number, 12);
});

it("has no broken pieces where nothing is found, and refuses masks of two sizes", () => {
  const truth = { width: 4, height: 2, data: Uint8Array.of(1, 1, 0, 1, 0, 0, 0, 0) };
  const nothing = { ...truth, data: new Uint8Array(8) };
  expect(brokenPieces(nothing, truth)).toEqual({
    ...{ truthPieces: 2, missed: 2, predictedPieces: 0, spurious: 0 },
  });
  expect(brokenPieces(nothing, nothing)).toEqual({
    ...{ truthPieces: 0, missed: 0, predictedPieces: 0, spurious: 0 },
  });
  expect(() => brokenPieces({ ...truth, width: 2, height: 4 }, truth)).toThrow(/brokenPieces: prediction/);
});

it("has a centre-line Dice of 0 where one mask is empty, and none where both are", () => {
  const [empty, full] = ["empty", "tree"].map((name) => cases.find((each) => each.name === name) as Case);
  const tree = unpacked(full, full.mask);
  const nothing = { ...tree, data: new Uint8Array(tree.data.length) };
  expect([clDice(tree, nothing), clDice(nothing, tree), clDice(nothing, nothing)]).toEqual([0, 0, undefined]);
  expect(() => clDice(tree, unpacked(empty, empty.mask))).toThrow(/clDice/);
});

it("pieces want two masks of one size", () => {
  const mask = { width: 3, height: 1, data: Uint8Array.of(0, 1, 1) };
  const grey = { ...mask, data: Uint8Array.of(0, 1, 9) };
  const message = (prediction: Mask, truth: Mask) => {
    try {
      brokenPieces(prediction, truth);
      return "none";
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(message(mask, grey)).toMatch(/^brokenPieces: truth must hold 0 and 1 but holds 9/);
  expect(message(grey, mask)).toMatch(/^brokenPieces: prediction must hold 0 and 1 but holds 9/);
  expect(message(mask, { width: 1, height: 3, data: mask.data })).toBe(
    "brokenPieces: prediction is 3 x 1 but truth is 1 x 3",
  );
});
