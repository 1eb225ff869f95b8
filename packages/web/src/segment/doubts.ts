// What a person should know before trusting a result: that the picture is hardly a fundus photograph, or that what was
// found is hardly a retina's vessels.

import { type Mask, type Photograph, photographWarnings } from "@saunet/data";

/** What is looked at. */
export interface Suspect {
  readonly photograph: Photograph;
  readonly field: Mask;
  /** Of the field of view that is called vessel at a threshold of 0.5. */
  readonly vesselShare: number;
}

/** In CHASE_DB1, DRIVE, HRF and STARE observers call 6 to 16 % of the field of view vessel. */
const LEAST_VESSELS = 0.02;
const MOST_VESSELS = 0.25;

/** Why the result is doubtful; empty where nothing speaks against it. */
export function doubtsOf({ photograph, field, vesselShare }: Suspect): string[] {
  const doubts = photographWarnings(photograph, field).map((warning) => `it ${warning}`);
  if (vesselShare < LEAST_VESSELS) doubts.push("hardly any vessel was found");
  if (vesselShare > MOST_VESSELS) doubts.push("more vessel was found than a retina has");
  return doubts;
}
