import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundingBox, coverage, floatsOf, photographOf } from "./image.ts";

describe("boundingBox", () => {
  it("is around all that is marked, and nowhere where nothing is", () => {
    const data = new Uint8Array(5 * 4);
    expect(boundingBox({ width: 5, height: 4, data })).toBeUndefined();
    data[1 * 5 + 3] = 1;
    expect(boundingBox({ width: 5, height: 4, data })).toEqual({ left: 3, top: 1, width: 1, height: 1 });
    data[2 * 5 + 1] = 1;
    data[2 * 5 + 4] = 1;
    expect(boundingBox({ width: 5, height: 4, data })).toEqual({ left: 1, top: 1, width: 4, height: 2 });
    expect(boundingBox({ width: 5, height: 4, data: data.fill(1) })).toMatchObject({ width: 5, height: 4 });
  });
});

describe("floatsOf and photographOf", () => {
  it("bring bytes to floats and back unchanged", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (data) => {
        const floats = floatsOf({ width: 2, height: 2, data });
        expect(floats.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect([...photographOf(floats, 2, 2).data]).toEqual([...data]);
      }),
    );
  });

  it("lay see-through pixels over black", () => {
    const data = new Uint8Array([255, 255, 255, 0, 255, 0, 51, 255]);
    expect([...floatsOf({ width: 2, height: 1, data })]).toEqual([0, 0, 0, 1, 0, Math.fround(0.2)]);
  });

  it("refuse sizes that do not fit", () => {
    const data = new Uint8Array(10);
    expect(() => floatsOf({ width: 2, height: 2, data })).toThrow(/2 x 2 wants 12 bytes/);
    expect(() => floatsOf({ width: 0, height: 2, data })).toThrow(/width must be an integer of at least 1/);
    expect(() => photographOf(new Float32Array(16), 2, 2)).toThrow(
      "photographOf: floats must be [2,2,3] but has 16 numbers",
    );
  });
});

describe("coverage", () => {
  const mask = (...data: number[]) => ({ width: 2, height: 2, data: Uint8Array.from(data) });

  it("is the share of marked pixels, within another mask or everywhere", () => {
    expect(coverage(mask(1, 0, 0, 0))).toBe(0.25);
    expect(coverage(mask(1, 0, 0, 1), mask(1, 1, 0, 0))).toBe(0.5);
    expect(coverage(mask(1, 1, 1, 1), mask(0, 0, 0, 0))).toBe(0);
  });

  it("refuses masks of different size", () => {
    const other = { width: 1, height: 4, data: new Uint8Array(4) };
    expect(() => coverage(mask(1, 0, 0, 0), other)).toThrow("coverage: mask is 2 x 2 but within is 1 x 4");
  });
});
