// Pictures written in every way that Netpbm allows are read to the same samples, in whatever parts they arrive.

import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeNetpbm, netpbmHeader } from "./netpbm.ts";

const spaces = fc.constantFrom(" ", "\n", "\t", "\r\n", "  ", " # words 1 2 3\n", "#\r", "\n#9\n ");
const kinds = fc.constantFrom("P1", "P2", "P3", "P4", "P5", "P6");

interface Written {
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly maximum: number;
  readonly samples: readonly number[];
}

/** A picture of some kind with its samples, which for kinds of bits are 0 (black) and 1. */
const pictures = fc
  .record({
    kind: kinds,
    width: fc.integer({ min: 1, max: 11 }),
    height: fc.integer({ min: 1, max: 4 }),
    maximum: fc.constantFrom(1, 9, 255, 256, 1000, 65535),
    between: fc.array(spaces, { minLength: 8, maxLength: 8 }),
    seed: fc.array(fc.nat({ max: 65535 }), { minLength: 132, maxLength: 132 }),
    after: fc.constantFrom([], [10], [1, 2, 3]),
  })
  .map(({ kind, width, height, between, seed, after, ...rest }): Written => {
    const isBits = kind === "P1" || kind === "P4";
    const channels = kind === "P3" || kind === "P6" ? 3 : 1;
    const maximum = isBits ? 1 : rest.maximum;
    const samples = seed.slice(0, width * height * channels).map((value) => value % (maximum + 1));
    const sizes = [kind, width, height, ...(isBits ? [] : [maximum])].map(String);
    const head = sizes.map((word, i) => word + (i < sizes.length - 1 ? between[i] : "\n")).join("");
    const space = (i: number) => between[i % 8];
    const plain = () => samples.map((value, i) => `${value}${space(i)}`).join("");
    // The digits of bits need nothing between them, and 1 is black.
    const bits = () => samples.map((value, i) => `${1 - value}${i % 3 === 0 ? space(i) : ""}`).join("");
    const packed = () => {
      const row = Math.ceil(width / 8);
      const out = new Uint8Array(row * height);
      samples.forEach((value, i) => {
        const [x, y] = [i % width, Math.floor(i / width)];
        if (value === 0) out[y * row + (x >> 3)] |= 128 >> (x & 7);
      });
      return out;
    };
    const raw = () =>
      Uint8Array.from(samples.flatMap((value) => (maximum > 255 ? [value >> 8, value & 255] : [value])));
    const text = (of: string) => Uint8Array.from(of, (character) => character.charCodeAt(0));
    const body = {
      P1: () => text(bits()),
      P2: () => text(plain()),
      P3: () => text(plain()),
      P4: packed,
      P5: raw,
      P6: raw,
    }[kind]!();
    const isText = ["P1", "P2", "P3"].includes(kind);
    const bytes = Uint8Array.from([...text(head), ...body, ...(isText ? [] : after)]);
    return { bytes, width, height, channels, maximum, samples };
  });

async function* inParts(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const length of lengths) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  yield bytes.subarray(at);
}

const parts = fc.array(fc.nat({ max: 40 }), { maxLength: 5 });

it("reads what is written, sample by sample", async () => {
  const asWritten = fc.asyncProperty(pictures, parts, async (picture, lengths) => {
    const { bytes, width, height, channels, maximum, samples } = picture;
    const header = netpbmHeader(bytes)!;
    expect(header).toMatchObject({ width, height, channels, maximum });
    const found = await decodeNetpbm(header, inParts(bytes, lengths));
    expect(typeof found === "string" ? found : [...found]).toEqual(samples);
  });
  await fc.assert(asWritten, { numRuns: 400 });
});

it("says of what is cut short that it is, wherever that is", async () => {
  const asCut = fc.asyncProperty(pictures, parts, fc.nat(), async (picture, lengths, place) => {
    const { bytes, samples } = picture;
    const cut = bytes.subarray(0, place % bytes.length);
    const header = netpbmHeader(cut);
    // So little has no header, or it ends within a number.
    if (header === undefined || samples.length !== header.width * header.height * header.channels) return;
    const found = await decodeNetpbm(header, inParts(cut, lengths));
    if (typeof found === "string") expect(found).toBe("too few samples");
    // A last number may be cut short and still be one.
    else expect([...found].slice(0, -1)).toEqual(samples.slice(0, -1));
  });
  await fc.assert(asCut, { numRuns: 300 });
});

it.each([
  ["P2 2 1 9\n1 x", "a sample that is no number"],
  ["P2 2 1 9\n1 -2", "a sample that is no number"],
  ["P2 2 1 9\n1 10", "a sample of 10 above the largest value 9"],
  ["P1 2 1\n1 2", "a sample of 2 above the largest value 1"],
])("says what is wrong with %j", async (text, fault) => {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  expect(await decodeNetpbm(netpbmHeader(bytes)!, inParts(bytes, [3]))).toBe(fault);
});

it.each([
  ["P5 2 1 9\n", [4, 12], [4, 9]],
  ["P5 2 1 300\n", [1, 0, 255, 255], [256, 300]],
])("takes a sample above the largest value for full brightness (%j)", async (head, body, wanted) => {
  const bytes = Uint8Array.from([...[...head].map((character) => character.charCodeAt(0)), ...body]);
  expect([...(await decodeNetpbm(netpbmHeader(bytes)!, inParts(bytes, [9])))]).toEqual(wanted);
});
