// PNG files as programs that measure expect them, which a canvas does not write: one channel, of 8 or 16 bits.

import { encode } from "fast-png";

/** Black and white: 0 and 255 for 0 and 1. */
export function maskPng(width: number, height: number, mask: Uint8Array): Blob {
  const data = mask.map((marked) => 255 * marked);
  return blobOf(encode({ width, height, data, channels: 1, depth: 8 }));
}

/** Probabilities in 16 bits: 65535 stands for 1. */
export function probabilityPng(width: number, height: number, probability: Float32Array): Blob {
  const data = Uint16Array.from(probability, (p) => Math.round(65535 * p));
  return blobOf(encode({ width, height, data, channels: 1, depth: 16 }));
}

const blobOf = (bytes: Uint8Array): Blob =>
  new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "image/png" });
