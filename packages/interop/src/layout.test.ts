// Whose file it is: told from its first bytes, and named where it is neither Keras's nor PyTorch's.

import { describe, expect, it } from "vitest";
import { ImportError, printable } from "./errors.ts";
import { expectBytes, expectLayout, layoutOf } from "./layout.ts";
import { permute } from "./permute.ts";
import { kindOf, type SourceArray } from "./source.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const NEITHER = "neither Keras's (HDF5 or .keras) nor a safetensors file";

const HEADS: Readonly<Record<string, readonly [head: string, layout: string | undefined, name: string]>> = {
  hdf5: ["\x89HDF\r\n\x1a\n", "keras", "an HDF5 file, as Keras writes them (.h5)"],
  zip: ["PK\x03\x04", "keras", "a zip archive"],
  safetensors: ["\x02\0\0\0\0\0\0\0{}", "torch", "a safetensors file"],
  onnx: ["\x08\x07\x12\x07pytorch", undefined, "an ONNX model"],
  numpy: ["\x93NUMPY\x01\x00", undefined, "a file of NumPy (.npy, .npz)"],
  gzip: ["\x1f\x8b\x08", undefined, "compressed with gzip"],
  html: ["<!doctype html>", undefined, "a web page"],
  picture: ["\xff\xd8\xff\xe0", undefined, "a picture"],
  pointer: [
    "version https://git-lfs.github.com/spec/v1",
    undefined,
    "a Git LFS pointer, not the file that it stands for",
  ],
};

describe.each(Object.entries(HEADS))("%s", (_, [head, layout, name]) => {
  it("is told, and refused where another is wanted", () => {
    expect(layoutOf(bytes(head))).toBe(layout);
    const refusal = (wanted?: "keras" | "torch") => {
      try {
        expectLayout(bytes(head), wanted);
      } catch (error) {
        expect(error).toBeInstanceOf(ImportError);
        return (error as Error).message;
      }
      return undefined;
    };
    expect(refusal()).toBe(layout === undefined ? `is ${name}, ${NEITHER}` : undefined);
    expect(refusal("keras")).toBe(
      layout === "keras" ? undefined : `is ${name}, not Keras's (HDF5 or .keras)`,
    );
    expect(refusal("torch")).toBe(layout === "torch" ? undefined : `is ${name}, not a safetensors file`);
  });
});

it("says of programs that they are some, whatever is wanted", () => {
  const program =
    /^is (a Python pickle|a PyTorch checkpoint \(\.pth, \.pt\)), a program rather than data: docs\/interop\.md says how/;
  for (const head of ["\x80\x04\x95", "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."])
    for (const layout of [undefined, "keras", "torch"] as const)
      expect(() => expectLayout(bytes(head), layout)).toThrow(program);
});

it("says of what nobody knows what was wanted", () => {
  expect(layoutOf(bytes("nothing"))).toBeUndefined();
  expect(() => expectLayout(bytes("nothing"))).toThrow(new ImportError(`is ${NEITHER}`));
  expect(() => expectLayout(bytes("nothing"), "torch")).toThrow(new ImportError("is not a safetensors file"));
  expectBytes("read", bytes("x"));
  expect(() => expectBytes("read", "x")).toThrow(
    new TypeError("read: bytes must be a Uint8Array; loadBytes takes paths and URLs"),
  );
});

it("shows nothing of a file that could steer a terminal, nor what is endless", () => {
  expect(printable("a\u001b[1m\u202eb\u2028c")).toBe("a?[1m?b?c");
  expect(printable("x".repeat(800))).toBe("x".repeat(800));
  expect(printable("x".repeat(801))).toBe(`${"x".repeat(800)} …`);
  expect(String(new ImportError("a\nb"))).toBe("ImportError: a?b");
});

it("tells layers by their arrays, and filters apart where the file does", () => {
  const array = (...shape: number[]): SourceArray => ({ shape, values: new Float32Array(0) });
  const filter = array(3, 3, 1, 1);
  expect([undefined, true, false].map((told) => kindOf({ filter }, told))).toEqual([
    "filter",
    "transposed",
    "convolution",
  ]);
  expect(kindOf({ filter: array(3, 3) }, true)).toBe("other");
  const vectors = { gamma: array(1), beta: array(1) };
  expect(kindOf(vectors)).toBe("normalization");
  expect([kindOf({ gamma: array(1) }), kindOf({ beta: array(1) }), kindOf({})]).toEqual([
    "other",
    "other",
    "other",
  ]);
});

it("exchanges axes as their order says", () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => i);
  const shape = [2, 3, 4];
  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
    [2, 1, 0],
    [1, 0, 2],
  ]) {
    const found = permute(values, shape, order);
    const [A, B, C] = order.map((axis) => shape[axis]);
    for (let a = 0; a < A; a++)
      for (let b = 0; b < B; b++)
        for (let c = 0; c < C; c++) {
          const place = [0, 0, 0];
          [a, b, c].forEach((at, axis) => {
            place[order[axis]] = at;
          });
          expect(found[(a * B + b) * C + c]).toBe((place[0] * 3 + place[1]) * 4 + place[2]);
        }
  }
});
