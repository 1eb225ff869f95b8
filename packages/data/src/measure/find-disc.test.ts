// Synthetic eyes know where their disc is; photographs were looked at by eye (docs/measure.md).

import { randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { layOut, type View } from "../synthetic/anatomy.ts";
import { syntheticFundus } from "../synthetic.ts";
import { findDisc } from "./find-disc.ts";

const size = { width: 200, height: 190 };
const look = (seed: number, view: View) => {
  const eye = syntheticFundus({ ...size, seed, view });
  const { disc, discRadius } = layOut(size.width, size.height, view, randomState(seed, 0));
  // Of the anatomy pixel centres lie at halves.
  return { eye, true: { x: disc.x - 0.5, y: disc.y - 0.5, radius: discRadius } };
};

describe("findDisc", () => {
  it.each(["disc", "macula"] as const)(
    "finds the disc of synthetic eyes turned to the %s, where it is sure",
    (view) => {
      let sure = 0;
      for (let seed = 1; seed <= 6; seed++) {
        const { eye, true: wanted } = look(seed, view);
        const found = findDisc(eye.image, eye.vessels, eye.fieldOfView);
        if (found === undefined || found.doubt !== undefined) continue;
        sure++;
        const { x, y, radius } = found.disc;
        expect(Math.hypot(x - wanted.x, y - wanted.y), `place, seed ${seed}`).toBeLessThan(
          0.6 * wanted.radius,
        );
        expect(radius / wanted.radius, `radius, seed ${seed}`).toBeGreaterThan(0.6);
        expect(radius / wanted.radius, `radius, seed ${seed}`).toBeLessThan(1.5);
      }
      expect(sure).toBeGreaterThanOrEqual(3);
    },
  );

  it("is not sure where there is no disc: noise, an even picture", () => {
    const { eye } = look(3, "disc");
    const even = { ...size, data: new Uint8Array(3 * 200 * 190).fill(120) };
    const noise = { ...even, data: even.data.map((_, i) => (Math.imul(i, 2654435761) >>> 24) & 255) };
    const none = { ...size, data: new Uint8Array(200 * 190) };
    for (const image of [even, noise]) {
      expect(findDisc(image, eye.vessels, eye.fieldOfView)?.doubt).toBeDefined();
      expect(findDisc(image, none, eye.fieldOfView)?.doubt).toBeDefined();
    }
  });

  it("is not sure where a lesion is as bright as the disc, nor without vessels", () => {
    const { eye, true: disc } = look(3, "disc");
    const lesion = { ...eye.image, data: Uint8Array.from(eye.image.data) };
    for (let y = 0; y < 190; y++)
      for (let x = 0; x < 200; x++) {
        // As far from the disc as the eye is seen.
        if (Math.hypot(x - 150, y - 120) < 12 && Math.hypot(x - disc.x, y - disc.y) > 30)
          lesion.data.fill(255, 3 * (200 * y + x), 3 * (200 * y + x) + 3);
      }
    const doubted = findDisc(lesion, eye.vessels, eye.fieldOfView);
    expect(doubted?.doubt).toBeDefined();
    const none = { ...eye.vessels, data: new Uint8Array(200 * 190) };
    expect(findDisc(eye.image, none, eye.fieldOfView)?.doubt).toContain("few vessels come together there");
  });

  it("has nothing to say of a tiny field of view, and refuses another size", () => {
    const { eye } = look(1, "disc");
    const tiny = { ...size, data: eye.fieldOfView.data.map((_, i) => (i < 50 ? 1 : 0)) };
    expect(findDisc(eye.image, eye.vessels, tiny)).toBeUndefined();
    expect(() => findDisc(eye.image, { width: 1, height: 1, data: new Uint8Array(1) }, tiny)).toThrow(
      /findDisc: vessels/,
    );
  });
});
