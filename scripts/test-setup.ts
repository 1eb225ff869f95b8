// Before every test file: arrays of numbers are compared as bytes, a thousand times as fast as element by element. Only
// arrays that differ go the slow way, which tells where; so do those whose NaNs have other bits.

import { expect } from "vitest";

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

expect.addEqualityTesters([
  (a: unknown, b: unknown): true | undefined => {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return undefined;
    const isSameKind = Object.getPrototypeOf(a) === Object.getPrototypeOf(b);
    return isSameKind && bytesOf(a).equals(bytesOf(b)) ? true : undefined;
  },
]);
