// Synthetic eyes know where their disc is; photographs were looked at by eye (docs/measure.md).

import { randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { flipValues } from "../flip.ts";
import type { Mask } from "../image.ts";
import { layOut, type View } from "../synthetic/anatomy.ts";
import { syntheticFundus } from "../synthetic.ts";
import { findDisc } from "./find-disc.ts";

const size = { width: 120, height: 114 };
const look = (seed: number, view: View, { width, height } = size) => {
  const eye = syntheticFundus({ width, height, seed, view });
  const { disc, discRadius } = layOut(width, height, view, randomState(seed, 0));
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

  it("looks at large pictures through smaller ones, and tells places in the large one", () => {
    const { eye, true: wanted } = look(3, "disc", { width: 320, height: 300 });
    const { disc } = findDisc(eye.image, eye.vessels, eye.fieldOfView)!;
    expect(Math.hypot(disc.x - wanted.x, disc.y - wanted.y)).toBeLessThan(0.6 * wanted.radius);
    expect(disc.radius / wanted.radius).toBeGreaterThan(0.6);
    expect(disc.radius / wanted.radius).toBeLessThan(1.5);
  });

  it("is not sure where there is no disc: noise, an even picture", () => {
    const { eye } = look(3, "disc");
    const even = { ...size, data: new Uint8Array(3 * 120 * 114).fill(120) };
    const noise = { ...even, data: even.data.map((_, i) => (Math.imul(i, 2654435761) >>> 24) & 255) };
    const none = { ...size, data: new Uint8Array(120 * 114) };
    for (const image of [even, noise]) {
      expect(findDisc(image, eye.vessels, eye.fieldOfView)?.doubt).toBeDefined();
      expect(findDisc(image, none, eye.fieldOfView)?.doubt).toBeDefined();
    }
  });

  it("is not sure where a lesion is as bright as the disc, nor without vessels", () => {
    const { eye, true: disc } = look(3, "disc");
    const lesion = { ...eye.image, data: Uint8Array.from(eye.image.data) };
    for (let y = 0; y < 114; y++)
      for (let x = 0; x < 120; x++) {
        // As far from the disc as the eye is seen.
        if (Math.hypot(x - 90, y - 72) < 7 && Math.hypot(x - disc.x, y - disc.y) > 18)
          lesion.data.fill(255, 3 * (120 * y + x), 3 * (120 * y + x) + 3);
      }
    const doubted = findDisc(lesion, eye.vessels, eye.fieldOfView);
    expect(doubted?.doubt).toBeDefined();
    const none = { ...eye.vessels, data: new Uint8Array(120 * 114) };
    expect(findDisc(eye.image, none, eye.fieldOfView)?.doubt).toContain("few vessels come together there");
  });

  it("has nothing to say of a tiny field of view, and refuses another size", () => {
    const { eye } = look(1, "disc");
    const tiny = { ...size, data: eye.fieldOfView.data.map((_, i) => (i < 50 ? 1 : 0)) };
    expect(findDisc(eye.image, eye.vessels, tiny)).toBeUndefined();
    const twofold = { ...size, data: eye.vessels.data.map((value) => 2 * value) };
    expect(() => findDisc(eye.image, twofold, eye.fieldOfView)).toThrow(
      "findDisc: vessels must hold 0 and 1 but holds 2",
    );
    expect(() => findDisc(eye.image, eye.vessels, twofold)).toThrow(
      "findDisc: fieldOfView must hold 0 and 1 but holds 2",
    );
    expect(() => findDisc(eye.image, { width: 1, height: 1, data: new Uint8Array(1) }, tiny)).toThrow(
      /findDisc: vessels/,
    );
  });

  /** The pixels of the eye within so many of the field's edge, seen from one side. */
  const alongRim = (field: Mask, [dx, dy]: readonly [number, number], reach: number) =>
    Array.from(field.data.keys()).filter((pixel) => {
      const [x, y] = [(pixel % field.width) + reach * dx, Math.floor(pixel / field.width) + reach * dy];
      const isOutside = x < 0 || y < 0 || x >= field.width || y >= field.height;
      return field.data[pixel] === 1 && (isOutside || field.data[y * field.width + x] === 0);
    });

  it.each([
    ["left", [-1, 0]],
    ["right", [1, 0]],
    ["top", [0, -1]],
    ["bottom", [0, 1]],
  ] as const)("takes no reflex along the %s rim of the field of view for a disc", (_, direction) => {
    for (const seed of [3, 5]) {
      const { eye } = look(seed, "disc");
      const own = findDisc(eye.image, eye.vessels, eye.fieldOfView)!;
      const [image, vessels] = [Uint8Array.from(eye.image.data), Uint8Array.from(eye.vessels.data)];
      for (const pixel of alongRim(eye.fieldOfView, direction, 3)) {
        image.fill(255, 3 * pixel, 3 * pixel + 3);
        vessels[pixel] = 1;
      }
      const found = findDisc({ ...size, data: image }, { ...size, data: vessels }, eye.fieldOfView)!;
      expect(Math.hypot(found.disc.x - own.disc.x, found.disc.y - own.disc.y), `seed ${seed}`).toBeLessThan(
        8,
      );
    }
  });

  it("finds in a mirrored eye the mirrored disc", () => {
    for (const seed of [3, 4]) {
      const { eye } = look(seed, "disc");
      const { disc } = findDisc(eye.image, eye.vessels, eye.fieldOfView)!;
      for (const flip of [{ horizontal: true }, { vertical: true }]) {
        const of = (data: Uint8Array | Uint8ClampedArray, channels = 1) => ({
          ...size,
          data: flipValues(data, new Uint8Array(data.length), { ...size, channels }, flip),
        });
        const found = findDisc(of(eye.image.data, 3), of(eye.vessels.data), of(eye.fieldOfView.data))!;
        const x = flip.horizontal ? size.width - 1 - found.disc.x : found.disc.x;
        const y = flip.vertical ? size.height - 1 - found.disc.y : found.disc.y;
        // The places that are tried begin at one side, 2.5 pixels of the shrunk picture apart.
        expect(Math.hypot(x - disc.x, y - disc.y), `seed ${seed}`).toBeLessThan(5);
      }
    }
  });

  it("does not mind a black border, nor less light, nor whether the picture is see-through", () => {
    const { eye } = look(3, "disc");
    const plain = findDisc(eye.image, eye.vessels, eye.fieldOfView)!;
    const border = 24;
    const wide = { width: size.width + 2 * border, height: size.height + border };
    const framed = (data: Uint8Array | Uint8ClampedArray, channels: number) => {
      const out = new Uint8Array(wide.width * wide.height * channels);
      for (let y = 0; y < size.height; y++) {
        const row = data.subarray(y * size.width * channels, (y + 1) * size.width * channels);
        out.set(row, (y * wide.width + border) * channels);
      }
      return { ...wide, data: out };
    };
    const found = findDisc(
      framed(eye.image.data, 3),
      framed(eye.vessels.data, 1),
      framed(eye.fieldOfView.data, 1),
    )!;
    expect(found.doubt).toBe(plain.doubt);
    expect(Math.hypot(found.disc.x - border - plain.disc.x, found.disc.y - plain.disc.y)).toBeLessThan(5);
    const dark = { ...size, data: Uint8Array.from(eye.image.data, (value) => Math.round(value * 0.6)) };
    const dim = findDisc(dark, eye.vessels, eye.fieldOfView)!;
    expect(Math.hypot(dim.disc.x - plain.disc.x, dim.disc.y - plain.disc.y)).toBeLessThan(4);
    const rgba = new Uint8Array(4 * size.width * size.height).fill(255);
    for (let pixel = 0; pixel < size.width * size.height; pixel++)
      rgba.set(eye.image.data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    const other = findDisc({ ...size, data: rgba }, eye.vessels, eye.fieldOfView)!;
    expect(Math.hypot(other.disc.x - plain.disc.x, other.disc.y - plain.disc.y)).toBeLessThan(1e-3);
    expect(other.disc.radius).toBeCloseTo(plain.disc.radius, 6);
  });
});
