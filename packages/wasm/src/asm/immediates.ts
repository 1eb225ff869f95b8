// What follows an opcode, in bytes and in text.
//
//   memory    the alignment as a power of two, then an offset that is added to the address: a v128.load sixteen
//             bytes after its pointer is FD 00 (opcode), 04 (aligned to 2⁴ bytes), 10 (16)
//   lane      a byte; a shuffle has sixteen
//   const     i32 and i64 as signed LEB128, floats and v128 as they lie in memory
//   zero      a byte, the number of the one memory; zeros two such bytes

import { type Bytes, concat, f32, f64, signed, unsigned } from "./encode.ts";
import type { ImmediateKind, Opcode } from "./opcodes.ts";

/** Where a load or store goes. */
export interface MemoryAccess {
  /** Bytes added to the address; default 0. */
  readonly offset?: number;
  /** A hint that the place is a multiple of so many bytes: 1, 2, 4 … up to the access's width, the default. */
  readonly align?: number;
}

/** How the numbers of a `v128.const` lie. */
export type LaneShape = "i8x16" | "i32x4" | "f32x4" | "f64x2";

/** What a caller gives after the operands. */
export interface ImmediateArguments {
  "": [];
  zero: [];
  zeros: [];
  memory: [access?: MemoryAccess];
  lane: [lane: number];
  "memory lane": [lane: number, access?: MemoryAccess];
  shuffle: [lanes: readonly number[]];
  i32: [value: number];
  i64: [value: bigint];
  f32: [value: number];
  f64: [value: number];
  /** One number for all lanes, or one for each. */
  v128: [shape: LaneShape, ...lanes: number[]];
}

/** A checked immediate. */
export interface Immediate {
  readonly bytes: Bytes;
  /** Empty, or with a space before it. */
  readonly text: string;
}

/** For instructions without one. */
export const noImmediate: Immediate = { bytes: [], text: "" };

/** Checks the arguments of an instruction; throws a RangeError that says what is wrong with them. */
export type Reader<A extends unknown[]> = (opcode: Opcode, ...args: A) => Immediate;

function integer(what: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new RangeError(`${what} must be an integer from ${low} to ${high} but is ${value}`);
}

const memory: Reader<[access?: MemoryAccess]> = ({ name, width }, { offset = 0, align } = {}) => {
  const power = Math.log2(align ?? width);
  const lowest = name.includes("atomic") ? Math.log2(width) : 0;
  if (!Number.isInteger(power) || power < lowest || 2 ** power > width) {
    throw new RangeError(
      `align must be ${2 ** lowest === width ? "" : "a power of two up to "}${width} but is ${align}`,
    );
  }
  return {
    bytes: [power, ...unsigned(integer("offset", offset, 0, 2 ** 32 - 1))],
    text: (offset === 0 ? "" : ` offset=${offset}`) + (2 ** power === width ? "" : ` align=${align}`),
  };
};

const lane: Reader<[lane: number]> = ({ name, width }, index) => {
  const lanes = Number(/x(\d+)\./.exec(name)?.[1] ?? 16 / width);
  return { bytes: [integer("lane", index, 0, lanes - 1)], text: ` ${index}` };
};

const float = (value: number): string =>
  Number.isNaN(value) ? "nan" : Object.is(value, -0) ? "-0" : String(value).replace("Infinity", "inf");

const laneBytes: Record<LaneShape, (value: number) => Bytes> = {
  i8x16: (value) => [integer("lane", value, -128, 255) & 0xff],
  i32x4: (value) => new Uint8Array(Int32Array.of(integer("lane", value, -(2 ** 31), 2 ** 32 - 1)).buffer),
  f32x4: f32,
  f64x2: f64,
};

/** For each kind of immediate, what reads it. */
export const readImmediate: { readonly [K in ImmediateKind]: Reader<ImmediateArguments[K]> } = {
  "": () => noImmediate,
  zero: () => ({ bytes: [0], text: "" }),
  zeros: () => ({ bytes: [0, 0], text: "" }),
  memory,
  lane,
  "memory lane": (opcode, index, access) => {
    const [where, which] = [memory(opcode, access), lane(opcode, index)];
    return { bytes: concat([where.bytes, which.bytes]), text: where.text + which.text };
  },
  shuffle: (_opcode, lanes) => {
    integer("number of lanes", lanes.length, 16, 16);
    return { bytes: lanes.map((index) => integer("lane", index, 0, 31)), text: ` ${lanes.join(" ")}` };
  },
  i32: (_opcode, value) => {
    const wrapped = integer("value", value, -(2 ** 31), 2 ** 32 - 1) | 0;
    return { bytes: signed(wrapped), text: ` ${wrapped}` };
  },
  i64: (_opcode, value) => {
    const wrapped = BigInt.asIntN(64, value);
    return { bytes: signed(wrapped), text: ` ${wrapped}` };
  },
  f32: (_opcode, value) => ({ bytes: f32(value), text: ` ${float(value)}` }),
  f64: (_opcode, value) => ({ bytes: f64(value), text: ` ${float(value)}` }),
  v128: (_opcode, shape, ...given) => {
    const count = Number(shape.split("x")[1]);
    if (given.length !== 1) integer("number of lanes", given.length, count, count);
    const lanes = given.length === 1 ? Array<number>(count).fill(given[0]) : given;
    return { bytes: concat(lanes.map(laneBytes[shape])), text: ` ${shape} ${lanes.map(float).join(" ")}` };
  },
};

/** An opcode with its immediate. */
export interface Instruction {
  readonly name: string;
  readonly opcode: Bytes;
  readonly immediate: Immediate;
}

/** Reads the arguments after an instruction's operands; throws a RangeError that says what is wrong with them. */
export function readInstruction(opcode: Opcode, args: readonly unknown[]): Instruction {
  const immediate = (readImmediate[opcode.immediate] as Reader<unknown[]>)(opcode, ...args);
  return { name: opcode.name, opcode: opcode.bytes, immediate };
}
