import { isHdf5 } from "./hdf5/read.ts";
import { isZip } from "./keras/archive.ts";

/** `{`, with which the header of a safetensors file begins behind its length. */
const BRACE = 0x7b;

/**
 * Whose layout a file has, told from its first bytes: Keras's HDF5 and archives, or PyTorch's state dict in a
 * safetensors file; `undefined` where it is neither.
 *
 * @example
 * console.log(layoutOf(new TextEncoder().encode("PK\x03\x04"))); // keras
 */
export function layoutOf(bytes: Uint8Array): "keras" | "torch" | undefined {
  if (isHdf5(bytes) || isZip(bytes)) return "keras";
  return bytes[8] === BRACE ? "torch" : undefined;
}
