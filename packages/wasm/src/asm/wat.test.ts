import { expect, test } from "vitest";
import { ModuleBuilder, toWat } from "./index.ts";

test("a module as text", () => {
  const m = new ModuleBuilder();
  m.importMemory("env", "memory", { initial: 1, maximum: 16, shared: true });
  const log = m.importFunction("env", "log", { params: ["i32", "f32"], results: [] });
  const half = m.func("half", { params: { x: "f32" }, results: ["f32"], exported: false }, (f, { x }) => {
    const { mul } = f.f32;
    return mul(x, 0.5);
  });
  m.func("scan", { params: { x: "i32", count: "i32" }, results: ["v128", "i32"] }, (f, { x, count }) => {
    const { i32, v128, f32x4 } = f;
    const sum = f.let("sum", v128.const("f32x4", 0, -1.5, Number.NaN, Number.POSITIVE_INFINITY));
    const at = f.local("x", "i32");
    f.forRange(at, { to: count }, () => {
      f.set(sum, f32x4.add(sum, v128.load(x, { offset: 16, align: 4 })));
    });
    f.if(
      i32.eqz(count),
      () => f.return(sum, 0),
      () => f.call(log, x, f.call(half, 3)),
    );
    return [
      sum,
      f.if(
        count,
        () => 1,
        () => at,
        ["i32"],
      ),
    ];
  });
  expect(WebAssembly.validate(m.build())).toBe(true);
  expect(toWat(m)).toBe(`(module
  (import "env" "memory" (memory 1 16 shared))
  (import "env" "log" (func $log (param i32 f32)))
  (func $half (param $x f32) (result f32)
    local.get $x
    f32.const 0.5
    f32.mul)
  (func $scan (param $x i32) (param $count i32) (result v128 i32)
    (local $sum v128)
    (local $x_3 i32)
    v128.const f32x4 0 -1.5 nan inf
    local.set $sum
    i32.const 0
    local.set $x_3
    block
      loop
        local.get $x_3
        local.get $count
        i32.ge_s
        br_if 1
        local.get $sum
        local.get $x
        v128.load offset=16 align=4
        f32x4.add
        local.set $sum
        local.get $x_3
        i32.const 1
        i32.add
        local.set $x_3
        br 0
      end
    end
    local.get $count
    i32.eqz
    if
      local.get $sum
      i32.const 0
      return
    else
      local.get $x
      f32.const 3
      call $half
      call $log
    end
    local.get $sum
    local.get $count
    if (result i32)
      i32.const 1
    else
      local.get $x_3
    end)
  (export "scan" (func $scan)))`);
});

test("one function as text", () => {
  const m = new ModuleBuilder();
  m.exportMemory("memory", { initial: 1 });
  m.func("swap", { params: { a: "i32", b: "i64" }, results: ["i64", "i32"] }, (_f, { a, b }) => [b, a]);
  m.func("empty", { params: {} }, () => {});
  expect(m.functions.map(toWat)).toEqual([
    `(func $swap (param $a i32) (param $b i64) (result i64 i32)
  local.get $b
  local.get $a)`,
    "(func $empty)",
  ]);
  expect(toWat(m)).toMatch(/^\(module\n {2}\(memory 1\)\n {2}\(func \$swap/);
  expect(toWat(m)).toMatch(/\n {2}\(export "memory" \(memory 0\)\)\n {2}\(export "swap" /);
});

test("a module without memory says nothing of any", () => {
  const m = new ModuleBuilder();
  m.func("one", { params: {}, results: ["i32"] }, () => 1);
  expect(toWat(m)).toMatch(/^\(module\n {2}\(func \$one \(result i32\)\n/);
  expect(toWat(m)).not.toContain("memory");
});
