// How large a photograph should be for the network: cameras show a vessel two pixels wide, or twelve.
//
// What matters is the number of pixels per degree of the eye, and a picture does not tell its angle. It tells the
// diameter of its field of view in pixels, and cameras with more pixels mostly see a wider angle too:
//
//   set          pixels across   angle   a degree   scale   a degree then
//   DRIVE                  540      45         12    1.94              23
//   STARE                  650      35         19    1.62              30
//   CHASE_DB1              940      30         31    1.12              35
//   FIVES                 2000      50         40    0.69              28
//   HRF                   3260      60         54    0.55              30
//
// So the network sees a field of view with `BASE + SHARE · diameter` pixels across, but at least `LEAST`: around 30 pixels
// a degree, where networks are at their best and differ little (docs/training.md says how that was measured).

import { boundingBox, fieldOfView, type Mask, type Photograph } from "@saunet/data";

const BASE = 720;
const SHARE = 1 / 3;
const LEAST = 1050;

/** Scales so near to 1 change little but blur the picture. */
const NEARLY_ONE = 0.1;

/** How a photograph is resized before a network sees it: a factor, or by what the picture shows. */
export type Scale = number | "auto";

/**
 * The factor that brings a photograph to the scale which networks of `--recipe best` are trained for, judged by the
 * diameter of its field of view.
 *
 * @param field the field of view, where it is known; default: found in the photograph
 * @throws ShapeError where the array does not fill the picture
 * @example
 * const { image } = syntheticFundus({ seed: 1, width: 240, height: 240 });
 * console.log(autoScale(image).toFixed(1)); // 4.0
 */
export function autoScale(photograph: Photograph, field: Mask = fieldOfView(photograph)): number {
  // Where it is cut off at top and bottom, its width is whole.
  const { width, height } = boundingBox(field) ?? photograph;
  const across = Math.max(width, height);
  const scale = Math.max(LEAST, BASE + SHARE * across) / across;
  return Math.abs(scale - 1) < NEARLY_ONE ? 1 : Math.min(scale, LARGEST);
}

/** Something so small is no fundus photograph; it would only become large. */
const LARGEST = 4;
