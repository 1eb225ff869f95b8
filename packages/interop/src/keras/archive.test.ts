import { BlobWriter, TextReader, ZipWriter } from "@zip.js/zip.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { isZip, unpackKeras } from "./archive.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("unpackKeras", () => {
  it("starts no workers of its own, which pages may forbid", async () => {
    let started = 0;
    vi.stubGlobal(
      "Worker",
      class {
        constructor() {
          started++;
          throw new Error("forbidden");
        }
      },
    );
    const writer = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
    const parts = { "config.json": "{}".padEnd(1000), "model.weights.h5": "\x7f".repeat(4) };
    for (const [name, text] of Object.entries(parts)) await writer.add(name, new TextReader(text));
    const bytes = new Uint8Array(await (await writer.close()).arrayBuffer());
    const { config, metadata, weights } = await unpackKeras(bytes);
    expect([config.trim(), metadata, [...weights]]).toEqual(["{}", "{}", [127, 127, 127, 127]]);
    expect(started).toBe(0);
  });
});

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
