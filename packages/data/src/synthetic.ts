// Synthetic fundus photographs whose vessels are known exactly.
//
// Anatomy, vessels, background and camera each draw from a random stream of their own, so a change in one leaves the
// others as they were. Equal seeds give equal bytes under one JavaScript engine (engines differ in the last bit of
// Math.exp and its like).

import { normal, type RandomState, randomState } from "@saunet/core";
import { expectInteger } from "@saunet/core/kernels";
import type { ClassMap, Mask, Photograph } from "./image.ts";
import { type Anatomy, between, layOut, type View } from "./synthetic/anatomy.ts";
import { paintBackground } from "./synthetic/background.ts";
import { drawVessels } from "./synthetic/draw-vessels.ts";
import { blur } from "./synthetic/noise.ts";
import { growVessels } from "./synthetic/vessel-tree.ts";

export type { View };

/** Which photograph to make. */
export interface SyntheticOptions {
  /** An integer from 0 to 2^53 - 1: another eye, another camera. */
  readonly seed: number;
  /** Size in pixels, at least 32; default: 592 x 592. */
  readonly width?: number;
  readonly height?: number;
  /** What the camera is turned to; default: drawn from the seed. */
  readonly view?: View;
}

/** A photograph with its exact truth. */
export interface SyntheticFundus {
  readonly image: Photograph;
  readonly vessels: Mask;
  /** Arteries and veins told apart, see {@link SYNTHETIC_CLASSES}; where they cross, the deeper one shows. */
  readonly classes: ClassMap;
  readonly fieldOfView: Mask;
}

/** What the numbers in {@link SyntheticFundus.classes} mean. Arteries are narrower and brighter than the veins beside them. */
export const SYNTHETIC_CLASSES = ["background", "artery", "vein"] as const;

/** Vessels take less red and less blue light away than green: shares of green's optical depth. */
const RED_DEPTH = 0.17;
const BLUE_DEPTH = 0.5;

/**
 * Makes a fundus photograph with its vessels, arteries told from veins.
 *
 * @throws RangeError on a size below 32 or a seed that is no such integer
 * @example
 * const { image, vessels, fieldOfView } = syntheticFundus({ seed: 7, width: 64, height: 64 });
 * console.log(image.data.length, vessels.data.length, fieldOfView.data[0]); // 12288 4096 0
 */
export function syntheticFundus({
  seed,
  width = 592,
  height = 592,
  view,
}: SyntheticOptions): SyntheticFundus {
  expectInteger("syntheticFundus", "width", width, 32);
  expectInteger("syntheticFundus", "height", height, 32);
  const stream = (number: number): RandomState => randomState(seed, number);
  const anatomy = layOut(width, height, view, stream(0));
  const vessels = drawVessels(growVessels(anatomy, stream(1)), width, height, stream(2));
  const light = paintBackground(anatomy, stream(3));
  for (let pixel = 0; pixel < vessels.depth.length; pixel++) {
    const depth = vessels.depth[pixel];
    if (depth === 0) continue;
    light[pixel * 3] = light[pixel * 3] * Math.exp(-RED_DEPTH * depth);
    light[pixel * 3 + 1] = light[pixel * 3 + 1] * Math.exp(-depth);
    light[pixel * 3 + 2] = light[pixel * 3 + 2] * Math.exp(-BLUE_DEPTH * depth);
  }
  const fieldOfView = { width, height, data: fieldOf(anatomy) };
  const classes = vessels.kinds.map((kind, pixel) => kind * fieldOfView.data[pixel]);
  return {
    image: expose(light, anatomy, stream(4)),
    vessels: { width, height, data: classes.map((kind) => (kind === 0 ? 0 : 1)) },
    classes: { width, height, data: classes },
    fieldOfView,
  };
}

function fieldOf({ width, height, centre, radius }: Anatomy): Uint8Array {
  const field = new Uint8Array(width * height);
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      field[pixel] = Math.hypot(x + 0.5 - centre.x, y + 0.5 - centre.y) < radius ? 1 : 0;
    }
  return field;
}

/** What the camera makes of the light: round aperture, noise, unsharpness, 8 bits. */
function expose(light: Float32Array, anatomy: Anatomy, state: RandomState): Photograph {
  const { width, height, centre, radius } = anatomy;
  const grain = between(state, 0.009, 0.026);
  const unsharpness = between(state, 0.58, 0.8);
  const surround = [between(state, 0, 0.03), between(state, 0, 0.02), between(state, 0, 0.02)] as const;
  const noise = normal([height, width, 3], state, { deviation: grain }).data;
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const open = Math.min(
        1,
        Math.max(0, radius + 0.5 - Math.hypot(x + 0.5 - centre.x, y + 0.5 - centre.y)),
      );
      for (let c = 0; c < 3; c++, i++) {
        light[i] = open * (light[i] + noise[i]) + (1 - open) * (surround[c] + 0.3 * noise[i]);
      }
    }
  blur(light, width, height, 3, unsharpness);
  const data = new Uint8ClampedArray(light.length);
  for (let i = 0; i < data.length; i++) data[i] = light[i] * 255;
  return { width, height, data };
}
