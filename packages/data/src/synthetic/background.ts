// The fundus without its vessels, as light in three channels: pigment and choroid, macula, nerve fibres, optic disc,
// and the uneven light of the flash.
//
// The ranges were set against CHASE_DB1 and HRF: means and deviations of the channels, the strength of green's
// variation octave by octave, and the fall of light from the middle to the rim.

import type { RandomState } from "@saunet/core";
import { type Anatomy, between, inDiscFrame } from "./anatomy.ts";
import { smoothField } from "./noise.ts";

/**
 * Mottling at each size of detail: spacing in radii of the field of view, deviation of the logarithm of green. Every
 * eye scales each octave anew.
 */
const OCTAVES = [
  { spacing: 0.012, deviation: 0.018 },
  { spacing: 0.028, deviation: 0.022 },
  { spacing: 0.06, deviation: 0.026 },
  { spacing: 0.13, deviation: 0.032 },
  { spacing: 0.3, deviation: 0.05 },
  { spacing: 0.7, deviation: 0.07 },
] as const;

/** Octaves finer than this many pixels are left to the camera's noise. */
const FINEST_SPACING = 1.5;

/** Red and blue vary with these shares of green's variation. */
const RED_SHARE = 0.45;
const BLUE_SHARE = 0.8;

/** Paints the background `[height, width, 3]`, in 0 to about 1 of the camera's range; black outside the circle. */
export function paintBackground(anatomy: Anatomy, state: RandomState): Float32Array {
  const { width, height, centre, radius } = anatomy;
  const base = [between(state, 0.5, 1.02), between(state, 0.17, 0.33), between(state, 0.01, 0.13)] as const;
  const tone = pigment(anatomy, state);
  const fibres = nerveFibres(anatomy, state);
  const hue = smoothField(width, height, 0.4 * radius, state);
  const hues = between(state, 0.02, 0.14);
  const light = illumination(anatomy, state);
  const disc = opticDisc(anatomy, base[0], state);
  const image = new Float32Array(width * height * 3);
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      if (Math.hypot(x + 0.5 - centre.x, y + 0.5 - centre.y) > radius + 2) continue;
      const green = tone[pixel] + fibres[pixel];
      const colour: Colour = [
        // Nerve fibres reflect green and hide the red choroid behind them.
        base[0] * Math.exp(RED_SHARE * green + hues * hue[pixel] - 1.2 * fibres[pixel]),
        base[1] * Math.exp(green),
        base[2] * Math.exp(BLUE_SHARE * green),
      ];
      disc(x + 0.5, y + 0.5, colour);
      for (let c = 0; c < 3; c++) image[pixel * 3 + c] = colour[c] * light[pixel];
    }
  return image;
}

type Colour = [red: number, green: number, blue: number];

/** Logarithm of how light the tissue is: mottling, the choroid's strands, and the macula's dark pigment. */
function pigment(anatomy: Anatomy, state: RandomState): Float32Array {
  const { width, height, radius, fovea, discRadius, disc } = anatomy;
  const field = new Float32Array(width * height);
  for (const { spacing, deviation } of OCTAVES) {
    const strength = deviation * between(state, 0.7, 1.8);
    if (spacing * radius < FINEST_SPACING) continue;
    const noise = smoothField(width, height, spacing * radius, state);
    for (let pixel = 0; pixel < field.length; pixel++) field[pixel] += strength * noise[pixel];
  }
  // Strands run where a smooth field passes through zero; the retina hides them near disc and fovea.
  const strands = between(state, 0, 0.14);
  const wide = smoothField(width, height, 0.16 * radius, state);
  const narrow = smoothField(width, height, 0.11 * radius, state);
  const macula = between(state, 0.2, 0.45);
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      const toFovea = Math.hypot(x - fovea.x, y - fovea.y) / discRadius;
      const toDisc = Math.hypot(x - disc.x, y - disc.y) / discRadius;
      const shown = Math.min(1, (toFovea / 2.5) ** 2) * Math.min(1, (toDisc / 2.5) ** 2);
      const strand = bell(wide[pixel] / 0.35) + 0.6 * bell(narrow[pixel] / 0.35) - 0.45;
      field[pixel] +=
        strands * shown * strand - macula * (0.6 * bell(toFovea / 1.5) + 0.4 * bell(toFovea / 0.5));
    }
  return field;
}

/** The sheen of the nerve fibres: fine streaks that run as the arcades do, strongest above and below the disc. */
function nerveFibres(anatomy: Anatomy, state: RandomState): Float32Array {
  const { width, height } = anatomy;
  const sheen = between(state, 0, 0.17);
  // Streaks by the angle at which a fibre left the disc (columns) and by the way along it (rows, 4 a disc radius).
  const columns = 1440;
  const rows = 24;
  const streaks = smoothField(columns, rows, 3, state);
  const field = new Float32Array(width * height);
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      const { along, across } = inDiscFrame(anatomy, x + 0.5, y + 0.5);
      const far = Math.hypot(along, across);
      // On a parabola, across² / along stays the same all the way from the disc.
      const angle = Math.atan2(across, along > 0 ? Math.sqrt(along + 0.2 * along * along) : along);
      const column = Math.min(columns - 1, Math.floor(((angle / Math.PI + 1) / 2) * columns));
      const row = Math.min(rows - 1, Math.floor(4 * far));
      const streak = 0.7 + 0.3 * streaks[row * columns + column];
      field[pixel] = sheen * Math.abs(Math.sin(angle)) * bell((far - 1.6) / 1.8) * streak;
    }
  return field;
}

/** Light over the field of view: brighter on one side, falling off to the rim, slowly uneven. */
function illumination(anatomy: Anatomy, state: RandomState): Float32Array {
  const { width, height, centre, radius } = anatomy;
  const uneven = smoothField(width, height, 0.9 * radius, state);
  const fall = between(state, 0.3, 0.65);
  const [slopeX, slopeY] = [between(state, -0.15, 0.15), between(state, -0.15, 0.15)];
  const light = new Float32Array(width * height);
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++) {
      const [dx, dy] = [(x - centre.x) / radius, (y - centre.y) / radius];
      const tilt = slopeX * dx + slopeY * dy + 0.08 * uneven[pixel];
      light[pixel] = Math.exp(tilt) * (1.08 - fall * Math.min(1.2, dx * dx + dy * dy));
    }
  return light;
}

/** Lays the optic disc over a colour: a pale ellipse with its paler cup, pigmented at the temporal edge. */
function opticDisc(anatomy: Anatomy, baseRed: number, state: RandomState) {
  const red = Math.max(1.1 * baseRed, between(state, 0.85, 1.08));
  const pale = [red, red * between(state, 0.5, 0.68), red * between(state, 0.12, 0.3)] as const;
  const stretch = Math.sqrt(between(state, 1, 1.14));
  const soft = between(state, 0.015, 0.045);
  const cup = {
    size: between(state, 0.35, 0.6),
    paleness: between(state, 0.4, 1),
    shift: between(state, 0.1, 0.3),
  };
  const crescent = between(state, -0.1, 0.25);
  return (x: number, y: number, colour: Colour): void => {
    const place = inDiscFrame(anatomy, x, y);
    const [along, across] = [place.along * stretch, place.across / stretch];
    const far = Math.hypot(along, across);
    if (far > 2) return;
    const inside = 1 / (1 + Math.exp((far - 1) / (soft * (along < 0 ? 1.8 : 1))));
    const cupped = cup.paleness / (1 + Math.exp((Math.hypot(along - cup.shift, across) - cup.size) / 0.09));
    const dark = crescent * bell((far - 1.12) / 0.14) * (0.5 + 0.5 * Math.max(-1, Math.min(1, along)));
    const around = [colour[0] * (1 - 0.7 * dark), colour[1] * (1 - dark), colour[2]] as const;
    const palest = [1 + 0.06 * cupped, 1 + 0.35 * cupped, 1 + 0.9 * cupped] as const;
    for (let c = 0; c < 3; c++) colour[c] = around[c] + inside * (pale[c] * palest[c] - around[c]);
  };
}

function bell(value: number): number {
  return Math.exp(-value * value);
}
