import { expect, it } from "vitest";
import { encodeNpy } from "./npy.ts";

// What numpy.save of NumPy 2.4 wrote for the same arrays, up to its data.
const header = (text: string) => `\x93NUMPY\x01\x00v\x00${text.padEnd(117)}\n`;

it.each([
  [
    [2, 3],
    Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5),
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
  ],
  [[3], Uint8Array.of(0, 1, 2), "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"],
  [[1, 2, 2], new Float32Array(4), "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2), }"],
])("writes the bytes that NumPy writes: %j", (shape, data, text) => {
  const bytes = Buffer.from(encodeNpy({ shape, data }));
  expect(bytes.toString("latin1", 0, 128)).toBe(header(text));
  expect(bytes.subarray(128)).toEqual(Buffer.from(data.buffer));
});
