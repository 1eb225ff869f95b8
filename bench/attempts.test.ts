import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { conv2dDims, conv2dForward } from "@saunet/core/kernels";
import { ModuleBuilder } from "@saunet/wasm/asm";
import { describe, expect, it, test } from "vitest";
import { loadAttempts } from "./attempts.ts";
import type { Attempt } from "./lab/attempt.ts";
import { makeOperands } from "./operands.ts";
import { BENCH, RESULTS } from "./paths.ts";
import { maxAbsDiff } from "./statistics.ts";

const folder = mkdtempSync(join(tmpdir(), "saunet-attempts-"));
const written = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

/** How far an attempt is from the reference. */
function error({ prepare }: Attempt, dims: ReturnType<typeof conv2dDims>): number {
  const operands = makeOperands(dims);
  const wanted = new Float32Array(dims.N * dims.OH * dims.OW * dims.O);
  conv2dForward.reference({ y: wanted, ...operands }, dims);
  const { y, run } = prepare(dims, operands);
  run();
  run();
  return maxAbsDiff(y(), wanted);
}

/** `y = b + w · x` for one channel and one tap, `gain` times. */
function pointwise(gain: number, memory = "memory"): Uint8Array {
  const m = new ModuleBuilder();
  m.exportMemory(memory, { initial: 1 });
  const integers = ["N", "H", "W", "C", "OH", "OW", "O", "KH", "KW", "sH", "sW", "dH", "dW", "top", "left"];
  const params = Object.fromEntries(["x", "w", "b", "y", ...integers].map((name) => [name, "i32" as const]));
  m.func("conv2d", { params, results: [] }, (f, { x, w, b, y, H, W }) => {
    const { i32, f32 } = f;
    const end = f.let("end", i32.mul(H, W));
    f.forRange(f.local("i", "i32"), { to: end }, () => {
      f32.store(y, f32.add(f32.load(b), f32.mul(f32.const(gain), f32.mul(f32.load(w), f32.load(x)))));
      f.advance(x, 4);
      f.advance(y, 4);
    });
  });
  return m.build();
}

describe("the walk-through of bench/README.md", () => {
  const code = /```ts\n([^`]*)```/.exec(readFileSync(join(BENCH, "README.md"), "utf8"));

  it("has an attempt that is right, whatever the geometry", async () => {
    const [attempt] = await loadAttempts([written("walk-through.ts", code![1])]);
    expect(attempt).toMatchObject({ number: 0, code: "typescript" });
    for (const dims of [
      conv2dDims("x", [2, 9, 7, 3], [3, 3, 3, 5]),
      conv2dDims("x", [1, 9, 14, 4], [3, 5, 4, 6], { stride: [2, 3] }),
      conv2dDims("x", [1, 12, 10, 2], [3, 2, 2, 4], { dilation: [2, 1] }),
    ])
      expect(error(attempt, dims)).toBeLessThan(1e-5);
  });
});

describe("an attempt in WebAssembly", () => {
  const dims = conv2dDims("x", [1, 40, 500, 1], [1, 1, 1, 1]);

  it("finds its operands behind what it had of its memory", async () => {
    const [right, wrong] = await loadAttempts([
      written("right.wasm", pointwise(1)),
      written("wrong.wasm", pointwise(1.1)),
    ]);
    expect(right).toMatchObject({ name: "right.wasm", code: "simd" });
    expect(error(right, dims)).toBeLessThan(1e-6);
    expect(error(wrong, dims)).toBeGreaterThan(1e-3);
  });
});

it("attempts of one name, or of the name of somebody else, are told apart", async () => {
  const text = "export default { name: 'accelerated', prepare: () => {} };";
  const paths = ["a.js", "b.js"].map((name) => written(name, text));
  const names = (await loadAttempts(paths)).map(({ name }) => name);
  expect(names).toEqual(["accelerated (2)", "accelerated (3)"]);
});

test.each([
  ["nothing.js", "export const x = 1;", 'wants a default export with "prepare"'],
  ["broken.ts", "export default {", "Build failed with 1 error: "],
  ["thrown.js", "throw new Error('no luck');", "no luck"],
  ["text.wasm", "no module", "WebAssembly.Module"],
  ["other.wasm", pointwise(1, "heap"), 'wants an export "memory"'],
])("%s is refused in one line", async (name, content, message) => {
  const loading = loadAttempts([written(name, content)]);
  await expect(loading).rejects.toThrow(message);
  await expect(loading).rejects.toMatchObject({
    name: "UsageError",
    message: expect.not.stringContaining("\n"),
  });
});

test("a module is bundled where git does not look, and nothing is left of it, also where it throws", async () => {
  const bundles = join(RESULTS, "local", "attempts");
  const where = "export default { name: import.meta.url, prepare: () => {} };";
  const [{ name }] = await loadAttempts([written("where.js", where)]);
  expect(dirname(fileURLToPath(name))).toBe(bundles);
  await expect(loadAttempts([written("late.js", "throw new Error('no luck');")])).rejects.toThrow("no luck");
  const own = new RegExp(`^(where|late)\\.js-${process.pid}-`);
  expect(readdirSync(bundles).filter((file) => own.test(file))).toEqual([]);
});

test("a file that is not there is said to be so", async () => {
  await expect(loadAttempts([join(folder, "none.ts")])).rejects.toThrow("--attempt: there is no file");
});
