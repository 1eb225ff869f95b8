import type { Photograph } from "@saunet/data";
import { describe, expect, it } from "vitest";
import { autoScale } from "./scale.ts";

/** A bright disc in the dark, cut off at top and bottom. */
function disc(width: number, height: number, diameter: number): Photograph {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (Math.hypot(x + 0.5 - width / 2, y + 0.5 - height / 2) > diameter / 2) continue;
      data.fill(120, 3 * (y * width + x), 3 * (y * width + x) + 3);
    }
  return { width, height, data };
}

describe("autoScale", () => {
  it.each([
    // Sizes and diameters of DRIVE, STARE, CHASE_DB1 and, at half its size, HRF.
    [565, 584, 540],
    [700, 605, 650],
    [999, 960, 940],
    [1752, 1168, 1630],
  ])("of %i x %i with an eye %i across comes from its diameter alone", (width, height, diameter) => {
    const scale = autoScale(disc(width, height, diameter));
    const wanted = Math.max(1050, 720 + diameter / 3) / diameter;
    expect(scale).toBeCloseTo(Math.abs(wanted - 1) < 0.1 ? 1 : wanted, 2);
  });

  it("of an eye that is cut off left and right comes from its height", () => {
    expect(autoScale(disc(584, 700, 690))).toBe(autoScale(disc(700, 584, 690)));
    expect(autoScale(disc(584, 700, 690))).toBeCloseTo(1050 / 690, 2);
  });

  it("falls as pictures grow, so that all come nearer to each other, and leaves some as they are", () => {
    const scales = [300, 600, 1200, 2400].map((size) => autoScale(disc(size, size, size)));
    expect(autoScale(disc(40, 40, 40))).toBe(4);
    expect(scales).toEqual([...scales].sort((a, b) => b - a));
    expect(scales[2]).toBe(1);
    const seen = scales.map((scale, i) => scale * 300 * 2 ** i);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});
