import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModuleBuilder } from "../../asm/index.ts";
import { arithmetics } from "../testing.ts";
import { type Matrix, transpose, winograd } from "./bilinear.ts";
import { type LinearMap, linearMap, mapWriter } from "./linear-map.ts";

const F4 = winograd(4, 3, [0, 1, -1, 2, -2]);
const F6 = winograd(6, 3, [0, 1, -1, 2, -2, 1 / 2, -1 / 2]);

/** Multiplications and additions, each instruction counted. */
function count({ sums }: LinearMap): { add: number; mul: number } {
  let [add, mul] = [0, 0];
  for (const terms of sums) {
    add += terms.length - 1;
    mul += new Set(terms.map(({ coefficient }) => Math.abs(coefficient)).filter((c) => c !== 1)).size;
  }
  return { add, mul };
}

/** Runs the code of a map: input i is the vector of i + 1 … */
function run(matrix: Matrix, relaxed: boolean, inputs: readonly number[]): number[] {
  const m = new ModuleBuilder();
  m.exportMemory("memory", { initial: 1 });
  m.func("map", { params: { x: "i32", y: "i32" } }, (f, { x, y }) => {
    const write = mapWriter(f, linearMap(matrix), { lanes: "f32x4", relaxed });
    const locals = inputs.map((_, i) => f.let("in", f.v128.load32_splat(x, { offset: 4 * i })));
    write(locals, (i, value) => f.v128.store(y, value, { offset: 16 * i }));
  });
  const { memory, map } = new WebAssembly.Instance(new WebAssembly.Module(m.build())).exports as {
    memory: WebAssembly.Memory;
    map: (x: number, y: number) => void;
  };
  const floats = new Float32Array(memory.buffer);
  floats.set(inputs);
  map(0, 1024);
  return matrix.map((_, i) => floats[256 + 4 * i + 3]);
}

const coefficient = fc.constantFrom(0, 0, 1, -1, 2, -2, 0.5, -3);
const matrices = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, columns]) =>
    fc.array(
      fc.array(coefficient, { minLength: columns, maxLength: columns }).filter((row) => row.some(Boolean)),
      { minLength: rows, maxLength: rows },
    ),
  );

describe("linearMap", () => {
  it.each(arithmetics)("is the product with any matrix, relaxed %s", (relaxed) => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const inputs = matrix[0].map((_, i) => 2 ** i);
        const wanted = matrix.map((row) => row.reduce<number>((sum, value, i) => sum + value * inputs[i], 0));
        expect(run(matrix, relaxed, inputs)).toEqual(wanted);
      }),
    );
  });

  it("computes what rows or columns in pairs share once", () => {
    const naive = (matrix: Matrix) => count({ inputs: 0, outputs: [], sums: termsOf(matrix) });
    const termsOf = (matrix: Matrix) =>
      matrix.map((row) =>
        row.map((value, node) => ({ node, coefficient: value })).filter((term) => term.coefficient !== 0),
      );
    expect(naive(F6.input).add).toBe(36);
    expect(count(linearMap(F6.input)).add).toBe(24);
    expect(naive(F6.output).add).toBe(32);
    expect(count(linearMap(F6.output)).add).toBe(20);
    expect(count(linearMap(transpose(F6.output))).add).toBeLessThan(naive(transpose(F6.output)).add);
    expect(count(linearMap(F4.input)).add).toBeLessThan(naive(F4.input).add);
  });

  it("has no more constants for F(6, 3) than find room in registers beside eight inputs", () => {
    const constants = ({ sums }: LinearMap) =>
      [...new Set(sums.flat().map(({ coefficient }) => Math.abs(coefficient)))].sort((a, b) => a - b);
    expect(constants(linearMap(F6.input))).toEqual([0.5, 1, 2, 4, 4.25, 5, 5.25]);
    expect(constants(linearMap(F6.output))).toEqual([1, 2, 4, 8, 16, 32]);
  });
});
