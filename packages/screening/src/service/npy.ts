// NumPy's file format, version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

import type { PhotographArray } from "saunet/internal";

/** The magic string, two bytes of version and two for the length of the header. */
const PREFIX = 10;
/** Where the data begin is a multiple of this. */
const ALIGNMENT = 64;

/** An array as the bytes of a .npy file. */
export function encodeNpy({ shape, data }: PhotographArray): Uint8Array {
  const type = data instanceof Float32Array ? "<f4" : "|u1";
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((PREFIX + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const file = Buffer.alloc(start + data.byteLength);
  file.write("\x93NUMPY\x01\x00", 0, "latin1");
  file.writeUInt16LE(start - PREFIX, 8);
  file.write(`${text.padEnd(start - PREFIX - 1)}\n`, PREFIX, "latin1");
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return file;
}
