// The instructions. In the binary format each is an opcode, then its immediates (see immediates.ts). An opcode is a
// byte; those of later extensions are a prefix (FC bulk memory and saturation, FD vectors, FE atomics) and a LEB128
// number. Opcodes of one kind follow each other, so the table has a row for each run of them:
//
//   name space, prefix, first number, operands, result, immediate, names counting up from the first number
//
// f32x4.mul for instance is FD, 228 + 2, takes two v128 and leaves one. Names and types are the specification's.

import { unsigned } from "./encode.ts";

/** What a variable, an operand or a result can be. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

/** How the binary format writes them. */
export const valueTypes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** What these take and leave depends on where they stand, so the builder has a method for each. */
export const controlOpcodes = {
  unreachable: [0x00],
  block: [0x02],
  loop: [0x03],
  if: [0x04],
  else: [0x05],
  end: [0x0b],
  br: [0x0c],
  br_if: [0x0d],
  return: [0x0f],
  call: [0x10],
  drop: [0x1a],
  select: [0x1b],
  "local.get": [0x20],
  "local.set": [0x21],
  "local.tee": [0x22],
} as const;

const compareIntegers = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const compareFloats = "eq ne lt gt le ge";
const integers = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const rounding = "abs neg ceil floor trunc nearest sqrt";
const floats = "add sub mul div min max copysign";
const vectorFloats = "add sub mul div min max pmin pmax";

// biome-ignore format: a line a row
const table = [
  // Memory: the address, then what is stored.
  ["i32", 0, 0x28, "i32", "i32", "memory", "load"],
  ["i64", 0, 0x29, "i32", "i64", "memory", "load"],
  ["f32", 0, 0x2a, "i32", "f32", "memory", "load"],
  ["f64", 0, 0x2b, "i32", "f64", "memory", "load"],
  ["i32", 0, 0x2c, "i32", "i32", "memory", "load8_s load8_u load16_s load16_u"],
  ["i64", 0, 0x30, "i32", "i64", "memory", "load8_s load8_u load16_s load16_u load32_s load32_u"],
  ["i32", 0, 0x36, "i32 i32", "", "memory", "store"],
  ["i64", 0, 0x37, "i32 i64", "", "memory", "store"],
  ["f32", 0, 0x38, "i32 f32", "", "memory", "store"],
  ["f64", 0, 0x39, "i32 f64", "", "memory", "store"],
  ["i32", 0, 0x3a, "i32 i32", "", "memory", "store8 store16"],
  ["i64", 0, 0x3c, "i32 i64", "", "memory", "store8 store16 store32"],
  ["memory", 0, 0x3f, "", "i32", "zero", "size"],
  ["memory", 0, 0x40, "i32", "i32", "zero", "grow"],
  ["memory", 0xfc, 10, "i32 i32 i32", "", "zeros", "copy"],
  ["memory", 0xfc, 11, "i32 i32 i32", "", "zero", "fill"],

  // Scalars.
  ["i32", 0, 0x41, "", "i32", "i32", "const"],
  ["i64", 0, 0x42, "", "i64", "i64", "const"],
  ["f32", 0, 0x43, "", "f32", "f32", "const"],
  ["f64", 0, 0x44, "", "f64", "f64", "const"],
  ["i32", 0, 0x45, "i32", "i32", "", "eqz"],
  ["i32", 0, 0x46, "i32 i32", "i32", "", compareIntegers],
  ["i64", 0, 0x50, "i64", "i32", "", "eqz"],
  ["i64", 0, 0x51, "i64 i64", "i32", "", compareIntegers],
  ["f32", 0, 0x5b, "f32 f32", "i32", "", compareFloats],
  ["f64", 0, 0x61, "f64 f64", "i32", "", compareFloats],
  ["i32", 0, 0x67, "i32", "i32", "", "clz ctz popcnt"],
  ["i32", 0, 0x6a, "i32 i32", "i32", "", integers],
  ["i64", 0, 0x79, "i64", "i64", "", "clz ctz popcnt"],
  ["i64", 0, 0x7c, "i64 i64", "i64", "", integers],
  ["f32", 0, 0x8b, "f32", "f32", "", rounding],
  ["f32", 0, 0x92, "f32 f32", "f32", "", floats],
  ["f64", 0, 0x99, "f64", "f64", "", rounding],
  ["f64", 0, 0xa0, "f64 f64", "f64", "", floats],

  // Conversions: to the type of the name space, from the type in the name.
  ["i32", 0, 0xa7, "i64", "i32", "", "wrap_i64"],
  ["i32", 0, 0xa8, "f32", "i32", "", "trunc_f32_s trunc_f32_u"],
  ["i32", 0, 0xaa, "f64", "i32", "", "trunc_f64_s trunc_f64_u"],
  ["i64", 0, 0xac, "i32", "i64", "", "extend_i32_s extend_i32_u"],
  ["i64", 0, 0xae, "f32", "i64", "", "trunc_f32_s trunc_f32_u"],
  ["i64", 0, 0xb0, "f64", "i64", "", "trunc_f64_s trunc_f64_u"],
  ["f32", 0, 0xb2, "i32", "f32", "", "convert_i32_s convert_i32_u"],
  ["f32", 0, 0xb4, "i64", "f32", "", "convert_i64_s convert_i64_u"],
  ["f32", 0, 0xb6, "f64", "f32", "", "demote_f64"],
  ["f64", 0, 0xb7, "i32", "f64", "", "convert_i32_s convert_i32_u"],
  ["f64", 0, 0xb9, "i64", "f64", "", "convert_i64_s convert_i64_u"],
  ["f64", 0, 0xbb, "f32", "f64", "", "promote_f32"],
  ["i32", 0, 0xbc, "f32", "i32", "", "reinterpret_f32"],
  ["i64", 0, 0xbd, "f64", "i64", "", "reinterpret_f64"],
  ["f32", 0, 0xbe, "i32", "f32", "", "reinterpret_i32"],
  ["f64", 0, 0xbf, "i64", "f64", "", "reinterpret_i64"],
  ["i32", 0, 0xc0, "i32", "i32", "", "extend8_s extend16_s"],
  ["i64", 0, 0xc2, "i64", "i64", "", "extend8_s extend16_s extend32_s"],
  ["i32", 0xfc, 0, "f32", "i32", "", "trunc_sat_f32_s trunc_sat_f32_u"],
  ["i32", 0xfc, 2, "f64", "i32", "", "trunc_sat_f64_s trunc_sat_f64_u"],
  ["i64", 0xfc, 4, "f32", "i64", "", "trunc_sat_f32_s trunc_sat_f32_u"],
  ["i64", 0xfc, 6, "f64", "i64", "", "trunc_sat_f64_s trunc_sat_f64_u"],

  // Vectors of 128 bits: memory, constants, lanes.
  ["v128", 0xfd, 0, "i32", "v128", "memory", "load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u"],
  ["v128", 0xfd, 7, "i32", "v128", "memory", "load8_splat load16_splat load32_splat load64_splat"],
  ["v128", 0xfd, 92, "i32", "v128", "memory", "load32_zero load64_zero"],
  ["v128", 0xfd, 84, "i32 v128", "v128", "memory lane", "load8_lane load16_lane load32_lane load64_lane"],
  ["v128", 0xfd, 11, "i32 v128", "", "memory", "store"],
  ["v128", 0xfd, 88, "i32 v128", "", "memory lane", "store8_lane store16_lane store32_lane store64_lane"],
  ["v128", 0xfd, 12, "", "v128", "v128", "const"],
  ["i8x16", 0xfd, 13, "v128 v128", "v128", "shuffle", "shuffle"],
  ["i8x16", 0xfd, 14, "v128 v128", "v128", "", "swizzle"],
  ["i8x16", 0xfd, 15, "i32", "v128", "", "splat"],
  ["i32x4", 0xfd, 17, "i32", "v128", "", "splat"],
  ["f32x4", 0xfd, 19, "f32", "v128", "", "splat"],
  ["f64x2", 0xfd, 20, "f64", "v128", "", "splat"],
  ["i8x16", 0xfd, 21, "v128", "i32", "lane", "extract_lane_s extract_lane_u"],
  ["i8x16", 0xfd, 23, "v128 i32", "v128", "lane", "replace_lane"],
  ["i32x4", 0xfd, 27, "v128", "i32", "lane", "extract_lane"],
  ["i32x4", 0xfd, 28, "v128 i32", "v128", "lane", "replace_lane"],
  ["f32x4", 0xfd, 31, "v128", "f32", "lane", "extract_lane"],
  ["f32x4", 0xfd, 32, "v128 f32", "v128", "lane", "replace_lane"],
  ["f64x2", 0xfd, 33, "v128", "f64", "lane", "extract_lane"],
  ["f64x2", 0xfd, 34, "v128 f64", "v128", "lane", "replace_lane"],

  // Vectors: bits, comparisons (all ones where true), arithmetic, conversions.
  ["v128", 0xfd, 77, "v128", "v128", "", "not"],
  ["v128", 0xfd, 78, "v128 v128", "v128", "", "and andnot or xor"],
  ["v128", 0xfd, 82, "v128 v128 v128", "v128", "", "bitselect"],
  ["v128", 0xfd, 83, "v128", "i32", "", "any_true"],
  ["i32x4", 0xfd, 55, "v128 v128", "v128", "", compareIntegers],
  ["f32x4", 0xfd, 65, "v128 v128", "v128", "", compareFloats],
  ["f64x2", 0xfd, 71, "v128 v128", "v128", "", compareFloats],
  ["i32x4", 0xfd, 160, "v128", "v128", "", "abs neg"],
  ["i32x4", 0xfd, 163, "v128", "i32", "", "all_true bitmask"],
  ["i32x4", 0xfd, 167, "v128", "v128", "", "extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u"],
  ["i32x4", 0xfd, 171, "v128 i32", "v128", "", "shl shr_s shr_u"],
  ["i32x4", 0xfd, 174, "v128 v128", "v128", "", "add"],
  ["i32x4", 0xfd, 177, "v128 v128", "v128", "", "sub"],
  ["i32x4", 0xfd, 181, "v128 v128", "v128", "", "mul min_s min_u max_s max_u dot_i16x8_s"],
  ["f32x4", 0xfd, 103, "v128", "v128", "", "ceil floor trunc nearest"],
  ["f32x4", 0xfd, 224, "v128", "v128", "", "abs neg"],
  ["f32x4", 0xfd, 227, "v128", "v128", "", "sqrt"],
  ["f32x4", 0xfd, 228, "v128 v128", "v128", "", vectorFloats],
  ["f64x2", 0xfd, 116, "v128", "v128", "", "ceil floor"],
  ["f64x2", 0xfd, 122, "v128", "v128", "", "trunc"],
  ["f64x2", 0xfd, 148, "v128", "v128", "", "nearest"],
  ["f64x2", 0xfd, 236, "v128", "v128", "", "abs neg"],
  ["f64x2", 0xfd, 239, "v128", "v128", "", "sqrt"],
  ["f64x2", 0xfd, 240, "v128 v128", "v128", "", vectorFloats],
  ["f32x4", 0xfd, 94, "v128", "v128", "", "demote_f64x2_zero"],
  ["f64x2", 0xfd, 95, "v128", "v128", "", "promote_low_f32x4"],
  ["i32x4", 0xfd, 248, "v128", "v128", "", "trunc_sat_f32x4_s trunc_sat_f32x4_u"],
  ["f32x4", 0xfd, 250, "v128", "v128", "", "convert_i32x4_s convert_i32x4_u"],
  ["i32x4", 0xfd, 252, "v128", "v128", "", "trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero"],
  ["f64x2", 0xfd, 254, "v128", "v128", "", "convert_low_i32x4_s convert_low_i32x4_u"],

  // Relaxed vectors: a·b + c and -a·b + c, rounded once or twice as the host can.
  ["f32x4", 0xfd, 0x105, "v128 v128 v128", "v128", "", "relaxed_madd relaxed_nmadd"],
  ["f64x2", 0xfd, 0x107, "v128 v128 v128", "v128", "", "relaxed_madd relaxed_nmadd"],

  // Atomics: notify (address, how many at most), wait (address, value expected there, nanoseconds), the rest as above.
  ["memory.atomic", 0xfe, 0x00, "i32 i32", "i32", "memory", "notify"],
  ["memory.atomic", 0xfe, 0x01, "i32 i32 i64", "i32", "memory", "wait32"],
  ["memory.atomic", 0xfe, 0x02, "i32 i64 i64", "i32", "memory", "wait64"],
  ["atomic", 0xfe, 0x03, "", "", "zero", "fence"],
  ["i32.atomic", 0xfe, 0x10, "i32", "i32", "memory", "load"],
  ["i64.atomic", 0xfe, 0x11, "i32", "i64", "memory", "load"],
  ["i32.atomic", 0xfe, 0x17, "i32 i32", "", "memory", "store"],
  ["i64.atomic", 0xfe, 0x18, "i32 i64", "", "memory", "store"],
  ["i32.atomic.rmw", 0xfe, 0x1e, "i32 i32", "i32", "memory", "add"],
  ["i64.atomic.rmw", 0xfe, 0x1f, "i32 i64", "i64", "memory", "add"],
] as const;

type Row = (typeof table)[number];

/** Which numbers follow an opcode. */
export type ImmediateKind = Row[5];

/** One instruction. */
export interface Opcode {
  /** As the specification writes it: `f32x4.mul`. */
  readonly name: string;
  readonly bytes: readonly number[];
  readonly operands: readonly ValueType[];
  readonly result: ValueType | undefined;
  readonly immediate: ImmediateKind;
  readonly needsMemory: boolean;
  /** How many bytes of memory it touches: `v128.load16x4_s` 8, `i64.store32` 4, `f64.load` 8. */
  readonly width: number;
}

type Words<S extends string> = S extends `${infer Head} ${infer Tail}`
  ? [Head, ...Words<Tail>]
  : S extends ""
    ? []
    : [S];

/** Operands, result and immediate of each instruction, for the compiler. */
export type Signatures = {
  [R in Row as `${R[0]}.${Words<R[6]>[number]}`]: { operands: Words<R[3]>; result: R[4]; immediate: R[5] };
};

/** `i32.load`, `f32x4.mul` … */
export type InstructionName = keyof Signatures;

function expand([space, prefix, first, operands, result, immediate, names]: Row): Opcode[] {
  return names.split(" ").map((word, i) => ({
    name: `${space}.${word}`,
    bytes: prefix === 0 ? [first + i] : [prefix, ...unsigned(first + i)],
    operands: operands.split(" ").filter(Boolean) as ValueType[],
    result: result === "" ? undefined : result,
    immediate,
    needsMemory: immediate.startsWith("memory") || space.startsWith("memory"),
    width: immediate.startsWith("memory") ? accessWidth(space, word) : 0,
  }));
}

function accessWidth(space: string, word: string): number {
  const [, bits, count = 1] = /(?:load|store|wait)(\d+)(?:x(\d+))?/.exec(word) ?? [];
  if (bits !== undefined) return (Number(bits) * Number(count)) / 8;
  return space === "v128" ? 16 : space.includes("64") ? 8 : 4;
}

/** The instructions by name. */
export const opcodes = /* @__PURE__ */ Object.fromEntries(
  /* @__PURE__ */ table.flatMap((row) => expand(row).map((opcode) => [opcode.name, opcode])),
) as Readonly<Record<InstructionName, Opcode>>;
