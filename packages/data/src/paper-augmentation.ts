// The augmentation that SA-UNetv2 was trained with: made once, before training, thirteen pictures of each photograph. It is
// that of the first SA-UNet, whose scripts draw with Pillow; the formulas here are Pillow's (libImaging's Geometry.c, Blend.c
// and Filter.c, and ImageEnhance.py), and fixtures that it drew hold them to it.
//
//   the photograph itself
//   3 rotations    by 1 to 359 degrees, cubic for the photograph and nearest for labels; the frame stays, corners are black
//   3 jitters      colour 0 to 3, brightness 1 to 2, contrast 1 to 2, sharpness 0 to 3, in tenths, one after the other
//   3 noises       normal with mean 0.2 and deviation 0.3 levels of 255, cut off to integers: three quarters of all
//                  samples stay as they are, and hardly one goes by more than a level
//   3 flips        left and right, upside down, and both

import { draw, type RandomState } from "@saunet/core";
import { type Flip, flipValues } from "./flip.ts";
import { channelsOf, expectSameSize, floatsOf, type Mask, type Photograph, photographOf } from "./image.ts";

/** A photograph with its labels, and what was done to it. */
export interface PaperVariant {
  /** `original`, `rotation-1` … `rotation-3`, `jitter-1` …, `noise-1` …, `flip-horizontal`, `-vertical`, `-both` */
  readonly name: string;
  readonly photograph: Photograph;
  readonly vessels: Mask;
  readonly fieldOfView: Mask;
}

/** How often each random operation is applied. */
const TIMES = 3;

/**
 * The thirteen pictures that the paper makes of one.
 *
 * @param state moved on by the draws; equal states give equal pictures
 * @throws ShapeError where the sizes differ
 * @example
 * const { image, vessels, fieldOfView } = syntheticFundus({ seed: 1, width: 32, height: 32 });
 * const variants = paperAugmentation(image, vessels, fieldOfView, randomState(1));
 * console.log(variants.length, variants[1].name); // 13 rotation-1
 */
export function paperAugmentation(
  photograph: Photograph,
  vessels: Mask,
  fieldOfView: Mask,
  state: RandomState,
): PaperVariant[] {
  expectSameSize("paperAugmentation", "vessels", vessels, "the photograph", photograph);
  expectSameSize("paperAugmentation", "fieldOfView", fieldOfView, "the photograph", photograph);
  const original = { photograph: rgbOf(photograph), vessels, fieldOfView };
  const times = (name: string, vary: () => Omit<PaperVariant, "name">) =>
    Array.from({ length: TIMES }, (_, i) => ({ name: `${name}-${i + 1}`, ...vary() }));
  const { width, height } = photograph;
  const flipped = (name: string, flip: Flip) => {
    const flippedBytes = (bytes: Bytes, channels: number) => ({
      width,
      height,
      data: flipValues(bytes, new Uint8Array(bytes.length), { width, height, channels }, flip),
    });
    return {
      name: `flip-${name}`,
      photograph: flippedBytes(original.photograph.data, 3),
      vessels: flippedBytes(vessels.data, 1),
      fieldOfView: flippedBytes(fieldOfView.data, 1),
    };
  };
  return [
    { name: "original", ...original },
    ...times("rotation", () => {
      const degrees = integerBetween(1, 359, state);
      return {
        photograph: rotatePhotograph(original.photograph, degrees),
        vessels: rotateMask(vessels, degrees),
        fieldOfView: rotateMask(fieldOfView, degrees),
      };
    }),
    ...times("jitter", () => {
      const [colour, brightness] = [integerBetween(0, 30, state) / 10, integerBetween(10, 20, state) / 10];
      const [contrast, sharpness] = [integerBetween(10, 20, state) / 10, integerBetween(0, 30, state) / 10];
      return {
        ...original,
        photograph: jitter(original.photograph, { colour, brightness, contrast, sharpness }),
      };
    }),
    ...times("noise", () => ({ ...original, photograph: addNoise(original.photograph, state) })),
    flipped("horizontal", { horizontal: true }),
    flipped("vertical", { vertical: true }),
    flipped("both", { horizontal: true, vertical: true }),
  ];
}

/** An integer, both ends included. */
function integerBetween(low: number, high: number, state: RandomState): number {
  return low + Math.floor(draw(state) * (high - low + 1));
}

/** Where a pixel is see-through, black shines through. */
function rgbOf(photograph: Photograph): Photograph {
  if (channelsOf("paperAugmentation", photograph) === 3) return photograph;
  return photographOf(floatsOf(photograph), photograph.width, photograph.height);
}

/** Calls for each pixel with the place in the source that it shows, counter-clockwise about the middle. */
function eachRotated(
  { width, height }: { readonly width: number; readonly height: number },
  degrees: number,
  visit: (pixel: number, x: number, y: number) => void,
): void {
  const angle = (-degrees * Math.PI) / 180;
  // To 15 digits: at quarter turns nothing is left between pixels.
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)].map((value) => Math.round(value * 1e15) / 1e15);
  for (let row = 0, pixel = 0; row < height; row++)
    for (let column = 0; column < width; column++, pixel++) {
      const [dx, dy] = [column + 0.5 - width / 2, row + 0.5 - height / 2];
      const x = cos * dx + sin * dy + width / 2;
      const y = -sin * dx + cos * dy + height / 2;
      if (x >= 0 && y >= 0 && x < width && y < height) visit(pixel, x, y);
    }
}

/** Turns a mask; every pixel takes the source pixel that it falls on. */
export function rotateMask(mask: Mask, degrees: number): Mask {
  const { width, height } = mask;
  const data = new Uint8Array(mask.data.length);
  eachRotated(mask, degrees, (pixel, x, y) => {
    data[pixel] = mask.data[Math.floor(y) * width + Math.floor(x)];
  });
  return { width, height, data };
}

/** Turns a photograph of three channels, cubic between 4 x 4 pixels; its edge pixels stand for those beyond them. */
export function rotatePhotograph(photograph: Photograph, degrees: number): Photograph {
  const { width, height, data: source } = photograph;
  const data = new Uint8ClampedArray(width * height * 3);
  const [columns, rows] = [new Int32Array(4), new Int32Array(4)];
  eachRotated(photograph, degrees, (pixel, x, y) => {
    const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const [u, v] = [x - 0.5 - left, y - 0.5 - top];
    for (let i = 0; i < 4; i++) {
      columns[i] = Math.min(width - 1, Math.max(0, left - 1 + i)) * 3;
      rows[i] = Math.min(height - 1, Math.max(0, top - 1 + i)) * width * 3;
    }
    for (let c = 0; c < 3; c++) {
      const at = (row: number) =>
        cubic(
          source[row + columns[0] + c],
          source[row + columns[1] + c],
          source[row + columns[2] + c],
          source[row + columns[3] + c],
          u,
        );
      data[pixel * 3 + c] = Math.floor(cubic(at(rows[0]), at(rows[1]), at(rows[2]), at(rows[3]), v));
    }
  });
  return { width, height, data };
}

/** Cubic convolution with a = -1 (a sharper one than the usual -0.5) between the second and the third value. */
function cubic(a: number, b: number, c: number, d: number, t: number): number {
  return b + t * (c - a + t * (2 * (a - b) + c - d + t * (b - a + d - c)));
}

/** Factors of a jitter; 1 changes nothing. */
export interface Jitter {
  readonly colour: number;
  readonly brightness: number;
  readonly contrast: number;
  readonly sharpness: number;
}

/** Changes colour, then brightness, contrast and sharpness of a photograph of three channels. */
export function jitter(
  photograph: Photograph,
  { colour, brightness, contrast, sharpness }: Jitter,
): Photograph {
  const { width, height } = photograph;
  const coloured = blend(photograph.data, greyOf(photograph.data), colour);
  const bright = blend(coloured, new Uint8Array(coloured.length), brightness);
  const grey = greyOf(bright);
  const mean = Math.floor(grey.reduce((sum, value) => sum + value, 0) / grey.length + 0.5);
  const contrasty = blend(bright, new Uint8Array(bright.length).fill(mean), contrast);
  return { width, height, data: blend(contrasty, smoothOf(contrasty, width, height), sharpness) };
}

type Bytes = Uint8Array | Uint8ClampedArray;

/** From `plain` towards the picture, and beyond it where the factor is above 1. */
function blend(picture: Bytes, plain: Bytes, factor: number): Uint8ClampedArray {
  const data = new Uint8ClampedArray(picture.length);
  for (let i = 0; i < data.length; i++) {
    // Single precision, as Pillow has it, and cut off.
    data[i] = Math.floor(Math.fround(plain[i] + Math.fround(Math.fround(factor) * (picture[i] - plain[i]))));
  }
  return data;
}

/** Luma of ITU-R 601 in 16-bit fixed point, on all three channels. */
function greyOf(data: Bytes): Uint8Array {
  const grey = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    grey.fill((data[i] * 19595 + data[i + 1] * 38470 + data[i + 2] * 7471 + 0x8000) >> 16, i, i + 3);
  }
  return grey;
}

/** Each pixel five times with its eight neighbours; the outermost pixels stay. */
function smoothOf(data: Bytes, width: number, height: number): Uint8Array {
  const smooth = Uint8Array.from(data);
  const row = width * 3;
  for (let y = 1; y < height - 1; y++)
    for (let i = y * row + 3; i < (y + 1) * row - 3; i++) {
      let sum = 4 * data[i];
      for (const line of [i - row, i, i + row]) sum += data[line - 3] + data[line] + data[line + 3];
      smooth[i] = Math.floor(sum / 13 + 0.5);
    }
  return smooth;
}

/**
 * Shares of a normal with mean 0.2 and deviation 0.3 below -1, 0 and 1: a sample of 8 bits plus the noise, cut off, moves
 * by -2, -1, 0 or 1 levels, so one uniform number decides.
 */
const [BELOW_MINUS_1, BELOW_0, BELOW_1] = [0.0000317, 0.2524925, 0.9961696];

function addNoise({ width, height, data }: Photograph, state: RandomState): Photograph {
  const noisy = Uint8ClampedArray.from(data);
  for (let i = 0; i < noisy.length; i++) {
    const share = draw(state);
    if (share < BELOW_0) noisy[i] -= share < BELOW_MINUS_1 ? 2 : 1;
    else if (share >= BELOW_1) noisy[i] += 1;
  }
  return { width, height, data: noisy };
}
