// Uniform random numbers: Threefry-2x32 with 20 rounds, four counters in a vector, one in each lane. Integers and
// doubles do here what they do in the reference, so the numbers are the same bit for bit.
//
//   Phase 1, each counter i: words = hash(key, state + i)
//                            out[2i], out[2i+1] = low + width · (word >>> 8) / 2^24
//   Phase 2: state += number of counters

import { uniformDraw } from "@saunet/core/kernels";
import { FLOAT, type FunctionBuilder, type I32, type V128, VECTOR } from "../asm/index.ts";
import { generator } from "../plan.ts";
import { ARITHMETIC_GRAIN, SMALLEST } from "./stream.ts";

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const KEY_PARITY = 0x1bd11bda;
const ROUNDS = 20;
/** How many vectors of counters at once. */
const QUADS = 4;

/** Where the state holds its counter, after its key, in bytes. */
const COUNTER = 8;

/**
 * Prepares the words of counters, four a vector: what it returns writes the hash of `state + index` and of those after it, some
 * vectors of them, and gives their words in order, those of one counter side by side. The vectors are interleaved, since each
 * round waits for the last.
 */
export function threefry(
  f: FunctionBuilder,
  state: I32,
  most: number,
): (index: I32, quads: number) => readonly V128[] {
  const { i32x4, v128 } = f;
  const [first, second, low, high] = [0, 4, COUNTER, COUNTER + 4].map((offset) =>
    f.let("state", v128.load32_splat(state, { offset })),
  );
  const parity = v128.xor(v128.xor(first, second), v128.const("i32x4", KEY_PARITY));
  const keys = [first, second, f.let("parity", parity)];
  const lanes = Array.from({ length: most }, (_, i) =>
    f.let("lanes", v128.const("i32x4", 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3)),
  );
  const { a, b, rest } = f.declare("v128", most);
  return (index, quads) => {
    const [as, bs, rests] = [a, b, rest].map((vectors) => vectors.slice(0, quads));
    f.setEach(as, (i) => i32x4.add(i32x4.add(i32x4.splat(index), lanes[i]), low));
    // A lower word that is smaller than at the start has wrapped: -1 in its lane carries.
    f.setEach(bs, (i) => i32x4.sub(high, i32x4.lt_u(as[i], low)));
    f.setEach(as, (i) => i32x4.add(as[i], keys[0]));
    f.setEach(bs, (i) => i32x4.add(bs[i], keys[1]));
    for (let round = 0; round < ROUNDS; round++) {
      const rotation = ROTATIONS[round % ROTATIONS.length];
      f.setEach(as, (i) => i32x4.add(as[i], bs[i]));
      f.setEach(bs, (i) => v128.or(i32x4.shl(bs[i], rotation), i32x4.shr_u(bs[i], 32 - rotation)));
      f.setEach(bs, (i) => v128.xor(bs[i], as[i]));
      if (round % 4 === 3) {
        const injection = (round + 1) / 4;
        const count = v128.const("i32x4", injection);
        const injected = f.let("injected", i32x4.add(count, keys[(injection + 1) % 3]));
        f.setEach(as, (i) => i32x4.add(as[i], keys[injection % 3]));
        f.setEach(bs, (i) => i32x4.add(bs[i], injected));
      }
    }
    f.setEach(rests, (i) => f.pick(as[i], bs[i], [2, 6, 3, 7]));
    f.setEach(as, (i) => f.pick(as[i], bs[i], [0, 4, 1, 5]));
    return as.flatMap((a, i) => [a, rests[i]]);
  };
}

/** Writes `state += count`, in 64 bits. */
export function moveCounter(f: FunctionBuilder, state: I32, count: number): void {
  const { i64 } = f;
  const place = { offset: COUNTER, align: FLOAT };
  i64.store(state, i64.add(i64.load(state, place), BigInt(count)), place);
}

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
          const words = threefry(f, state, QUADS);
          const [unit, lowest, spread] = [2 ** -24, low, width].map((value) =>
            f.let("factor", v128.const("f64x2", value)),
          );
          const upper = f.local("upper", "v128");
          const index = f.let("index", from);
          const even = Math.floor(length! / 2);
          const left = f.let("left", i32.sub(f.select(to, even, i32.lt_u(to, even)), from));

          /** low + width · word / 2^24 of the lower two lanes. */
          const toFloats = (word: V128) => {
            const share = f64x2.mul(f64x2.convert_low_i32x4_u(word), unit);
            return f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(share, spread), lowest));
          };
          /** Eight numbers of some vectors of counters each. */
          const draw = (quads: number) => {
            const drawn = words(index, quads);
            for (const word of drawn) {
              f.set(word, i32x4.shr_u(word, 8));
              f.set(upper, f.pick(word, word, [2, 3, 6, 7]));
              f.set(word, f.pick(toFloats(word), toFloats(upper), [0, 1, 4, 5]));
            }
            return drawn;
          };
          f.advance(out, from, 2 * FLOAT);
          f.whileAtLeast(left, 4 * QUADS, () => {
            f.storeEach(draw(QUADS), out);
            f.advance(index, 4 * QUADS);
            f.advance(out, 2 * VECTOR * QUADS);
          });
          f.whileAtLeast(left, 1, () => {
            v128.store64_lane(out, draw(1)[0], 0, { align: FLOAT });
            f.advance(index, 1);
            f.advance(out, 2 * FLOAT);
          });
          if (length! % 2 === 1) f.if(i32.gt_u(to, even), () => v128.store32_lane(out, draw(1)[0], 0));
        },
      },
      {
        items: 1,
        write: (f, { arrays: { state } }) => moveCounter(f, state, counters),
      },
    ],
  };
});
