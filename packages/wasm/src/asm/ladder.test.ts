// The assembler, one step at a time: each test is a little further than the one above it.

import { expect, test } from "vitest";
import { type Func, type MemorySize, ModuleBuilder } from "./index.ts";

/** Compiles a module and gives what it exports; `memory` is its import `env.memory`. */
function instantiate(
  m: ModuleBuilder,
  memory?: WebAssembly.Memory,
): Record<string, (...args: number[]) => number> {
  const module = new WebAssembly.Module(m.build());
  return new WebAssembly.Instance(module, { env: { memory: memory! } }).exports as never;
}

/** A module that works in a memory of one page from outside. */
function withMemory(size: MemorySize = { initial: 1 }): { m: ModuleBuilder; memory: WebAssembly.Memory } {
  const m = new ModuleBuilder();
  m.importMemory("env", "memory", size);
  return { m, memory: new WebAssembly.Memory(size) };
}

test("1. a stack machine: add", () => {
  const m = new ModuleBuilder();
  m.func("add", { params: { a: "i32", b: "i32" }, results: ["i32"] }, (f, { a, b }) => {
    f.get(a); // a
    f.get(b); // a b
    f.emit("i32.add"); // a+b: what is left at the end is the result
  });
  expect(instantiate(m).add!(2, 3)).toBe(5);
});

test("2. the same as an expression, byte by byte", () => {
  const m = new ModuleBuilder();
  m.func("add", { params: { a: "i32", b: "i32" }, results: ["i32"] }, (f, { a, b }) => f.i32.add(a, b));
  expect(instantiate(m).add!(2, 3)).toBe(5);
  // biome-ignore format: a line a section
  expect([...m.build()]).toEqual([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // "\0asm", version 1
    0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, // types: one, (i32, i32) → i32
    0x03, 0x02, 0x01, 0x00, // functions: one, of type 0
    0x07, 0x07, 0x01, 0x03, 0x61, 0x64, 0x64, 0x00, 0x00, // exports: one, "add", function 0
    0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b, // code: no locals; get 0, get 1, add, end
  ]);
});

test("3. a loop: factorial", () => {
  const m = new ModuleBuilder();
  m.func("factorial", { params: { n: "i32" }, results: ["f64"] }, (f, { n }) => {
    const { i32, f64 } = f;
    // product = 1; while (n > 1) { product *= n; n -= 1 }
    const product = f.let("product", f64.const(1));
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, i32.le_s(n, 1));
        f.set(product, f64.mul(product, f64.convert_i32_s(n)));
        f.set(n, i32.sub(n, 1));
        f.br(again);
      });
    });
    return product;
  });
  const { factorial } = instantiate(m);
  expect([0, 1, 5, 20].map((n) => factorial!(n))).toEqual([1, 1, 120, 2432902008176640000]);
});

test("4. recursion: factorial again, with an if that is an expression", () => {
  const m = new ModuleBuilder();
  m.func("factorial", { params: { n: "i32" }, results: ["i32"] }, (f, { n }) =>
    f.if(
      f.i32.le_s(n, 1),
      () => 1,
      () => f.i32.mul(n, f.call(f.self, f.i32.sub(n, 1))),
      ["i32"],
    ),
  );
  expect(instantiate(m).factorial!(10)).toBe(3628800);
});

test("5. vectors of four floats: the sum of an array", () => {
  const { m, memory } = withMemory();
  m.func("sum", { params: { x: "i32", count: "i32" }, results: ["f32"] }, (f, { x, count }) => {
    const { i32, f32, f32x4, v128 } = f;
    // Four sums side by side: for (; x < end of the whole vectors; x += 16 bytes) sums += x[0..3]
    const end = f.let("end", i32.add(x, i32.shl(count, 2)));
    const endOfVectors = f.let("endOfVectors", i32.sub(end, 12));
    const sums = f.local("sums", "v128");
    f.forRange(x, { from: x, to: endOfVectors, step: 16 }, () => {
      f.set(sums, f32x4.add(sums, v128.load(x, { align: 4 })));
    });
    const lanes = [0, 1, 2, 3].map((lane) => f.let(`sum${lane}`, f32x4.extract_lane(sums, lane)));
    const sum = f.let("sum", f32.add(f32.add(lanes[0], lanes[1]), f32.add(lanes[2], lanes[3])));
    // What is left, one by one.
    f.forRange(x, { from: x, to: end, step: 4 }, () => f.set(sum, f32.add(sum, f32.load(x))));
    return sum;
  });
  const { sum } = instantiate(m, memory);
  new Float32Array(memory.buffer).set([100, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100]);
  expect([0, 1, 3, 4, 7, 10].map((count) => sum!(4, count))).toEqual([0, 1, 6, 10, 28, 55]);
});

/**
 * `y[p, o] = Σ_k x[p, k] · w[k, o]` for P rows p and 4·V columns o. All sums stay in locals, so the engine keeps
 * them in registers; each weight that is loaded serves P rows, each x serves 4·V columns.
 */
function gemmTile(m: ModuleBuilder, { P, V, K }: { P: number; V: number; K: number }): Func {
  return m.func(`gemm_f32_${P}x${4 * V}`, { params: { x: "i32", w: "i32", y: "i32" } }, (f, { x, w, y }) => {
    const { i32, v128, f32x4 } = f;
    const xs = f.locals("x", "v128", P);
    const weight = f.local("weight", "v128");
    const sums = xs.map((_, p) => f.locals(`sum${p}_`, "v128", V));
    const end = f.let("end", i32.add(x, 4 * K));

    // for (k = 0; k < K; k++)
    f.loop((again) => {
      // xs[p] = x[p, k] in all four lanes
      for (let p = 0; p < P; p++) f.set(xs[p], v128.load32_splat(x, { offset: 4 * K * p }));
      // sums[p][v] += xs[p] · w[k, 4v … 4v+3]
      for (let v = 0; v < V; v++) {
        f.set(weight, v128.load(w, { offset: 16 * v }));
        for (let p = 0; p < P; p++) f.set(sums[p][v], f32x4.add(sums[p][v], f32x4.mul(xs[p], weight)));
      }
      f.advance(w, 16 * V);
      f.advance(x, 4);
      f.brIf(again, i32.ne(x, end));
    });

    // y[p, 4v … 4v+3] = sums[p][v]
    sums.flat().forEach((sum, i) => {
      v128.store(y, sum, { offset: 16 * i });
    });
  });
}

test("6. a tile of a matrix product", () => {
  const { m, memory } = withMemory();
  const [P, V, K] = [2, 4, 27];
  const O = 4 * V;
  gemmTile(m, { P, V, K });
  const x = Float32Array.from({ length: P * K }, (_, i) => Math.sin(i));
  const w = Float32Array.from({ length: K * O }, (_, i) => Math.cos(i));
  const floats = new Float32Array(memory.buffer);
  floats.set(x, 0);
  floats.set(w, 1024);
  instantiate(m, memory).gemm_f32_2x16!(0, 4 * 1024, 4 * 4096);
  for (let p = 0; p < P; p++) {
    for (let o = 0; o < O; o++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += x[p * K + k] * w[k * O + o];
      expect(floats[4096 + p * O + o]).toBeCloseTo(sum, 5);
    }
  }
  expect(floats[4096 + P * O]).toBe(0);
});

test("7. shared memory and atomics: two threads would count in one place", () => {
  const { m, memory } = withMemory({ initial: 1, maximum: 1, shared: true });
  // take the next of `count` pieces of work, or -1
  m.func("next", { params: { counter: "i32", count: "i32" }, results: ["i32"] }, (f, { counter, count }) => {
    const piece = f.let("piece", f.i32.atomic.rmw.add(counter, 1));
    return f.select(piece, -1, f.i32.lt_s(piece, count));
  });
  // sleep while memory[address] holds `value`: 0 woken, 1 it holds another, 2 timed out
  m.func("sleep", { params: { address: "i32", value: "i32", ns: "i64" }, results: ["i32"] }, (f, p) =>
    f.memory.atomic.wait32(p.address, p.value, p.ns),
  );
  m.func("wake", { params: { address: "i32" }, results: ["i32"] }, (f, { address }) =>
    f.memory.atomic.notify(address, 1),
  );
  const { next, sleep, wake } = instantiate(m, memory) as Record<
    string,
    (...args: (number | bigint)[]) => number
  >;
  expect([0, 1, 2, 3].map(() => next!(64, 3))).toEqual([0, 1, 2, -1]);
  expect(Atomics.load(new Int32Array(memory.buffer), 16)).toBe(4);
  expect(sleep!(64, 0, 1000n)).toBe(1);
  expect(sleep!(64, 4, 1000n)).toBe(2);
  expect(wake!(64)).toBe(0);
});

test("8. several results, and a function from outside", () => {
  const m = new ModuleBuilder();
  const seen: number[] = [];
  const log = m.importFunction("env", "log", { params: ["i32"], results: [] });
  const divide = m.func(
    "divide",
    { params: { a: "i32", b: "i32" }, results: ["i32", "i32"], exported: false },
    (f, { a, b }) => [f.i32.div_s(a, b), f.i32.rem_s(a, b)],
  );
  m.func("digits", { params: { n: "i32" } }, (f, { n }) => {
    const digit = f.local("digit", "i32");
    f.loop((again) => {
      // [n, digit] = divide(n, 10): the last result lies on top of the stack
      const [quotient, remainder] = f.call(divide, n, 10);
      f.set(digit, remainder);
      f.set(n, quotient);
      f.call(log, digit);
      f.brIf(again, n);
    });
  });
  const module = new WebAssembly.Module(m.build());
  const { digits } = new WebAssembly.Instance(module, { env: { log: (n: number) => seen.push(n) } }).exports;
  (digits as (n: number) => void)(2026);
  expect(seen).toEqual([6, 2, 0, 2]);
  expect(WebAssembly.Module.exports(module)).toEqual([{ name: "digits", kind: "function" }]);
});
