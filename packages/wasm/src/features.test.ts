import { setFlagsFromString } from "node:v8";
import { describe, expect, test } from "vitest";
import { detectFeatures } from "./features.ts";

const available = { available: true };

describe("this host", () => {
  test("has SIMD, bulk memory and threads", () => {
    const features = detectFeatures();
    expect(features).toMatchObject({ simd: available, bulkMemory: available, threads: available });
    expect(Object.isFrozen(features)).toBe(true);
  });

  test("has relaxed SIMD once it is switched on", () => {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
    expect(detectFeatures().relaxedSimd).toEqual(available);
  });
});

describe("a host", () => {
  test("without WebAssembly has nothing, and says so", () => {
    const features = detectFeatures({ SharedArrayBuffer });
    const reasons = new Set(Object.values(features).map((feature) => !feature.available && feature.reason));
    expect([...reasons]).toEqual(["this host has no WebAssembly"]);
  });

  test("that refuses some bytes lacks just what they are for", () => {
    const features = detectFeatures({ SharedArrayBuffer, WebAssembly: { validate: () => false } });
    expect(Object.values(features).map((feature) => !feature.available && feature.reason)).toEqual([
      "this host's WebAssembly has no SIMD",
      "this host's WebAssembly has no relaxed SIMD",
      "this host's WebAssembly has no bulk memory instructions",
      "this host's WebAssembly has no atomic instructions",
    ]);
  });

  test("that may not share memory has no threads", () => {
    const page = detectFeatures({ WebAssembly, crossOriginIsolated: false });
    expect(page.simd).toEqual(available);
    expect(page.threads).toMatchObject({
      available: false,
      reason: expect.stringContaining("cross-origin isolated"),
    });
    expect(detectFeatures({ WebAssembly }).threads).toEqual({
      available: false,
      reason: "this host has no SharedArrayBuffer",
    });
    expect(detectFeatures({ WebAssembly, SharedArrayBuffer, crossOriginIsolated: true }).threads).toEqual(
      available,
    );
  });
});
