// What functions are mostly made of: several variables at once, addresses, loops over ranges. Each is a few instructions.

import { CodeBuilder } from "./code.ts";
import { isValue, type Local, type Operand, type Value } from "./instructions.ts";
import type { ValueType } from "./opcodes.ts";
import type { BlockResult, Types } from "./structure.ts";

type I32 = Operand<"i32">;

/** What may be written twice: it stays what it is. */
type Fixed = Local<"i32"> | number;

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
  #compared: Local<"i32"> | undefined;

  /** Declares a variable for each name that is asked for: `const { x, y } = f.declare("i32")`. */
  declare<T extends ValueType>(type: T): { readonly [name: string]: Local<T> } {
    return new Proxy({}, { get: (_, name) => this.local(String(name), type) });
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
  at(base: I32, index: I32, size: I32, ...others: Fixed[]): Value<"i32"> {
    const isKnown = typeof index === "number" && typeof size === "number";
    const place = this.i32.add(base, isKnown ? index * size : this.i32.mul(index, size));
    const [next, nextSize, ...rest] = others;
    return next === undefined || nextSize === undefined ? place : this.at(place, next, nextSize, ...rest);
  }

  /** The smaller of two, signed. */
  min(a: Local<"i32"> | Value<"i32">, b: Fixed): Value<"i32"> {
    return this.#oneOf("lt_s", a, b);
  }

  /** The larger of two, signed. */
  max(a: Local<"i32"> | Value<"i32">, b: Fixed): Value<"i32"> {
    return this.#oneOf("gt_s", a, b);
  }

  #oneOf(compare: "lt_s" | "gt_s", a: Local<"i32"> | Value<"i32">, b: Fixed): Value<"i32"> {
    if (!isValue(a)) return this.select(a, b, this.i32[compare](a, b));
    this.#compared ??= this.local("compared", "i32");
    return this.select(this.tee(this.#compared, a), b, this.i32[compare](this.#compared, b));
  }

  /** `pointer += step · size` */
  advance(pointer: Local<"i32">, step: I32, size: I32 = 1): void {
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
    i: Local<"i32">,
    { from = 0, to, step = 1 }: { from?: I32; to: Fixed; step?: Fixed },
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
}
