// Turns centrelines into pixels: how much light the vessels take away, and the exact mask.
//
// A segment of a vessel is a capsule whose radius runs from one end's to the other's. A pixel is covered as far as its
// centre lies inside, softened over one pixel; it belongs to the mask where its centre lies inside, which is where the
// coverage passes one half.

import type { RandomState } from "@saunet/core";
import { between } from "./anatomy.ts";
import type { Vessel } from "./vessel-tree.ts";

/** What the vessels do to each pixel. */
export interface VesselLayer {
  /** Optical depth in green light: the photograph is multiplied by exp(-depth). */
  readonly depth: Float32Array;
  /** The kind of vessel that the pixel's centre lies inside: 1 for an artery, 2 for a vein, 0 for neither. */
  readonly kinds: Uint8Array;
}

/** Narrower vessels are drawn this wide, and so leave no gaps in the mask; being narrow, they are faint. */
const LEAST_RADIUS = 0.55;

const [ARTERY, VEIN] = [1, 2];

/** Draws all vessels. Where an artery and a vein cross, the deeper one shows, and the other darkens it a little. */
export function drawVessels(
  vessels: readonly Vessel[],
  width: number,
  height: number,
  state: RandomState,
): VesselLayer {
  const widest = vessels.reduce((most, vessel) => Math.max(most, vessel.width[0] ?? 0), 0);
  const strongest = between(state, 0.4, 0.7);
  const reflexes = { artery: between(state, 0.2, 0.6), vein: between(state, 0, 0.25) };
  const pen = new Pen(width, height);
  const inside = { artery: new Uint8Array(width * height), vein: new Uint8Array(width * height) };
  const layers = { artery: new Float32Array(width * height), vein: new Float32Array(width * height) };
  for (const vessel of vessels) {
    const strength = strongest * between(state, 0.85, 1.15) * (vessel.kind === "artery" ? 0.85 : 1);
    const reflex = reflexes[vessel.kind];
    const layer = layers[vessel.kind];
    pen.draw(vessel, (pixel, gap, radius) => {
      const cover = Math.min(1, radius + 0.5 - gap);
      // Blood is deepest along the middle; a narrow vessel holds less of it, but not in proportion.
      const chord = 0.65 + 0.35 * Math.sqrt(Math.max(0, 1 - (gap / (radius + 0.5)) ** 2));
      const fullness = 0.45 + 0.55 * Math.min(1, (2 * radius) / widest);
      const depth = strength * cover * chord * fullness * (1 - reflex * shine(gap, radius));
      if (depth > layer[pixel]) layer[pixel] = depth;
      if (gap < radius) inside[vessel.kind][pixel] = 1;
    });
  }
  const kinds = new Uint8Array(width * height);
  const depth = layers.vein;
  for (let pixel = 0; pixel < depth.length; pixel++) {
    const artery = layers.artery[pixel];
    const vein = depth[pixel];
    const isArtery = inside.artery[pixel] === 1 && (inside.vein[pixel] === 0 || artery > vein);
    kinds[pixel] = isArtery ? ARTERY : VEIN * inside.vein[pixel];
    depth[pixel] = Math.max(artery, vein) + 0.35 * Math.min(artery, vein);
  }
  return { depth, kinds };
}

/** The light reflex along the middle of a wide vessel, from 0 to 1. */
function shine(gap: number, radius: number): number {
  const wide = Math.min(1, Math.max(0, (radius - 1.2) / 1.2));
  return wide * Math.exp(-((gap / (0.35 * radius)) ** 2));
}

/** Finds the pixels of one vessel after the other, each with its distance to the nearest piece of centreline. */
class Pen {
  readonly #width: number;
  readonly #height: number;
  readonly #gap: Float32Array;
  readonly #radius: Float32Array;
  #touched: number[] = [];

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#gap = new Float32Array(width * height).fill(Number.POSITIVE_INFINITY);
    this.#radius = new Float32Array(width * height);
  }

  draw(vessel: Vessel, paint: (pixel: number, gap: number, radius: number) => void): void {
    for (let i = 1; i < vessel.x.length; i++) this.#segment(vessel, i);
    for (const pixel of this.#touched) {
      paint(pixel, this.#gap[pixel], this.#radius[pixel]);
      this.#gap[pixel] = Number.POSITIVE_INFINITY;
    }
    this.#touched = [];
  }

  #segment(vessel: Vessel, end: number): void {
    const [x0, y0, r0] = [
      vessel.x[end - 1],
      vessel.y[end - 1],
      Math.max(LEAST_RADIUS, vessel.width[end - 1] / 2),
    ];
    const r1 = Math.max(LEAST_RADIUS, vessel.width[end] / 2);
    const [dx, dy, dr] = [vessel.x[end] - x0, vessel.y[end] - y0, r1 - r0];
    const reach = Math.max(r0, r0 + dr) + 0.5;
    const left = Math.max(0, Math.floor(Math.min(x0, x0 + dx) - reach));
    const right = Math.min(this.#width - 1, Math.floor(Math.max(x0, x0 + dx) + reach));
    const top = Math.max(0, Math.floor(Math.min(y0, y0 + dy) - reach));
    const bottom = Math.min(this.#height - 1, Math.floor(Math.max(y0, y0 + dy) + reach));
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++) {
        const [px, py] = [column + 0.5 - x0, row + 0.5 - y0];
        const t = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy)));
        const gap = Math.hypot(px - t * dx, py - t * dy);
        const radius = r0 + t * dr;
        const pixel = row * this.#width + column;
        if (gap >= radius + 0.5 || gap >= this.#gap[pixel]) continue;
        if (this.#gap[pixel] === Number.POSITIVE_INFINITY) this.#touched.push(pixel);
        this.#gap[pixel] = gap;
        this.#radius[pixel] = radius;
      }
  }
}
