import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { isGzip, unpack } from "./gzip.ts";

const packed = (bytes: Uint8Array) => new Blob([Uint8Array.from(gzipSync(bytes))]);

describe("unpack", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * i) % 251);

  it("gives what was packed", async () => {
    expect(isGzip(gzipSync(bytes))).toBe(true);
    expect(isGzip(bytes)).toBe(false);
    expect(await unpack(packed(bytes))).toEqual(bytes);
  });

  it("stops where there is too much", async () => {
    expect(await unpack(packed(bytes), bytes.length - 1)).toBeUndefined();
    expect(await unpack(packed(bytes), bytes.length)).toEqual(bytes);
  });

  it("refuses what is cut short", async () => {
    const whole = gzipSync(bytes);
    await expect(unpack(new Blob([Uint8Array.from(whole.subarray(0, whole.length / 2))]))).rejects.toThrow();
  });
});
