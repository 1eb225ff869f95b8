// Maps cut into strips of positions: loops over strips and blocks of channels, and sums by channel.
//
//   x [N,P,C]
//
// An image is cut into strips, whatever the number of threads, and a strip is done in blocks of 4·V channels, whose
// constants and sums stay in registers:
//
//   for each strip:  for each block of channels:  for each position:  V vectors
//
// Sums run in 32 bits through a few positions and in double from there on; a strip leaves its own in scratch memory, and
// the next phase adds the strips in order.

import {
  DOUBLE,
  FLOAT,
  type FunctionBuilder,
  type I32,
  type Local,
  type V128,
  VECTOR,
} from "../asm/index.ts";
import type { Phase, PhaseLocals } from "../plan.ts";
import { MEMORY_GRAIN, vectorsFor } from "./stream.ts";

/** Elements of a strip that is summed up: many enough that adding the strips costs nothing beside them. */
const SUMMED = 4096;
/** Positions that are summed up in 32 bits. */
const CHUNK = 32;
/**
 * Elements of a strip that is read and written. Longer strips lose where an image does not fit into the caches (Node
 * 20, last phase of the gradient of group normalisation at 296x296x32: 0.39 ns an element with 512, 0.56 with 4096) and
 * gain little where it does.
 */
const MAPPED = 512;

/** Images, positions of an image, channels. */
export interface Extent {
  readonly N: number;
  readonly P: number;
  readonly C: number;
}

/** How images are cut. */
export interface Strips extends Extent {
  /** Positions of a strip, and how many strips an image has. */
  readonly positions: number;
  readonly perImage: number;
  /** V */
  readonly vectors: number;
}

function stripsOf({ N, P, C }: Extent, elements: number, mostVectors: number): Strips {
  const positions = Math.ceil(elements / C);
  return { N, P, C, positions, perImage: Math.ceil(P / positions), vectors: vectorsFor(C, mostVectors) };
}

/** Strips and blocks of a pass that sums, and of one that reads and writes. */
export const summing = (extent: Extent, mostVectors: number): Strips => stripsOf(extent, SUMMED, mostVectors);
export const mapping = (extent: Extent, mostVectors: number): Strips => stripsOf(extent, MAPPED, mostVectors);

/** Bytes of a strip. */
export const bytesOf = ({ C, positions }: Strips): number => FLOAT * positions * C;

/** Where a strip stands. */
export interface Strip {
  readonly strip: I32;
  readonly image: I32;
  /** Bytes from the start of an array to its first element. */
  readonly start: I32;
  /** How many positions it has; their elements lie side by side. */
  readonly count: I32;
}

/**
 * The phase whose items are strips: `prepare` declares variables, and returns what writes a strip. What a strip wants of
 * several passes finds its elements in the first cache: normalising and then activating takes two passes less time than one
 * pass in which the constants of both compete for registers (SA-UNetv2 at 384x384, Node 20: 0.93 ns an element instead of 1.06;
 * the gradients 1.6 instead of 2.4).
 */
export const stripPhase = <A>(
  { N, P, C, positions, perImage }: Strips,
  prepare: (f: FunctionBuilder, locals: PhaseLocals<A>) => (strip: Strip) => void,
): Phase<A> => ({
  items: N * perImage,
  grain: Math.ceil(MEMORY_GRAIN / (positions * C)),
  write: (f, locals) => {
    const { i32 } = f;
    const body = prepare(f, locals);
    const { strip, image, start, count } = f.declare("i32");
    f.forRange(strip, locals, () => {
      f.set(image, i32.div_u(strip, perImage));
      f.set(start, i32.mul(i32.sub(strip, i32.mul(image, perImage)), positions));
      f.cut(count, start, P, positions);
      f.set(start, i32.mul(i32.add(start, i32.mul(image, P)), FLOAT * C));
      body({ strip, image, start, count });
    });
  },
});

/** Where a block of a strip stands. */
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

/** Writes the loop over the blocks of a strip; `body` writes what a block does. */
export function forEachBlock(
  f: FunctionBuilder,
  { C, vectors }: Strips,
  { strip, image, start, count }: Strip,
  arrays: readonly I32[],
  body: (block: Block) => void,
): void {
  const { i32 } = f;
  const pointers = f.locals("pointer", "i32", arrays.length);
  const [channel, left] = f.locals("block", "i32", 2);
  f.forRange(channel, { to: FLOAT * C, step: VECTOR * vectors }, () => {
    f.setEach(pointers, (i) => i32.add(arrays[i], i32.add(channel, start)));
    f.set(left, count);
    body({ pointers, channel, image, strip, left });
  });
}

/** Writes the loop over `count` positions of a block. */
export function forEachPosition(
  f: FunctionBuilder,
  { C }: Strips,
  { pointers }: Block,
  count: I32,
  position: () => void,
): void {
  f.whileAtLeast(count, 1, () => {
    position();
    for (const pointer of pointers) f.advance(pointer, FLOAT * C);
  });
}

/** Sums of strips, and where they go: into `shared[strip][sum][channel]`, `offset` bytes (default 0) after `shared`. */
export interface Sums {
  readonly shared: I32;
  readonly offset?: number;
  /** Each V vectors. */
  readonly sums: readonly (readonly V128[])[];
  /** So many positions are summed up in 32 bits, then taken over into doubles; default {@link CHUNK}. */
  readonly inFloats?: number;
  /** Writes what a block begins with. */
  readonly begin?: (block: Block) => void;
}

/** Writes the loops over a strip that is summed up; `position` adds what lies at the pointers to the sums. */
export function sumStrip(
  f: FunctionBuilder,
  strips: Strips,
  strip: Strip,
  arrays: readonly I32[],
  { shared, offset = 0, sums, inFloats = CHUNK, begin }: Sums,
  position: (pointers: readonly I32[]) => void,
): void {
  const { i32, v128 } = f;
  const { C } = strips;
  const doubles = sums.map((vectors) => vectors.map(() => f.locals("double", "v128", 2)));
  const chunk = f.local("chunk", "i32");
  forEachBlock(f, strips, strip, arrays, (block) => {
    begin?.(block);
    f.setEach(doubles.flat(2), () => v128.const("f64x2", 0));
    f.loop((again) => {
      f.set(chunk, f.min(block.left, inFloats));
      f.set(block.left, i32.sub(block.left, chunk));
      f.setEach(sums.flat(), () => v128.const("f32x4", 0));
      forEachPosition(f, strips, block, chunk, () => position(block.pointers));
      sums.flat().forEach((sum, i) => {
        f.addDoubles(doubles.flat()[i], sum);
      });
      f.brIf(again, block.left);
    });
    const at = f.let(
      "at",
      f.at(shared, block.strip, sums.length * DOUBLE * C, block.channel, DOUBLE / FLOAT),
    );
    doubles.forEach((vectors, which) => {
      vectors.flat().forEach((double, i) => {
        v128.store(at, double, { offset: offset + DOUBLE * which * C + VECTOR * i });
      });
    });
  });
}

/** Doubles of one channel that strips left. */
export interface Column {
  /** How many strips, and the bytes from one to the next. */
  readonly count: number;
  readonly step: number;
  /** The bytes from one sum to the next; default: they fill a step. */
  readonly apart?: number;
  /** From where `at` points to the first of them. */
  readonly offset?: number;
}

/** Adds up doubles in order: `sums[k] = Σ` over the strips. `at` is after the last at the end. */
export function addUp(
  f: FunctionBuilder,
  at: I32,
  sums: readonly Local<"f64">[],
  { count, step, apart = step / sums.length, offset = 0 }: Column,
): void {
  const { f64 } = f;
  for (const sum of sums) f.set(sum, 0);
  f.forRange(f.local("strip", "i32"), { to: count }, () => {
    f.setEach(sums, (k) => f64.add(sums[k], f64.load(at, { offset: offset + apart * k })));
    f.advance(at, step);
  });
}

/** The phase in which each channel adds up what the strips left of it: `outputs[k][c] = scale · Σ shared[strip, k, c]` */
export const addingStrips = <A>(
  C: number,
  column: Column,
  outputs: readonly (keyof A)[],
  scale = 1,
): Phase<A> => ({
  items: C,
  grain: Math.ceil(MEMORY_GRAIN / (outputs.length * column.count)),
  write: (f, { from, to, shared, arrays }) => {
    const { f32, f64 } = f;
    const at = f.local("at", "i32");
    const sums = f.locals("sum", "f64", outputs.length);
    const along = outputs.map((output) => [arrays[output], FLOAT] as const);
    f.forEachItem({ from, to }, along, (channel) => {
      f.set(at, f.at(shared, channel, DOUBLE));
      addUp(f, at, sums, column);
      along.forEach(([output], k) => {
        f32.store(output, f32.demote_f64(scale === 1 ? f.get(sums[k]) : f64.mul(sums[k], scale)));
      });
    });
  },
});
