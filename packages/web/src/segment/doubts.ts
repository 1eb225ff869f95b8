// What a person should know before trusting a result: that the picture is hardly a fundus photograph.

import type { Photograph } from "@saunet/data";

/** What is looked at. */
export interface Suspect {
  /** RGBA. */
  readonly photograph: Photograph;
  /** 1 in the field of view. */
  readonly field: Uint8Array;
  /** Of the field of view that is called vessel at a threshold of 0.5. */
  readonly vesselShare: number;
}

/** In CHASE_DB1, DRIVE, HRF and STARE observers call 6 to 16 % of the field of view vessel. */
const LEAST_VESSELS = 0.02;
const MOST_VESSELS = 0.25;
/** The retina is red before it is green, and green before it is blue; grey photographs have no colour at all. */
const LEAST_RETINAL = 0.6;
/** Blue may lead green by so much: haze and lens reflections. */
const COLOUR_SLACK = 12;
/** Cameras show vessels wider than a pixel from about here on. */
const LEAST_ACROSS = 200;

/** Why the result is doubtful; empty where nothing speaks against it. */
export function doubtsOf({ photograph, field, vesselShare }: Suspect): string[] {
  const { width, height, data } = photograph;
  const doubts: string[] = [];
  let [inside, retinal] = [0, 0];
  for (let pixel = 0, i = 0; pixel < field.length; pixel++, i += 4) {
    if (field[pixel] === 0) continue;
    inside++;
    if (data[i] >= data[i + 1] && data[i + 1] + COLOUR_SLACK >= data[i + 2]) retinal++;
  }
  if (retinal < LEAST_RETINAL * inside) doubts.push("its colours are not those of a retina");
  if (vesselShare < LEAST_VESSELS) doubts.push("hardly any vessel was found");
  if (vesselShare > MOST_VESSELS) doubts.push("more vessel was found than a retina has");
  if (Math.max(width, height) < LEAST_ACROSS)
    doubts.push(`it has only ${width} × ${height} pixels, too few to show thin vessels`);
  return doubts;
}
