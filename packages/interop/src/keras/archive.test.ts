import { describe, expect, it } from "vitest";
import { isZip } from "./archive.ts";

describe("isZip", () => {
  const signature = [0x50, 0x4b, 3, 4];

  it("wants all four bytes of the signature", () => {
    expect(isZip(Uint8Array.from(signature))).toBe(true);
    expect(isZip(Uint8Array.from([...signature, 0]))).toBe(true);
    for (let i = 0; i < signature.length; i++) {
      expect(isZip(Uint8Array.from(signature.with(i, 9)))).toBe(false);
      expect(isZip(Uint8Array.from(signature.map((byte, at) => (at === i ? byte : 9))))).toBe(false);
      expect(isZip(Uint8Array.from(signature.slice(0, i)))).toBe(false);
    }
  });
});
