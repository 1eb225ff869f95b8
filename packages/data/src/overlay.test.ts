import { describe, expect, it } from "vitest";
import { overlay } from "./overlay.ts";

const mask = { width: 2, height: 1, data: new Uint8Array([0, 1]) };

describe("overlay", () => {
  it("colours the mask's pixels and leaves the rest, alpha and the original alone", () => {
    const data = new Uint8Array([1, 2, 3, 9, 1, 2, 3, 9]);
    const photograph = { width: 2, height: 1, data };
    const drawn = overlay(photograph, mask, { colour: [101, 102, 103], opacity: 0.5 });
    expect([...drawn.data]).toEqual([1, 2, 3, 9, 51, 52, 53, 9]);
    expect([...data]).toEqual([1, 2, 3, 9, 1, 2, 3, 9]);
    expect([...overlay(photograph, mask, { opacity: 1 }).data.subarray(4, 7)]).toEqual([0, 255, 120]);
  });

  it("refuses a mask of another size", () => {
    const photograph = { width: 1, height: 1, data: new Uint8Array(3) };
    expect(() => overlay(photograph, mask)).toThrow("overlay: mask is 2 x 1 but the photograph is 1 x 1");
  });
});
