import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSafetensors, SafetensorsError, writeSafetensors } from "./safetensors.ts";
import { tensor } from "./tensor.ts";

const sample = () =>
  writeSafetensors(
    {
      a: tensor([
        [1, -2.5],
        [3e-8, 4],
      ]),
      "b.c": tensor(7),
      none: tensor([]),
    },
    { note: "ä" },
  );

/** A file with the given header and so many bytes of data. */
function file(header: unknown, dataBytes: number, claimed?: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimed ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

describe("safetensors", () => {
  it("reads what it writes, from any place in a buffer", () => {
    const bytes = sample();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const source of [bytes, shifted.subarray(3)]) {
      const { tensors, metadata } = readSafetensors(source);
      expect(metadata).toEqual({ note: "ä" });
      expect(Object.keys(tensors)).toEqual(["a", "b.c", "none"]);
      expect(tensors.a!.shape).toEqual([2, 2]);
      expect([...tensors.a!.data]).toEqual([1, -2.5, Math.fround(3e-8), 4]);
      expect(tensors["b.c"].shape).toEqual([]);
    }
  });

  it("reads tensors in whatever order the header has them, empty ones among them", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 });
    const shuffled = sizes.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all.keys()], { minLength: all.length, maxLength: all.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([all, order]) => {
        const named = Object.fromEntries(
          all.map((size, i) => [`t${i}`, tensor(new Float32Array(size), [size])]),
        );
        const bytes = writeSafetensors(named);
        const view = new DataView(bytes.buffer);
        const length = Number(view.getBigUint64(0, true));
        const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
        const mixed = Object.fromEntries(order.map((i) => [`t${i}`, header[`t${i}`]]));
        const { tensors } = readSafetensors(file(mixed, bytes.length - 8 - length));
        expect(Object.entries(tensors).map(([name, { size }]) => [name, size])).toEqual(
          order.map((i) => [`t${i}`, all[i]]),
        );
      }),
    );
  });

  it("widens 16-bit floats", () => {
    const bytes = file({ h: { dtype: "F16", shape: [6], data_offsets: [0, 12] } }, 12);
    const view = new DataView(bytes.buffer, bytes.length - 12);
    [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x3555].forEach((half, i) => {
      view.setUint16(2 * i, half, true);
    });
    expect([...readSafetensors(bytes).tensors.h!.data]).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      Infinity,
      0.333251953125,
    ]);
  });

  it("writes 16-bit floats, and refuses what they cannot hold", () => {
    const bytes = writeSafetensors({ a: tensor([1, 1 / 3, -2e-7]), b: tensor(-65504) }, {}, { half: true });
    expect(bytes.length).toBe(writeSafetensors({ a: tensor([1, 2, 3]), b: tensor(0) }).length - 2 * 4);
    const { a, b } = readSafetensors(bytes).tensors;
    expect([...a.data, ...b.data]).toEqual([1, 0.333251953125, -3 * 2 ** -24, -65504]);
    expect(() => writeSafetensors({ big: tensor([1, 1e5]) }, {}, { half: true })).toThrow(
      'safetensors: tensor "big" holds 100000, too large for 16 bits',
    );
  });

  const f32 = (shape: unknown, data_offsets: unknown) => ({ dtype: "F32", shape, data_offsets });
  it.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(0), "too few"],
    ["a header longer than the file", file({}, 0, 1e9), "is said to take 1000000000 bytes"],
    ["a header of 2^63 bytes", new Uint8Array(16).fill(0xff, 0, 8), "is said to take"],
    ["no JSON", file("{", 0), "not JSON"],
    ["a list", file([], 0), "not a JSON object"],
    ["a text", file('"abc"', 0), "not a JSON object"],
    ["a number", file("3", 0), "not a JSON object"],
    [
      "another type",
      file({ a: { ...f32([1], [0, 8]), dtype: "F64" } }, 8),
      'has type "F64"; F32, F16, BF16 are read',
    ],
    ["a type that is no text", file({ a: { ...f32([1], [0, 4]), dtype: { toString: 1 } } }, 4), "has type {"],
    ["a type that every object has", file({ a: { ...f32([1], [0, 4]), dtype: "valueOf" } }, 4), "has type"],
    ["no type", file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), "has type undefined"],
    ["an entry that is null", file({ a: null }, 0), 'tensor "a" has no description'],
    ["a negative size", file({ a: f32([-1], [0, 4]) }, 4), "not a list of counts"],
    ["a shape that disagrees", file({ a: f32([3], [0, 8]) }, 8), "does not take 8 bytes"],
    [
      "one that disagrees further on",
      file({ a: f32([1], [0, 4]), b: f32([3], [4, 12]) }, 12),
      "does not take 8 bytes",
    ],
    ["offsets past the end", file({ a: f32([2], [0, 8]) }, 4), "take 8 bytes but the file holds 4"],
    ["a gap", file({ a: f32([1], [4, 8]) }, 8), "begins at byte 4 of the data, not at 0"],
    [
      "an overlap",
      file({ a: f32([2], [0, 8]), b: f32([1], [4, 8]) }, 8),
      "begins at byte 4 of the data, not at 8",
    ],
    ["bytes left over", file({ a: f32([1], [0, 4]) }, 5), "holds 5"],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }, 0), "__metadata__"],
    [
      "metadata of which one is a number",
      file({ __metadata__: { a: "text", b: 1 } }, 0),
      "safetensors: __metadata__ must map names to texts",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => readSafetensors(bytes)).toThrow(message);
  });

  it("keeps its messages short and harmless, whatever the names and shapes", () => {
    const shape = new Array(1e5).fill(1);
    for (const header of [
      { ["a".repeat(5e6)]: null },
      { ["a".repeat(5e6)]: f32([1], [4, 8]) },
      { a: f32(shape, [0, 8]) },
      { a: { ...f32([1], [0, 4]), dtype: "F".repeat(5e6) } },
      { "\u001b[2J\u009b\u202e": null },
    ]) {
      const message = messageOf(() => readSafetensors(file(header, 8)));
      expect(message.length).toBeLessThan(250);
      expect(message).not.toMatch(/\p{C}/u);
    }
    const big = { ["a".repeat(5e6)]: tensor(1e5) };
    expect(messageOf(() => writeSafetensors(big, {}, { half: true })).length).toBeLessThan(250);
  });

  it("reads bfloat16", () => {
    const bytes = file({ a: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } }, 4);
    bytes.set([0x80, 0x3f, 0x49, 0xc0], bytes.length - 4);
    expect([...readSafetensors(bytes).tensors.a.data]).toEqual([1, -3.140625]);
  });

  it.each(["weights.safetensors", undefined, new ArrayBuffer(16)])(
    "names what is no Uint8Array: %s",
    (bytes) => {
      expect(() => readSafetensors(bytes as unknown as Uint8Array)).toThrow(
        new TypeError("readSafetensors: bytes must be a Uint8Array"),
      );
    },
  );

  it("is refused by an error with a name, however few its bytes", () => {
    const refusal = (bytes: Uint8Array): unknown => {
      try {
        return readSafetensors(bytes);
      } catch (error) {
        return String(error);
      }
    };
    expect(refusal(new Uint8Array(7))).toBe(
      "SafetensorsError: safetensors: 7 bytes are too few for a header",
    );
    expect(refusal(new Uint8Array(8))).not.toContain("too few");
  });

  it("refuses every truncation, and survives any mutation", () => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readSafetensors(bytes.subarray(0, length))).toThrow(SafetensorsError);
    }
    const byte = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 4 }), (changes) => {
        const mutated = bytes.slice();
        for (const { at, value } of changes) mutated[at] = value;
        try {
          readSafetensors(mutated);
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
