// Random numbers from a counter: the i-th number is a hash of (seed, i), so any number can be made without the
// ones before it, on any number of threads, and the whole state is four integers in an array. The hash is
// Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): additions,
// rotations and exclusive ors of 32-bit integers, which JavaScript and WebAssembly both do exactly.

import { expectInteger } from "./errors.ts";
import { type Floats, kernel } from "./kernel.ts";
import type { Shape } from "./shape.ts";
import { empty, type Tensor } from "./tensor.ts";

/** `[key, key, counter low, counter high]`; drawing from it moves the counter on. */
export type RandomState = Uint32Array;

/**
 * A fresh stream of random numbers. Equal seeds give equal streams on every machine.
 *
 * @param seed an integer from 0 to 2^53 - 1
 * @param stream tells independent streams of one seed apart
 * @throws RangeError where the seed or the stream is no integer of at least 0
 * @example
 * console.log(draw(randomState(7)) === draw(randomState(7))); // true
 */
export function randomState(seed: number, stream = 0): RandomState {
  expectInteger("randomState", "seed", seed, 0);
  expectInteger("randomState", "stream", stream, 0);
  return new Uint32Array([
    seed >>> 0,
    (Math.floor(seed / 2 ** 32) ^ Math.imul(stream, 0x9e3779b9)) >>> 0,
    0,
    0,
  ]);
}

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const KEY_PARITY = 0x1bd11bda;

/**
 * Hashes one counter (two words) under one key (two words) into `out[0]` and `out[1]`.
 *
 * @example
 * const out = new Uint32Array(2);
 * threefry2x32(0, 0, 0, 0, out);
 * console.log(out[0].toString(16), out[1].toString(16)); // 6b200159 99ba4efe
 */
export function threefry2x32(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Uint32Array,
): void {
  const keys = [key0, key1, KEY_PARITY ^ key0 ^ key1];
  let a = (counter0 + key0) | 0;
  let b = (counter1 + key1) | 0;
  for (let round = 0; round < 20; round++) {
    const rotation = ROTATIONS[round % 8];
    a = (a + b) | 0;
    b = ((b << rotation) | (b >>> (32 - rotation))) ^ a;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      a = (a + keys[injection % 3]) | 0;
      b = (b + keys[(injection + 1) % 3] + injection) | 0;
    }
  }
  out[0] = a;
  out[1] = b;
}

/**
 * Moves a stream on by so many pairs of words.
 *
 * @example
 * const [one, other] = [randomState(1), randomState(1)];
 * draw(one);
 * skipWords(other, 1);
 * console.log(draw(one) === draw(other)); // true
 */
export function skipWords(state: RandomState, blocks: number): void {
  const low = state[2] + blocks;
  state[2] = low;
  state[3] = state[3] + Math.floor(low / 2 ** 32);
}

const block = new Uint32Array(2);

/**
 * The pair of random words that comes after `blocks` others; the stream stays where it is. The array is the same at
 * every call.
 *
 * @example
 * const state = randomState(1);
 * const [word] = wordsAhead(state, 5);
 * skipWords(state, 5);
 * console.log(wordsAhead(state, 0)[0] === word); // true
 */
export function wordsAhead(state: RandomState, blocks: number): Uint32Array {
  const low = state[2] + blocks;
  threefry2x32(state[0], state[1], low, state[3] + Math.floor(low / 2 ** 32), block);
  return block;
}

/** 24 random bits as a float in [0, 1): every value is exact in 32-bit floats. */
const toUnit = (word: number): number => (word >>> 8) / 2 ** 24;

/** Fills `out` with independent numbers from [low, low + width). */
export const uniformDraw = kernel(
  "random.uniform",
  { out: "write", state: "update" },
  ({ out, state }: { out: Floats; state: RandomState }, { low, width }: { low: number; width: number }) => {
    for (let i = 0; i < out.length; i += 2) {
      wordsAhead(state, i >>> 1);
      out[i] = low + width * toUnit(block[0]);
      if (i + 1 < out.length) out[i + 1] = low + width * toUnit(block[1]);
    }
    skipWords(state, Math.ceil(out.length / 2));
  },
  { types: { state: "u32" } },
);

/**
 * Fills `out` with normal numbers of mean 0 and the given deviation (Box and Muller), redrawing whatever lies
 * beyond `limit` deviations.
 */
export const normalDraw = kernel(
  "random.normal",
  { out: "write", state: "update" },
  ({ out, state }: { out: Floats; state: RandomState }, dims: { deviation: number; limit: number }) => {
    for (let i = 0; i < out.length; i++) {
      let value: number;
      do {
        wordsAhead(state, 0);
        skipWords(state, 1);
        value = Math.sqrt(-2 * Math.log(1 - toUnit(block[0]))) * Math.cos(2 * Math.PI * toUnit(block[1]));
      } while (Math.abs(value) > dims.limit);
      out[i] = dims.deviation * value;
    }
  },
  { types: { state: "u32" } },
);

/**
 * Independent numbers from [low, high), default [0, 1).
 *
 * @example
 * const state = randomState(42);
 * console.log(uniform([2, 2], state).data.every((value) => value >= 0 && value < 1)); // true
 */
export function uniform(
  shape: Shape,
  state: RandomState,
  { low = 0, high = 1 }: { low?: number; high?: number } = {},
): Tensor {
  const out = empty(shape);
  uniformDraw({ out: out.data, state }, { low, width: high - low });
  return out;
}

/**
 * Normal numbers of mean 0; `limit` cuts the tails at that many deviations by drawing again.
 *
 * @example
 * const x = normal([10_000], randomState(1), { deviation: 0.1 });
 * console.log(mean(mul(x, x)).item().toFixed(2)); // 0.01
 */
export function normal(
  shape: Shape,
  state: RandomState,
  { deviation = 1, limit = Number.POSITIVE_INFINITY }: { deviation?: number; limit?: number } = {},
): Tensor {
  const out = empty(shape);
  normalDraw({ out: out.data, state }, { deviation, limit });
  return out;
}

/**
 * One number from [0, 1), for decisions outside tensors (orders, crops, angles).
 *
 * @example
 * const state = randomState(1);
 * console.log(draw(state) < 0.5 ? "left" : "right"); // right
 */
export function draw(state: RandomState): number {
  wordsAhead(state, 0);
  skipWords(state, 1);
  return toUnit(block[0]);
}

/**
 * The integers 0 … count - 1 in random order (Fisher and Yates).
 *
 * @example
 * console.log(permutation(4, randomState(1)).sort()); // [ 0, 1, 2, 3 ]
 */
export function permutation(count: number, state: RandomState): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(draw(state) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
