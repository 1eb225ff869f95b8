import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bytes, concat, f32, f64, name, signed, sized, unsigned, vector } from "./encode.ts";

/** LEB128 read back by its definition: seven bits a byte, the lowest first, and for a signed one the sign. */
function decode(bytes: Bytes, isSigned: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) {
    expect(bytes[i] >= 0x80, "only the last byte ends the number").toBe(i < bytes.length - 1);
    value |= BigInt(bytes[i] & 0x7f) << BigInt(7 * i);
  }
  return isSigned ? BigInt.asIntN(7 * bytes.length, value) : value;
}

describe("integers", () => {
  test("are written as the specification's examples are", () => {
    expect(unsigned(0)).toEqual([0x00]);
    expect(unsigned(127)).toEqual([0x7f]);
    expect(unsigned(128)).toEqual([0x80, 0x01]);
    expect(unsigned(624485)).toEqual([0xe5, 0x8e, 0x26]);
    expect(unsigned(2 ** 32 - 1)).toEqual([0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(signed(63)).toEqual([0x3f]);
    expect(signed(64)).toEqual([0xc0, 0x00]);
    expect(signed(-1)).toEqual([0x7f]);
    expect(signed(-64)).toEqual([0x40]);
    expect(signed(-65)).toEqual([0xbf, 0x7f]);
    expect(signed(-123456)).toEqual([0xc0, 0xbb, 0x78]);
    expect(signed(-(2 ** 31))).toEqual([0x80, 0x80, 0x80, 0x80, 0x78]);
    expect(signed(-(2n ** 63n))).toEqual([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]);
  });

  test("read back as they were, in the shortest form", () => {
    const lengthOf = (bits: number) => Math.max(1, Math.ceil(bits / 7));
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 - 1 }), (value) => {
        expect(decode(unsigned(value), false)).toBe(BigInt(value));
        expect(unsigned(value)).toHaveLength(lengthOf(value.toString(2).length));
      }),
    );
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(decode(signed(value), true)).toBe(BigInt(value));
        expect(signed(value)).toEqual(signed(BigInt(value)));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(decode(signed(value), true)).toBe(value);
        const magnitude = value < 0n ? -value - 1n : value;
        expect(signed(value)).toHaveLength(
          lengthOf((magnitude === 0n ? 0 : magnitude.toString(2).length) + 1),
        );
      }),
    );
  });

  test("are refused where they do not fit", () => {
    for (const value of [-1, 2 ** 32, 0.5, Number.NaN]) {
      expect(() => unsigned(value)).toThrow(
        `unsigned: value must be an integer from 0 to 2^32 - 1 but is ${value}`,
      );
    }
    for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN]) {
      expect(() => signed(value)).toThrow(
        `signed: value must be an integer from -2^31 to 2^31 - 1 but is ${value}`,
      );
    }
    expect(() => signed(2n ** 63n)).toThrow("signed: value must be an integer from -2^63 to 2^63 - 1");
  });
});

test("floats are little-endian and read back bit for bit", () => {
  expect([...f32(1)]).toEqual([0x00, 0x00, 0x80, 0x3f]);
  expect([...f64(-2)]).toEqual([0, 0, 0, 0, 0, 0, 0x00, 0xc0]);
  const view = (bytes: Bytes) => new DataView(Uint8Array.from(bytes).buffer);
  fc.assert(fc.property(fc.float(), (value) => Object.is(view(f32(value)).getFloat32(0, true), value)));
  fc.assert(fc.property(fc.double(), (value) => Object.is(view(f64(value)).getFloat64(0, true), value)));
});

test("a name is as long as its UTF-8 form, however long that is", () => {
  expect([...name("π")]).toEqual([2, 0xcf, 0x80]);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (text) => {
      const bytes = name(text);
      const lengthBytes = 1 + bytes.findIndex((byte) => byte < 0x80);
      expect(decode(bytes.subarray(0, lengthBytes), false)).toBe(BigInt(bytes.length - lengthBytes));
      expect(new TextDecoder().decode(bytes.subarray(lengthBytes))).toBe(text);
    }),
  );
});

test("vectors count items, sized bytes count bytes", () => {
  expect([...vector([])]).toEqual([0]);
  expect([...vector([[7, 8], [9]])]).toEqual([2, 7, 8, 9]);
  expect([...sized([7, 8, 9])]).toEqual([3, 7, 8, 9]);
  expect([...sized(new Uint8Array(200))].slice(0, 3)).toEqual([0xc8, 0x01, 0]);
  expect([...concat([[1], [], new Uint8Array([2, 3])])]).toEqual([1, 2, 3]);
});
