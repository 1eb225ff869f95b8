// The loops of group normalisation: over strips of positions, over groups, and over the sums that strips leave.
//
//   x, y [N,P,C]   mean, variance [N,G]   gamma, beta [C]      groups of D = C/G neighbouring channels
//
// An image is cut into strips of positions, whatever the number of threads, and a strip is done in blocks of 4·V
// channels, whose constants and sums stay in registers:
//
//   for each strip:  for each block of channels:  for each position:  V vectors
//
// Sums run in 32 bits through a few positions and in double from there on; a strip leaves its own, and the next phase
// adds the strips in order.

import { exactKey, type GroupNormDims } from "@saunet/core/kernels";
import type { FunctionBuilder, Local } from "../asm/index.ts";
import { addDoubles } from "./lanes.ts";
import { DOUBLE, FLOAT, MEMORY_GRAIN, moveBy, SMALLEST, VECTOR, whileAtLeast } from "./stream.ts";

/** Elements of a strip that is summed up: many enough that adding the strips costs nothing beside them. */
const SUMMED = 4096;
/** Positions that are summed up in 32 bits. */
const CHUNK = 32;
/**
 * Elements of a strip that is read and written. Longer strips lose where an image does not fit into the caches (Node
 * 20, last phase of the gradient at 296x296x32: 0.39 ns an element with 512, 0.56 with 4096) and gain little where it
 * does.
 */
const MAPPED = 512;

export type I32 = Local<"i32">;
export type V128 = Local<"v128">;

/** How images are cut. */
export interface Strips {
  readonly d: GroupNormDims;
  /** Positions of a strip, and how many strips an image has. */
  readonly positions: number;
  readonly perImage: number;
  /** V */
  readonly vectors: number;
}

function stripsOf(d: GroupNormDims, positions: number, mostVectors: number): Strips {
  const vectors = [4, 3, 2, 1].find((count) => count <= mostVectors && d.C % (4 * count) === 0)!;
  return { d, positions, perImage: Math.ceil(d.P / positions), vectors };
}

/** Strips and blocks of a pass that sums, and of one that reads and writes. */
export const summing = (d: GroupNormDims, mostVectors: number): Strips =>
  stripsOf(d, Math.ceil(SUMMED / d.C), mostVectors);
export const mapping = (d: GroupNormDims, mostVectors: number): Strips =>
  stripsOf(d, Math.ceil(MAPPED / d.C), mostVectors);

/** Bytes of a strip. */
export const bytesOf = ({ d, positions }: Strips): number => FLOAT * positions * d.C;

/** The items of a phase over strips. */
export const itemsOf = ({ d, positions, perImage }: Strips) => ({
  items: d.N * perImage,
  grain: Math.ceil(MEMORY_GRAIN / (positions * d.C)),
});

/** Whether there is code for it, and enough to do. */
export const suits = ({ N, P, C }: GroupNormDims): boolean => C % 4 === 0 && N * P * C >= SMALLEST;

/** All that the code depends on. */
export const keyOf = (name: string, { N, P, C, G, epsilon, fixedStatistics }: GroupNormDims): string =>
  `${name} ${exactKey([N, P, C, G, epsilon, fixedStatistics])}`;

/** Where a block stands. */
export interface Block {
  /** Its next position and its first channel in each array. */
  readonly pointers: readonly I32[];
  /** Its first channel, in bytes of 32-bit floats. */
  readonly channel: I32;
  readonly image: I32;
  readonly strip: I32;
  /** How many positions are to be done. */
  readonly left: I32;
}

/** Writes the loops over strips and blocks; `body` writes what a block does. */
export function forEachBlock(
  f: FunctionBuilder,
  { d, positions, perImage, vectors }: Strips,
  { from, to }: { from: I32; to: I32 },
  arrays: readonly I32[],
  body: (block: Block) => void,
): void {
  const { i32 } = f;
  const pointers = f.locals("pointer", "i32", arrays.length);
  const [strip, image, channel, first, count, left] = f.locals("index", "i32", 6);
  f.forRange(strip, { from, to }, () => {
    f.set(image, i32.div_u(strip, perImage));
    f.set(first, i32.mul(i32.sub(strip, i32.mul(image, perImage)), positions));
    f.set(count, i32.sub(d.P, first));
    f.set(count, f.select(count, positions, i32.lt_s(count, positions)));
    f.set(first, i32.add(first, i32.mul(image, d.P)));
    f.forRange(channel, { to: FLOAT * d.C, step: VECTOR * vectors }, () => {
      pointers.forEach((pointer, i) => {
        f.set(pointer, i32.add(arrays[i], i32.add(channel, i32.mul(first, FLOAT * d.C))));
      });
      f.set(left, count);
      body({ pointers, channel, image, strip, left });
    });
  });
}

/** Where a strip stands. */
export interface Strip {
  /** This strip alone, for {@link forEachBlock}. */
  readonly range: { readonly from: I32; readonly to: I32 };
  /** Bytes from the start of an array to its first element, and how many elements there are: they lie side by side. */
  readonly start: I32;
  readonly elements: I32;
}

/**
 * Writes the loop over strips. What a strip wants of several passes finds its elements in the first cache: normalising
 * and then activating takes two passes less time than one pass in which the constants of both compete for registers
 * (SA-UNetv2 at 384x384, Node 20: 0.93 ns an element instead of 1.06; the gradients 1.6 instead of 2.4).
 */
export function forEachStrip(
  f: FunctionBuilder,
  { d, positions, perImage }: Strips,
  { from, to }: { from: I32; to: I32 },
  body: (strip: Strip) => void,
): void {
  const { i32 } = f;
  const [strip, end, image, start, elements] = f.locals("index", "i32", 5);
  f.forRange(strip, { from, to }, () => {
    f.set(end, i32.add(strip, 1));
    f.set(image, i32.div_u(strip, perImage));
    f.set(start, i32.mul(i32.sub(strip, i32.mul(image, perImage)), positions));
    f.set(elements, i32.sub(d.P, start));
    f.set(elements, f.select(elements, positions, i32.lt_s(elements, positions)));
    f.set(elements, i32.mul(elements, d.C));
    f.set(start, i32.mul(i32.add(start, i32.mul(image, d.P)), FLOAT * d.C));
    body({ range: { from: strip, to: end }, start, elements });
  });
}

/** Writes the loop over `count` positions of a block. */
export function forEachPosition(
  f: FunctionBuilder,
  { d }: Strips,
  { pointers }: Block,
  count: I32,
  position: () => void,
): void {
  whileAtLeast(f, count, 1, () => {
    position();
    for (const pointer of pointers) f.advance(pointer, FLOAT * d.C);
  });
}

/**
 * Writes the loop over the positions of a block that is summed up. `position` adds to sums of V vectors each, which are
 * taken over into doubles every few positions. Those end up in `shared[strip][sum][channel]`, `offset` bytes after them.
 */
export function sumPositions(
  f: FunctionBuilder,
  strips: Strips,
  block: Block,
  { shared, offset }: { shared: I32; offset: number },
  sums: readonly (readonly V128[])[],
  position: () => void,
): void {
  const { i32, v128 } = f;
  const { C } = strips.d;
  const doubles = sums.map((vectors) => vectors.map(() => f.locals("double", "v128", 2) as [V128, V128]));
  const chunk = f.local("chunk", "i32");
  for (const double of doubles.flat(2)) f.set(double, v128.const("f64x2", 0));
  f.loop((again) => {
    f.set(chunk, f.select(block.left, CHUNK, i32.lt_s(block.left, CHUNK)));
    f.set(block.left, i32.sub(block.left, chunk));
    for (const sum of sums.flat()) f.set(sum, v128.const("f32x4", 0));
    forEachPosition(f, strips, block, chunk, position);
    sums.forEach((vectors, which) => {
      vectors.forEach((sum, v) => {
        addDoubles(f, doubles[which][v], sum);
      });
    });
    f.brIf(again, block.left);
  });
  const place = i32.add(
    i32.mul(block.strip, sums.length * DOUBLE * C),
    i32.mul(block.channel, DOUBLE / FLOAT),
  );
  const at = f.let("at", i32.add(place, shared));
  doubles.forEach((vectors, which) => {
    vectors.flat().forEach((double, i) => {
      v128.store(at, double, { offset: offset + DOUBLE * which * C + VECTOR * i });
    });
  });
}

/** Loads neighbouring vectors. */
export function load(f: FunctionBuilder, vectors: readonly V128[], pointer: I32, offset = 0): void {
  vectors.forEach((vector, v) => {
    f.set(vector, f.v128.load(pointer, { offset: offset + VECTOR * v, align: FLOAT }));
  });
}

/** Stores neighbouring vectors. */
export function store(f: FunctionBuilder, vectors: readonly V128[], pointer: I32): void {
  vectors.forEach((vector, v) => {
    f.v128.store(pointer, vector, { offset: VECTOR * v, align: FLOAT });
  });
}

/**
 * Adds up doubles in order: `sums[i] = Σ` over `count` of them, `step` bytes apart. Sum i lies C doubles after sum
 * i - 1. `at` is after the last at the end.
 */
export function addUp(
  f: FunctionBuilder,
  at: I32,
  sums: readonly Local<"f64">[],
  { count, step, C, offset }: { count: number; step: number; C: number; offset: number },
): void {
  const { f64 } = f;
  const left = f.let("left", f.i32.const(count));
  for (const sum of sums) f.set(sum, 0);
  whileAtLeast(f, left, 1, () => {
    sums.forEach((sum, which) => {
      f.set(sum, f64.add(sum, f64.load(at, { offset: offset + DOUBLE * which * C })));
    });
    f.advance(at, step);
  });
}

/**
 * Writes the loop over the groups of all images; `perGroup` point to a group's element. `body` is given the image and
 * the group's first channel.
 */
export function forEachGroup(
  f: FunctionBuilder,
  { G, D }: GroupNormDims,
  { from, to }: { from: I32; to: I32 },
  perGroup: readonly I32[],
  body: (group: { image: I32; channel: I32 }) => void,
): void {
  const { i32 } = f;
  const [group, image, channel] = f.locals("index", "i32", 3);
  for (const pointer of perGroup) moveBy(f, pointer, from);
  f.forRange(group, { from, to }, () => {
    f.set(image, i32.div_u(group, G));
    f.set(channel, i32.mul(i32.sub(group, i32.mul(image, G)), D));
    body({ image, channel });
    for (const pointer of perGroup) f.advance(pointer, FLOAT);
  });
}

/** `base + image · imageBytes + channel · channelBytes` */
export function placeOf(
  f: FunctionBuilder,
  base: I32,
  { image, channel }: { image: I32; channel: I32 },
  imageBytes: number,
  channelBytes: number,
): I32 {
  const { i32 } = f;
  const start = i32.add(base, i32.mul(image, imageBytes));
  return f.let("at", i32.add(start, i32.mul(channel, channelBytes)));
}

/** Writes a loop over the channels of a group, along which all `pointers` move by one float. */
export function forEachChannel(
  f: FunctionBuilder,
  D: number,
  pointers: readonly I32[],
  body: () => void,
): void {
  const left = f.let("left", f.i32.const(D));
  whileAtLeast(f, left, 1, () => {
    body();
    for (const pointer of pointers) f.advance(pointer, FLOAT);
  });
}

/** 1 / sqrt(variance + epsilon) */
export function rootOf(f: FunctionBuilder, variance: I32, { epsilon }: GroupNormDims): Local<"f64"> {
  const { f32, f64 } = f;
  return f.let("rstd", f64.div(1, f64.sqrt(f64.add(f64.promote_f32(f32.load(variance)), epsilon))));
}
