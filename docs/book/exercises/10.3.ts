import type { ModuleBuilder } from "@saunet/wasm/asm";

/**
 * Write a function named `norm` into the module: it takes two floats `a` and `b` and returns `sqrt(a·a + b·b)`. The names of
 * instructions are methods: `f.f32.mul(a, b)`, `f.f32.add(…)`, `f.f32.sqrt(…)`.
 */
export function writeNorm(m: ModuleBuilder): void {
  m.func("norm", { params: { a: "f32", b: "f32" }, results: ["f32"] }, (f, { a, b }) =>
    f.f32.sqrt(f.f32.add(f.f32.mul(a, a), f.f32.mul(b, b))),
  );
}
