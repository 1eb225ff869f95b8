// What functions are mostly made of means what it says.

import { describe, expect, test } from "vitest";
import type { FunctionBuilder } from "./function.ts";
import { type Local, ModuleBuilder, toWat, type Value } from "./index.ts";

/** `(a, b) → body(a, b)`, of 32-bit integers. */
function run(
  body: (f: FunctionBuilder<readonly ["i32"]>, a: Local<"i32">, b: Local<"i32">) => Value<"i32">,
): (a: number, b: number) => number {
  const m = new ModuleBuilder();
  m.func("f", { params: { a: "i32", b: "i32" }, results: ["i32"] }, (f, { a, b }) => body(f, a, b));
  return new WebAssembly.Instance(new WebAssembly.Module(m.build())).exports.f as never;
}

describe("a function", () => {
  test("declares a variable for each name that it is asked for, once", () => {
    const m = new ModuleBuilder();
    m.func("f", { params: {} }, (f) => {
      const { x, y } = f.declare("f32");
      const { x: other } = f.declare("i32");
      expect(new Set([x, y, other]).size).toBe(3);
      expect([x.type, y.type, other.type]).toEqual(["f32", "f32", "i32"]);
      f.set(y, x);
    });
    expect(toWat(m)).toContain("(local $x f32)\n    (local $y f32)\n    (local $x_2 i32)");
  });

  test("computes addresses, of what is known and what is not", () => {
    expect(run((f, a, b) => f.at(a, b, 12))(100, -3)).toBe(64);
    expect(run((f, a, b) => f.at(a, b, b))(100, 5)).toBe(125);
    expect(run((f, a, b) => f.at(a, f.i32.add(b, 1), 12, b, 3, 2, b))(100, 5)).toBe(100 + 72 + 15 + 10);
    const written = new ModuleBuilder();
    written.func("f", { params: { a: "i32" }, results: ["i32"] }, (f, { a }) => f.at(a, 3, 4));
    expect(toWat(written)).toContain("i32.const 12\n    i32.add");
  });

  test.each([
    [3, 7],
    [7, 3],
    [-1, 1],
    [5, 5],
  ])("takes the smaller and the larger of %i and %i", (a, b) => {
    expect(run((f, x, y) => f.min(x, y))(a, b)).toBe(Math.min(a, b));
    expect(run((f, x, y) => f.max(x, y))(a, b)).toBe(Math.max(a, b));
    expect(run((f, x) => f.min(x, b))(a, 0)).toBe(Math.min(a, b));
    expect(run((f, x) => f.max(x, b))(a, 0)).toBe(Math.max(a, b));
    expect(run((f, x, y) => f.max(f.min(f.i32.sub(x, y), y), 2))(a, b)).toBe(Math.max(Math.min(a - b, b), 2));
  });

  test("moves a pointer by some elements, and repeats until something holds", () => {
    const sum = run((f, a, b) => {
      f.until(
        () => f.i32.le_s(b, 0),
        () => {
          f.advance(a, b, 10);
          f.advance(b, -1);
        },
      );
      return f.get(a);
    });
    expect([sum(7, 3), sum(7, 0)]).toEqual([67, 7]);
  });

  test("declares several variables for each name", () => {
    const m = new ModuleBuilder();
    m.func("f", { params: {} }, (f) => {
      const { xs, ys } = f.declare("v128", 2);
      f.setEach(ys, (i) => f.get(xs[i]));
    });
    expect(toWat(m)).toContain("(local $xs0 v128)\n    (local $xs1 v128)\n    (local $ys0 v128)");
  });

  test("cuts ranges, and takes steps while enough is left", () => {
    const length = run((f, first, chunk) => {
      f.cut(chunk, first, 20, 8);
      return f.get(chunk);
    });
    expect([length(8, 0), length(16, 0)]).toEqual([8, 4]);
    const rest = run((f, left, steps) => {
      f.whileAtLeast(left, 3, () => f.advance(steps, 100));
      return f.i32.add(steps, left);
    });
    expect([rest(11, 0), rest(2, 0)]).toEqual([302, 2]);
  });

  test.each([0, 5, 6, 23])("finds the places of index %i along axes", (index) => {
    const place = run((f, from) => {
      const { x, y, z } = f.declare("i32");
      f.unravel(from, [x, y, z], [3, 2]);
      return f.at(z, x, 100, y, 10);
    });
    expect(place(index, 0)).toBe(
      100 * Math.floor(index / 6) + 10 * (Math.floor(index / 2) % 3) + (index % 2),
    );
  });

  test("picks lanes of two vectors, and brings the sum or the maximum of lanes into all of them", () => {
    const lane = (change: (f: FunctionBuilder<readonly ["i32"]>, x: Local<"v128">) => void) =>
      run((f) => {
        const x = f.let("x", f.v128.const("f32x4", 1, 2, 3, 4));
        change(f, x);
        return f.i32.trunc_sat_f32_s(f.f32x4.extract_lane(x, 2));
      })(0, 0);
    expect(lane((f, x) => f.set(x, f.pick(x, f.f32x4.mul(x, x), [0, 2, 7, 5])))).toBe(16);
    expect(lane((f, x) => f.acrossLanes("add", x))).toBe(10);
    expect(lane((f, x) => f.acrossLanes("max", x))).toBe(4);
  });
});
