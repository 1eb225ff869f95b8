// Whether a picture looks like a photograph of the back of an eye at all. A network answers to any picture, and "no
// vessels" reads like a finding.
//
// Limits lie far from what photographs show. Over CHASE_DB1 and HRF (73 photographs), inside the field of view:
// brightness deviates by 13 levels or more, the roughness is 0.011 or less (1 for noise), red is at least twice blue,
// and the field of view fills 0.78 to 0.91 of its bounding box, whose sides are as 1 to 1.4 at most.

import { fieldOfView } from "./field-of-view.ts";
import { boundingBox, channelsOf, expectSameSize, type Mask, type Photograph } from "./image.ts";

/** Pixels along the shorter side, below which no vessel has a pixel to itself. */
const LEAST_SIDE = 32;
/** The longer side, in shorter ones. */
const LONGEST = 2.5;
/** Levels of 255 that the brightness of the field of view deviates. */
const LEAST_DEVIATION = 3;
/** The mean square of steps between neighbours, as a share of that between any two pixels. */
const MOST_ROUGHNESS = 0.4;
/** The mean of blue as a share of that of red. */
const MOST_BLUE = 1.1;
/** The share of its bounding box that a field of view fills, and the share of the picture that the box fills. */
const LEAST_FILLED = 0.6;
const LEAST_SHARE = 0.1;

/**
 * Says what makes a picture look like no fundus photograph: too small, a strip, of one colour, noise, blue, without a
 * dark surround, or with something in it that is no disc.
 *
 * @param field the field of view; default: found in the photograph
 * @returns one phrase per finding; none for a fundus photograph
 * @throws ShapeError where the array does not fill the picture, or the sizes differ
 * @example
 * const black = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3) };
 * console.log(photographWarnings(black)); // [ 'is of one brightness throughout' ]
 * console.log(photographWarnings(syntheticFundus({ seed: 1, width: 64, height: 64 }).image)); // []
 */
export function photographWarnings(photograph: Photograph, field: Mask = fieldOfView(photograph)): string[] {
  expectSameSize("photographWarnings", "field", field, "the photograph", photograph);
  const { width, height } = photograph;
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  if (shorter < LEAST_SIDE) return [`is only ${width} x ${height} pixels`];
  const { red, blue, deviation, roughness, area, box } = looksOf(photograph, field);
  if (deviation < LEAST_DEVIATION) return ["is of one brightness throughout"];
  const warnings: string[] = [];
  if (longer > LONGEST * shorter) warnings.push(`is a strip of ${width} x ${height} pixels`);
  if (roughness > MOST_ROUGHNESS) warnings.push("looks like noise");
  if (blue > MOST_BLUE * red) warnings.push("is bluer than it is red");
  if (area === width * height)
    warnings.push("shows no bright disc in a dark surround, so all of it is taken for the field of view");
  else {
    const boxArea = box.width * box.height;
    const isLong = Math.max(box.width, box.height) > LONGEST * Math.min(box.width, box.height);
    if (area < LEAST_FILLED * boxArea || isLong || boxArea < LEAST_SHARE * width * height) {
      warnings.push("shows no disc of a field of view");
    }
  }
  return warnings;
}

/** The brightness of no pixel. */
const NONE = -1;

/** What the field of view looks like, in numbers. */
function looksOf(photograph: Photograph, field: Mask) {
  const channels = channelsOf("photographWarnings", photograph);
  const { width, height, data } = photograph;
  let [red, blue, area, sum, squares, steps, pairs] = [0, 0, 0, 0, 0, 0, 0];
  for (let y = 0, pixel = 0; y < height; y++) {
    // Brightness is the sum of three channels, so that what a row adds up to are integers: twice as fast as their mean.
    const row = { red: 0, blue: 0, area: 0, sum: 0, squares: 0, steps: 0, pairs: 0 };
    let before = NONE;
    for (let x = 0; x < width; x++, pixel++) {
      if (field.data[pixel] === 0) {
        before = NONE;
        continue;
      }
      const i = pixel * channels;
      const brightness = data[i] + data[i + 1] + data[i + 2];
      if (before !== NONE) {
        const step = brightness - before;
        row.steps += step * step;
        row.pairs++;
      }
      before = brightness;
      row.red += data[i];
      row.blue += data[i + 2];
      row.sum += brightness;
      row.squares += brightness * brightness;
      row.area++;
    }
    red += row.red;
    blue += row.blue;
    area += row.area;
    sum += row.sum;
    squares += row.squares;
    steps += row.steps;
    pairs += row.pairs;
  }
  const variance = area === 0 ? 0 : Math.max(0, squares / area - (sum / area) ** 2);
  return {
    red,
    blue,
    area,
    deviation: Math.sqrt(variance) / 3,
    // Two pixels far from each other differ by twice the variance.
    roughness: steps / Math.max(1, pairs) / (2 * variance),
    // Something is marked: where nothing stands out, all is the field of view.
    box: boundingBox(field) ?? { width: 0, height: 0 },
  };
}
