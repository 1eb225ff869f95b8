// How the binary format writes numbers, names and lists. Each function returns new bytes; `concat` joins them, once
// for every level of nesting.
//
//   integer   LEB128: seven bits a byte, the lowest first; bit 7 says that another byte follows. Of a signed number
//             bit 6 of the last byte is the sign.                           624485 → E5 8E 26     -1 → 7F
//   float     IEEE 754, little-endian like every host of today                        1 → 00 00 80 3F
//   name      the length of its UTF-8 form in bytes, then that form        "π" → 02 CF 80
//   vector    the number of items, then the items
//   sized     the number of bytes, then the bytes: a function's body, a section's content

/** Integers from 0 to 255. */
export type Bytes = ArrayLike<number>;

/** One list after another. */
export function concat(parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** An integer from 0 to 2³² - 1. */
export function unsigned(value: number): number[] {
  if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 32)) {
    throw new RangeError(`unsigned: value must be an integer from 0 to 2^32 - 1 but is ${value}`);
  }
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return bytes;
}

/** An integer from -2⁶³ to 2⁶³ - 1; from -2³¹ to 2³¹ - 1 as a number. */
export function signed(value: number | bigint): number[] {
  const bytes: number[] = [];
  if (typeof value === "number") {
    if (value !== (value | 0)) {
      throw new RangeError(`signed: value must be an integer from -2^31 to 2^31 - 1 but is ${value}`);
    }
    for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push((value & 0x7f) | 0x80);
    bytes.push(value & 0x7f);
  } else {
    if (value !== BigInt.asIntN(64, value)) {
      throw new RangeError(`signed: value must be an integer from -2^63 to 2^63 - 1 but is ${value}`);
    }
    for (; value < -0x40n || value >= 0x40n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
    bytes.push(Number(value & 0x7fn));
  }
  return bytes;
}

const scratch = new DataView(new ArrayBuffer(8));

const scratchBytes = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => scratch.getUint8(i));

/** A 32-bit float. */
export function f32(value: number): number[] {
  scratch.setFloat32(0, value, true);
  return scratchBytes(4);
}

/** A 64-bit float. */
export function f64(value: number): number[] {
  scratch.setFloat64(0, value, true);
  return scratchBytes(8);
}

/** A string. */
export const name = (text: string) => sized(new TextEncoder().encode(text));

/** A list of things that are bytes already. */
export const vector = (items: readonly Bytes[]) => concat([unsigned(items.length), ...items]);

/** Bytes that a reader may skip. */
export const sized = (bytes: Bytes) => concat([unsigned(bytes.length), bytes]);
