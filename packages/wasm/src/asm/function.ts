// What functions are mostly made of: several variables at once, addresses, loops over ranges, several vectors at once, and
// what vectors have no single instruction for. Each is a few instructions.

import { CodeBuilder } from "./code.ts";
import { isValue, type Local, type Operand, type Value } from "./instructions.ts";
import type { ValueType } from "./opcodes.ts";
import type { BlockResult, Types } from "./structure.ts";

/** A variable that holds a 32-bit integer. */
export type I32 = Local<"i32">;
/** A variable that holds a vector of 128 bits. */
export type V128 = Local<"v128">;

/** Bytes of a 32-bit element, of a 64-bit one, of a vector. */
export const [FLOAT, DOUBLE, VECTOR] = [4, 8, 16] as const;

/** What may be written twice: it stays what it is. */
type Fixed = I32 | number;

/** Items, from the first to before the last. */
export interface Range {
  readonly from: I32;
  readonly to: I32;
}

const SWAPPED_HALVES = [2, 3, 0, 1] as const;
const SWAPPED_PAIRS = [1, 0, 3, 2] as const;

/**
 * Writes one function. `ModuleBuilder.func` makes it and hands it to a callback.
 *
 * @example
 * const module = new ModuleBuilder();
 * module.func("double", { params: { x: "f32" }, results: ["f32"] }, (f, { x }) => f.f32.add(x, x));
 * const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()));
 * const double = exports.double as (x: number) => number;
 * console.log(double(1.5)); // 3
 */
export class FunctionBuilder<R extends Types = Types> extends CodeBuilder<R> {
  /** Holds a value that is looked at twice. */
  #compared: I32 | undefined;

  /**
   * Declares a variable for each name that is asked for: `const { x, y } = f.declare("i32")`; or several each:
   * `const { xs, ys } = f.declare("v128", 4)`.
   */
  declare<T extends ValueType>(type: T): { readonly [name: string]: Local<T> };
  declare<T extends ValueType>(type: T, count: number): { readonly [name: string]: Local<T>[] };
  declare<T extends ValueType>(type: T, count?: number) {
    const get = (_: object, key: string | symbol) => {
      const name = String(key);
      return count === undefined ? this.local(name, type) : this.locals(name, type, count);
    };
    return new Proxy({}, { get });
  }

  /** Declares several variables of one type: `name0`, `name1` … */
  locals<T extends ValueType>(name: string, type: T, count: number): Local<T>[] {
    return Array.from({ length: count }, (_, i) => this.local(`${name}${i}`, type));
  }

  /** Declares a variable and sets it. */
  let<T extends ValueType>(name: string, value: Value<T> | Local<T>): Local<T> {
    const local = this.local(name, value.type);
    this.set(local, value as Operand<T>);
    return local;
  }

  /** `base + index · size`, plus further such products. */
  at(base: Operand<"i32">, index: Operand<"i32">, size: Operand<"i32">, ...others: Fixed[]): Value<"i32"> {
    const isKnown = typeof index === "number" && typeof size === "number";
    const place = this.i32.add(base, isKnown ? index * size : this.i32.mul(index, size));
    const [next, nextSize, ...rest] = others;
    return next === undefined || nextSize === undefined ? place : this.at(place, next, nextSize, ...rest);
  }

  /** The smaller of two, signed. */
  min(a: I32 | Value<"i32">, b: Fixed): Value<"i32"> {
    return this.#oneOf("lt_s", a, b);
  }

  /** The larger of two, signed. */
  max(a: I32 | Value<"i32">, b: Fixed): Value<"i32"> {
    return this.#oneOf("gt_s", a, b);
  }

  #oneOf(compare: "lt_s" | "gt_s", a: I32 | Value<"i32">, b: Fixed): Value<"i32"> {
    if (!isValue(a)) return this.select(a, b, this.i32[compare](a, b));
    this.#compared ??= this.local("compared", "i32");
    return this.select(this.tee(this.#compared, a), b, this.i32[compare](this.#compared, b));
  }

  /** `pointer += step · size` */
  advance(pointer: I32, step: Operand<"i32">, size: Operand<"i32"> = 1): void {
    this.set(pointer, size === 1 ? this.i32.add(pointer, step) : this.at(pointer, step, size));
  }

  /** `while (!isDone()) body()` */
  until(isDone: () => Value<"i32">, body: () => BlockResult): void {
    this.block((done) => {
      this.loop((again) => {
        this.brIf(done, isDone());
        body();
        this.br(again);
      });
    });
  }

  /** `for (i = from; i < to; i += step) body()`; the comparison is signed. */
  forRange(
    i: I32,
    { from = 0, to, step = 1 }: { from?: Operand<"i32">; to: Fixed; step?: Fixed },
    body: () => BlockResult,
  ): void {
    this.set(i, from);
    this.until(
      () => this.i32.ge_s(i, to),
      () => {
        body();
        this.advance(i, step);
      },
    );
  }

  /** `while (count ≥ step) { body(); count -= step }` */
  whileAtLeast(count: I32, step: number, body: () => void): void {
    this.until(
      () => this.i32.lt_s(count, step),
      () => {
        body();
        this.set(count, this.i32.sub(count, step));
      },
    );
  }

  /** `body` so many times. */
  repeat(name: string, count: number, body: () => void): void {
    if (count === 1) body();
    else this.forRange(this.local(name, "i32"), { to: count }, body);
  }

  /**
   * `for (item = from; item < to; item++) body(item)`. Each array's pointer goes along: it begins at the item `from` of its
   * array, and moves on by the bytes of an item.
   */
  forEachItem(
    { from, to }: Range,
    along: readonly (readonly [pointer: I32, bytes: number])[],
    body: (item: I32) => void,
  ): void {
    const item = this.local("item", "i32");
    for (const [pointer, bytes] of along) this.advance(pointer, from, bytes);
    this.forRange(item, { from, to }, () => {
      body(item);
      for (const [pointer, bytes] of along) this.advance(pointer, bytes);
    });
  }

  /** `count = min(chunk, size - first)` */
  cut(count: I32, first: Operand<"i32">, size: number, chunk: number): void {
    this.set(count, this.min(this.i32.sub(size, first), chunk));
  }

  /** The places along some axes of what has this index among all: `sizes` are those of the axes after the first. */
  unravel(index: I32, places: readonly I32[], sizes: readonly number[]): void {
    const { i32 } = this;
    for (let [axis, from] = [sizes.length, index]; axis > 0; from = places[--axis]) {
      const [before, size] = [places[axis - 1], sizes[axis - 1]];
      this.set(before, i32.div_u(from, size));
      this.set(places[axis], i32.sub(from, i32.mul(before, size)));
    }
  }

  /** `targets[i] = value(i)` for each of some variables. */
  setEach<T extends ValueType>(
    targets: readonly Local<T>[],
    value: (i: number) => NoInfer<Operand<T>>,
  ): void {
    targets.forEach((target, i) => {
      this.set(target, value(i));
    });
  }

  /** Loads neighbouring vectors. */
  loadEach(vectors: readonly V128[], pointer: I32, offset = 0): void {
    this.setEach(vectors, (v) => this.v128.load(pointer, { offset: offset + VECTOR * v, align: FLOAT }));
  }

  /** Stores neighbouring vectors. */
  storeEach(vectors: readonly V128[], pointer: I32): void {
    vectors.forEach((vector, v) => {
      this.v128.store(pointer, vector, { offset: VECTOR * v, align: FLOAT });
    });
  }

  /** Loads the first lanes of a vector, with zeros after them. */
  loadLanes(at: I32, lanes: number, offset = 0): Value<"v128"> {
    const { v128 } = this;
    if (lanes === 4) return v128.load(at, { offset, align: FLOAT });
    const value = this.let("value", v128.load32_zero(at, { offset }));
    for (let lane = 1; lane < lanes; lane++)
      this.set(value, v128.load32_lane(at, value, lane, { offset: offset + lane * FLOAT }));
    return this.get(value);
  }

  /** Stores the first lanes of a vector. */
  storeLanes(at: I32, value: V128, lanes: number, offset: number): void {
    if (lanes === 4) this.v128.store(at, value, { offset, align: FLOAT });
    else
      for (let lane = 0; lane < lanes; lane++)
        this.v128.store32_lane(at, value, lane, { offset: offset + lane * FLOAT });
  }

  /** A number in all four lanes, in a variable: a constant inside a loop would be made again at every turn. */
  constant(name: string, value: number): V128 {
    return this.let(name, this.v128.const("f32x4", value));
  }

  /** `sum + a · b` on four floats: rounded once where relaxed instructions are allowed and the host can, else twice. */
  multiplyAdd(
    relaxed: boolean,
  ): (sum: Operand<"v128">, a: Operand<"v128">, b: Operand<"v128">) => Value<"v128"> {
    const { f32x4 } = this;
    if (relaxed) return (sum, a, b) => f32x4.relaxed_madd(a, b, sum);
    return (sum, a, b) => f32x4.add(sum, f32x4.mul(a, b));
  }

  /** A vector of these 32-bit lanes: 0 … 3 of the first, 4 … 7 of the second. */
  pick(first: Operand<"v128">, second: Operand<"v128">, lanes: readonly number[]): Value<"v128"> {
    const bytes = lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
    return this.i8x16.shuffle(first, second, bytes);
  }

  /** Brings the sum or the maximum of the four lanes of a vector into all of them. */
  acrossLanes(operation: "add" | "max", x: V128): void {
    for (const lanes of [SWAPPED_HALVES, SWAPPED_PAIRS])
      this.set(x, this.f32x4[operation](x, this.pick(x, x, lanes)));
  }

  /** Adds four floats to two pairs of double sums: lanes 0 and 1 to the first, 2 and 3 to the second. */
  addDoubles([low, high]: readonly V128[], x: V128): void {
    const { f64x2 } = this;
    this.set(low, f64x2.add(low, f64x2.promote_low_f32x4(x)));
    this.set(high, f64x2.add(high, f64x2.promote_low_f32x4(this.pick(x, x, SWAPPED_HALVES))));
  }

  /** The sum of the two lanes of some vectors of doubles, in order. */
  sumOfDoubles([first, ...rest]: readonly V128[]): Value<"f64"> {
    for (const vector of rest) this.set(first, this.f64x2.add(first, vector));
    return this.f64.add(this.f64x2.extract_lane(first, 0), this.f64x2.extract_lane(first, 1));
  }
}
