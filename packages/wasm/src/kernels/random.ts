// Uniform random numbers: Threefry-2x32 with 20 rounds, four counters in a vector, one in each lane. Integers and
// doubles do here what they do in the reference, so the numbers are the same bit for bit.
//
//   Phase 1, each counter i: words = hash(key, state + i)
//                            out[2i], out[2i+1] = low + width · (word >>> 8) / 2^24
//   Phase 2: state += number of counters

import { uniformDraw } from "@saunet/core/kernels";
import {
  FLOAT,
  type FunctionBuilder,
  type I32,
  type Local,
  type Operand,
  type V128,
  type Value,
  VECTOR,
} from "../asm/index.ts";
import { generator } from "../plan.ts";
import { ARITHMETIC_GRAIN, SMALLEST } from "./stream.ts";

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const KEY_PARITY = 0x1bd11bda;
const ROUNDS = 20;
/** How many vectors of counters at once. */
const QUADS = 4;

/** Where the state holds its key and its counter, in bytes. */
export const KEY = [0, 4] as const;
export const COUNTER = [8, 12] as const;

/** What Threefry does with words of 32 bits: with one, or with four in the lanes of a vector. */
interface Words<T extends "i32" | "v128"> {
  readonly add: (a: Operand<T>, b: Operand<T>) => Value<T>;
  readonly xor: (a: Operand<T>, b: Operand<T>) => Value<T>;
  readonly rotate: (word: Local<T>, bits: number) => Value<T>;
  readonly constant: (value: number) => Value<T>;
}

const scalars = ({ i32 }: FunctionBuilder): Words<"i32"> => ({
  add: i32.add,
  xor: i32.xor,
  rotate: i32.rotl,
  constant: i32.const,
});

const vectors = ({ i32x4, v128 }: FunctionBuilder): Words<"v128"> => ({
  add: i32x4.add,
  xor: v128.xor,
  rotate: (word, bits) => v128.or(i32x4.shl(word, bits), i32x4.shr_u(word, 32 - bits)),
  constant: (value) => v128.const("i32x4", value),
});

/**
 * Prepares `[as[i], bs[i]] ← Threefry(key, [as[i], bs[i]])`; the pairs are interleaved, since each round waits for the last.
 */
function threefry<T extends "i32" | "v128">(
  f: FunctionBuilder,
  { add, xor, rotate, constant }: Words<T>,
  [first, second]: readonly Local<T>[],
): (as: readonly Local<T>[], bs: readonly Local<T>[]) => void {
  const keys = [first, second, f.let("parity", xor(xor(first, second), constant(KEY_PARITY)))];
  const injected = Array.from({ length: ROUNDS / 4 }, (_, i) =>
    f.let(`injected${i}`, add(constant(i + 1), keys[(i + 2) % 3])),
  );
  return (as, bs) => {
    f.setEach(as, (i) => add(as[i], keys[0]));
    f.setEach(bs, (i) => add(bs[i], keys[1]));
    for (let round = 0; round < ROUNDS; round++) {
      f.setEach(as, (i) => add(as[i], bs[i]));
      f.setEach(bs, (i) => xor(rotate(bs[i], ROTATIONS[round % ROTATIONS.length]), as[i]));
      if (round % 4 !== 3) continue;
      const injection = (round + 1) / 4;
      f.setEach(as, (i) => add(as[i], keys[injection % 3]));
      f.setEach(bs, (i) => add(bs[i], injected[injection - 1]));
    }
  };
}

/**
 * Threefry for one counter after the other: `hash` writes the code that hashes a counter, after which `first` and
 * `second` hold its two words.
 */
export function threefryOfOne(
  f: FunctionBuilder,
  keys: readonly I32[],
): { first: I32; second: I32; hash: (counter: Local<"i64">) => void } {
  const { i32, i64 } = f;
  const { first, second } = f.declare("i32");
  const rounds = threefry(f, scalars(f), keys);
  return {
    first,
    second,
    hash: (counter) => {
      f.set(first, i32.wrap_i64(counter));
      f.set(second, i32.wrap_i64(i64.shr_u(counter, 32n)));
      rounds([first], [second]);
    },
  };
}

/** Writes `state += count`, in 64 bits. */
export function moveCounter(f: FunctionBuilder, state: I32, count: number): void {
  const { i64 } = f;
  const place = { offset: COUNTER[0], align: FLOAT };
  i64.store(state, i64.add(i64.load(state, place), BigInt(count)), place);
}

const LOWER_HALVES = [0, 1, 4, 5] as const;
const UPPER_HALVES = [2, 3, 6, 7] as const;
const ALTERNATING_LOW = [0, 4, 1, 5] as const;
const ALTERNATING_HIGH = [2, 6, 3, 7] as const;

export const uniform = generator(uniformDraw, ({ low, width }, { out: length }) => {
  if (length! < SMALLEST) return undefined;
  const counters = Math.ceil(length! / 2);
  return {
    name: "random_uniform_f32_8x4_simd",
    fixed: [length, low, width],
    phases: [
      {
        items: counters,
        grain: ARITHMETIC_GRAIN / 2,
        write: (f, { from, to, arrays: { out, state } }) => {
          const { f32x4, f64x2, i32, i32x4, v128 } = f;
          const keys = KEY.map((offset, i) => f.let(`key${i}`, v128.load32_splat(state, { offset })));
          const hash = threefry(f, vectors(f), keys);
          const [start, high] = COUNTER.map((offset, i) =>
            f.let(`counter${i}`, v128.load32_splat(state, { offset })),
          );
          const lanes = Array.from({ length: QUADS }, (_, i) =>
            f.let(`lanes${i}`, v128.const("i32x4", 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3)),
          );
          const [unit, lowest, spread] = [2 ** -24, low, width].map((value, i) =>
            f.let(`factor${i}`, v128.const("f64x2", value)),
          );
          const { as, bs } = f.declare("v128", QUADS);
          const rest = f.local("rest", "v128");
          const index = f.let("index", from);
          const even = Math.floor(length! / 2);
          const left = f.let("left", i32.sub(f.select(to, even, i32.lt_u(to, even)), from));

          /** low + width · word / 2^24 of the lower two lanes. */
          const toFloats = (word: V128) => {
            const share = f64x2.mul(f64x2.convert_low_i32x4_u(word), unit);
            return f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(share, spread), lowest));
          };
          /** Eight numbers from each of some pairs: the lower four in a, the others in b. */
          const draw = (quads: number) => {
            const [a, b] = [as.slice(0, quads), bs.slice(0, quads)];
            f.setEach(a, (i) => i32x4.add(i32x4.add(i32x4.splat(index), lanes[i]), start));
            // A lower word that is smaller than at the start has wrapped: -1 in its lane carries.
            f.setEach(b, (i) => i32x4.sub(high, i32x4.lt_u(a[i], start)));
            hash(a, b);
            a.forEach((low, i) => {
              const up = b[i];
              f.set(low, i32x4.shr_u(low, 8));
              f.set(up, i32x4.shr_u(up, 8));
              // Words of one counter lie side by side: those of counters 0 and 1, then of 2 and 3.
              f.set(rest, f.pick(low, up, ALTERNATING_HIGH));
              f.set(low, f.pick(low, up, ALTERNATING_LOW));
              f.set(up, f.pick(low, low, UPPER_HALVES));
              f.set(low, f.pick(toFloats(low), toFloats(up), LOWER_HALVES));
              f.set(up, f.pick(rest, rest, UPPER_HALVES));
              f.set(up, f.pick(toFloats(rest), toFloats(up), LOWER_HALVES));
            });
          };
          f.advance(out, from, 2 * FLOAT);
          f.whileAtLeast(left, 4 * QUADS, () => {
            draw(QUADS);
            const inOrder = as.flatMap((a, i) => [a, bs[i]]);
            f.storeEach(inOrder, out);
            f.advance(index, 4 * QUADS);
            f.advance(out, 2 * VECTOR * QUADS);
          });
          f.whileAtLeast(left, 1, () => {
            draw(1);
            v128.store64_lane(out, as[0], 0, { align: FLOAT });
            f.advance(index, 1);
            f.advance(out, 2 * FLOAT);
          });
          if (length! % 2 === 1)
            f.if(i32.gt_u(to, even), () => {
              draw(1);
              v128.store32_lane(out, as[0], 0);
            });
        },
      },
      {
        items: 1,
        write: (f, { arrays: { state } }) => moveCounter(f, state, counters),
      },
    ],
  };
});
