// Every instruction of the table is held to another assembler's bytes, and to the engine, which must accept a
// function made of it with just the types that the table gives.

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { describe, expect, test } from "vitest";
import { type Bytes, concat, name as nameBytes, sized, unsigned, vector } from "./encode.ts";
import { type Immediate, type ImmediateArguments, readImmediate } from "./immediates.ts";
import { type ImmediateKind, type Opcode, opcodes, type ValueType, valueTypes } from "./opcodes.ts";

// Off by default in the oldest hosts; without effect where it is not.
setFlagsFromString("--experimental-wasm-relaxed-simd");

const samples: { readonly [K in ImmediateKind]: readonly ImmediateArguments[K][] } = {
  "": [[]],
  zero: [[]],
  zeros: [[]],
  memory: [[], [{ offset: 300 }]],
  lane: [[1]],
  "memory lane": [[1, { offset: 300 }]],
  shuffle: [[Array.from({ length: 16 }, (_, i) => 31 - i)]],
  i32: [[0], [-1], [64], [2 ** 31 - 1], [-(2 ** 31)]],
  i64: [[0n], [-1n], [2n ** 63n - 1n], [-(2n ** 63n)]],
  f32: [[0], [-0], [1.5], [1e-45], [Number.NEGATIVE_INFINITY], [Number.NaN]],
  f64: [[0], [-0], [0.1], [5e-324], [Number.POSITIVE_INFINITY], [Number.NaN]],
  v128: [
    ["i8x16", 255],
    ["i32x4", 1, -2, 3, -4],
    ["f32x4", 0.5, -0, 3, Number.POSITIVE_INFINITY],
    ["f64x2", 0.1, -2],
  ],
};

const immediatesOf = (opcode: Opcode): Immediate[] =>
  samples[opcode.immediate].map((args) =>
    (readImmediate[opcode.immediate] as (opcode: Opcode, ...args: readonly unknown[]) => Immediate)(
      opcode,
      ...args,
    ),
  );

test("text and bytes of every instruction are those of another assembler", () => {
  const written = Object.values(opcodes).flatMap((opcode) =>
    immediatesOf(opcode).map(({ bytes, text }) => [
      opcode.name + text,
      Buffer.from(concat([opcode.bytes, bytes])).toString("hex"),
    ]),
  );
  const oracle = readFileSync(new URL("../../fixtures/instructions.json", import.meta.url), "utf8");
  expect(Object.fromEntries(written)).toEqual(JSON.parse(oracle));
});

/** Whether the engine accepts a function `operands → results` made of these bytes, in a module with a memory. */
function validates(
  operands: readonly ValueType[],
  results: readonly ValueType[],
  instruction: Bytes,
): boolean {
  const section = (id: number, item: Bytes) => concat([[id], sized(vector([item]))]);
  const types = (list: readonly ValueType[]) => vector(list.map((type) => [valueTypes[type]]));
  const parameters = operands.map((_, i) => [0x20, i]);
  return WebAssembly.validate(
    concat([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, concat([[0x60], types(operands), types(results)])),
      section(2, concat([nameBytes("env"), nameBytes("memory"), [0x02, 0x03, 1, 1]])),
      section(3, unsigned(0)),
      section(10, sized(concat([vector([]), ...parameters, instruction, [0x0b]]))),
    ]),
  );
}

describe.each(Object.values(opcodes))("$name", (opcode) => {
  test("has these types and no others, and touches so many bytes", () => {
    const { operands, bytes, width } = opcode;
    const results = opcode.result === undefined ? [] : [opcode.result];
    const other = (type: ValueType): ValueType => (type === "f64" ? "i32" : "f64");
    const [immediate] = immediatesOf(opcode).map((sample) => Array.from(sample.bytes));
    const instruction = concat([bytes, immediate!]);
    expect(validates(operands, results, instruction)).toBe(true);
    expect(validates(operands, results.length > 0 ? results.map(other) : ["i32"], instruction)).toBe(false);
    operands.forEach((_, i) => {
      const changed = operands.map((type, k) => (k === i ? other(type) : type));
      expect(validates(changed, results, instruction)).toBe(false);
    });
    if (width > 0) {
      const [power, ...rest] = immediate!;
      expect(2 ** power!).toBe(width);
      expect(validates(operands, results, concat([bytes, [power! + 1], rest]))).toBe(false);
    }
  });
});
