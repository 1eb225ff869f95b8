// The optic disc, found by the two things that it is: the brightest large spot of most photographs, and the place where all vessels
// come together (brightness: Sinthanayothin, Boyce, Cook and Williamson, British Journal of Ophthalmology 83(8), 1999; vessels: Hoover
// and Goldbaum, IEEE Transactions on Medical Imaging 22(8), 2003). Where the two disagree, or another place does nearly as well,
// the detector says that it is not sure: a lesion may be as bright as a disc.

import { boundingBox, channelsOf, expectSameSize, floatsOf, type Mask, type Photograph } from "../image.ts";
import { resizeValues } from "../resize.ts";
import { expectMask } from "./expect-mask.ts";
import type { OpticDisc } from "./zones.ts";

/** A disc that was found, or the best guess. */
export interface FoundDisc {
  readonly disc: OpticDisc;
  /** Why it may be wrong, in words; left out where nothing speaks against it. */
  readonly doubt?: string;
}

/** The field of view is looked at with so many pixels across. */
const ACROSS = 160;
/** Radii of discs that are tried, as shares of the diameter of the field of view: from 60 degrees of a camera to 25. */
const RADII = Array.from({ length: 12 }, (_, i) => 0.045 + 0.006 * i);
/** A usual radius. */
const USUAL = 0.075;

/**
 * Finds the optic disc.
 *
 * @param vessels of the photograph, and where it shows the eye
 * @returns undefined where the field of view is too small to look for one
 * @throws ShapeError where sizes differ or an array does not fill its picture; RangeError where a mask holds anything but 0 and 1
 * @example
 * const { image, vessels, fieldOfView } = syntheticFundus({ seed: 3, width: 160, height: 160, view: "disc" });
 * const { disc, doubt } = findDisc(image, vessels, fieldOfView) ?? {};
 * console.log(disc !== undefined, doubt); // true undefined
 */
export function findDisc(photograph: Photograph, vessels: Mask, fieldOfView: Mask): FoundDisc | undefined {
  expectMask("findDisc", "vessels", vessels);
  expectMask("findDisc", "fieldOfView", fieldOfView);
  channelsOf("findDisc", photograph);
  expectSameSize("findDisc", "vessels", vessels, "photograph", photograph);
  expectSameSize("findDisc", "fieldOfView", fieldOfView, "photograph", photograph);
  const { width: wide, height: high } = boundingBox(fieldOfView) ?? { width: 0, height: 0 };
  const across = Math.max(wide, high);
  if (across < ACROSS / 2) return undefined;
  const seen = shrunk(photograph, vessels, fieldOfView, Math.min(1, ACROSS / across));
  const diameter = across * seen.scale;
  const { width, inside } = seen;
  const spot = smoothed(seen, seen.light, (USUAL * diameter) / 2);
  const ground = smoothed(seen, seen.light, 0.2 * diameter);
  const bright = standardised(
    spot.map((value, i) => value - ground[i]),
    inside,
  );
  const dense = standardised(smoothed(seen, seen.vessels, USUAL * diameter), inside);
  const score = bright.map((value, i) => (inside[i] ? value + dense[i] : Number.NEGATIVE_INFINITY));
  const best = place(score, () => true);
  const [x, y] = [best % width, Math.floor(best / width)];
  const circle = fittedCircle(seen, x, y, diameter);
  const far = (pixel: number) =>
    Math.hypot((pixel % width) - circle.x, Math.floor(pixel / width) - circle.y) > 2.5 * circle.radius;
  const second = place(score, far);
  const toPhotograph = (value: number) => (value + 0.5) / seen.scale - 0.5;
  const disc = {
    x: Math.min(photograph.width - 1, Math.max(0, toPhotograph(circle.x))),
    y: Math.min(photograph.height - 1, Math.max(0, toPhotograph(circle.y))),
    radius: circle.radius / seen.scale,
  };
  const isDim = bright[best] < 1.5;
  const isBare = dense[best] < 0.5;
  const doubt = [
    isDim && "it is hardly brighter than what is around it",
    isBare && "few vessels come together there",
    second >= 0 && score[second] > 0.7 * score[best] && "another place does nearly as well",
    !circle.hasEdge && "it has no edge",
    circle.hasEdge && !circle.isClear && "its radius is not clear",
  ].filter((reason) => typeof reason === "string");
  return { disc, ...(doubt.length > 0 && { doubt: doubt.join("; ") }) };
}

/** What is looked at. */
interface Seen {
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  /** 1 in the field of view, without its rim. */
  readonly inside: Uint8Array;
  /** Luminance between vessels; vessels have that of the field of view's mean, so that they hide no disc. */
  readonly light: Float32Array;
  readonly vessels: Float32Array;
}

function shrunk(photograph: Photograph, vessels: Mask, field: Mask, scale: number): Seen {
  const from = { width: photograph.width, height: photograph.height };
  const to = {
    width: Math.max(1, Math.round(scale * from.width)),
    height: Math.max(1, Math.round(scale * from.height)),
  };
  // Brightness is compared, so its unit does not matter.
  const isPlain = channelsOf("findDisc", photograph) === 3;
  const rgb = resizeValues(isPlain ? photograph.data : floatsOf(photograph), { ...from, channels: 3 }, to);
  const share = resizeValues(field.data, from, to);
  const marked = resizeValues(vessels.data, from, to);
  const rim = Math.max(2, Math.round(0.03 * Math.max(to.width, to.height)));
  const isSeen = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < to.width && y < to.height && share[y * to.width + x] > 0.99;
  const inside = Uint8Array.from(share, (_, i) => {
    const [x, y] = [i % to.width, Math.floor(i / to.width)];
    const around = [
      [-rim, 0],
      [rim, 0],
      [0, -rim],
      [0, rim],
    ];
    return isSeen(x, y) && around.every(([dx, dy]) => isSeen(x + dx, y + dy)) ? 1 : 0;
  });
  const light = Float32Array.from(share, (_, i) => (rgb[3 * i] + 2 * rgb[3 * i + 1]) / 3);
  return { ...to, scale, inside, light, vessels: marked };
}

/** The mean of what is inside, by a Gaussian. */
function smoothed({ width, height, inside }: Seen, values: Float32Array, sigma: number): Float32Array {
  const reach = Math.ceil(3 * sigma);
  const weights = Float64Array.from({ length: reach + 1 }, (_, i) =>
    Math.exp(-(i * i) / (2 * sigma * sigma)),
  );
  const pass = (of: ArrayLike<number>, length: number, count: number, along: number, across: number) => {
    const out = new Float64Array(of.length);
    for (let line = 0; line < count; line++) {
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let k = Math.max(-reach, -i); k <= reach && i + k < length; k++)
          sum += weights[Math.abs(k)] * of[line * across + (i + k) * along];
        out[line * across + i * along] = sum;
      }
    }
    return out;
  };
  const both = (of: ArrayLike<number>) => pass(pass(of, width, height, 1, width), height, width, width, 1);
  const total = both(inside);
  const sum = both(Float64Array.from(values, (value, i) => value * inside[i]));
  return Float32Array.from(values, (_, i) => (inside[i] ? sum[i] / total[i] : 0));
}

/** In standard deviations of what is inside from its mean. */
function standardised(values: Float32Array, inside: Uint8Array): Float32Array {
  const known = values.filter((_, i) => inside[i] === 1);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
  return values.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
}

/** Where the highest of the values is that count; -1 where none does. */
function place(values: Float32Array, counts: (pixel: number) => boolean): number {
  let best = -1;
  for (let i = 0; i < values.length; i++)
    if (values[i] > Number.NEGATIVE_INFINITY && counts(i) && (best < 0 || values[i] > values[best])) best = i;
  return best;
}

/** A radius that differs by this factor is another one, and says something where its edge is nearly as strong. */
const OTHER_RADIUS = 1.4;
const NEARLY = 0.85;
/** Between the places that are tried, in pixels of the shrunk picture. */
const STEP = 2.5;

/**
 * The circle near a place whose edge divides light from dark best, larger ones first: the pale middle of a disc has an edge of its own
 * within that of the disc.
 */
function fittedCircle(seen: Seen, x0: number, y0: number, diameter: number) {
  const shift = USUAL * diameter;
  const best = RADII.map((share) => {
    const radius = share * diameter;
    let found = { x: x0, y: y0, radius, weight: 0 };
    for (let dy = -shift; dy <= shift; dy += STEP)
      for (let dx = -shift; dx <= shift; dx += STEP) {
        const weight = Math.sqrt(radius) * edgeOf(seen, x0 + dx, y0 + dy, radius);
        if (weight > found.weight) found = { x: x0 + dx, y: y0 + dy, radius, weight };
      }
    return found;
  });
  const circle = best.reduce((one, other) => (other.weight > one.weight ? other : one));
  const rivals = best.filter(({ radius, weight }) => {
    const factor = Math.max(radius / circle.radius, circle.radius / radius);
    return factor > OTHER_RADIUS && weight > NEARLY * circle.weight;
  });
  return { ...circle, hasEdge: circle.weight > 0, isClear: rivals.length === 0 };
}

/** The mean light just inside a circle over that just outside of it, where no vessel is. */
function edgeOf(
  { width, height, inside, light, vessels }: Seen,
  x: number,
  y: number,
  radius: number,
): number {
  let [inner, outer, inners, outers] = [0, 0, 0, 0];
  const reach = Math.ceil(1.35 * radius);
  for (let v = Math.max(0, Math.round(y) - reach); v <= Math.min(height - 1, Math.round(y) + reach); v++)
    for (let u = Math.max(0, Math.round(x) - reach); u <= Math.min(width - 1, Math.round(x) + reach); u++) {
      const at = v * width + u;
      const share = Math.hypot(u - x, v - y) / radius;
      if (inside[at] === 0 || vessels[at] > 0.3 || share < 0.5 || share > 1.35) continue;
      if (share <= 1) [inner, inners] = [inner + light[at], inners + 1];
      else [outer, outers] = [outer + light[at], outers + 1];
    }
  return inners < 8 || outers < 8 ? 0 : inner / inners - outer / outers;
}
