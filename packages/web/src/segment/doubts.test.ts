import { fieldOfView, type Photograph, syntheticFundus } from "@saunet/data";
import { describe, expect, it } from "vitest";
import { doubtsOf } from "./doubts.ts";

const doubts = (photograph: Photograph, vesselShare: number) =>
  doubtsOf({ photograph, field: fieldOfView(photograph), vesselShare });

describe("doubtsOf", () => {
  const fundus = syntheticFundus({ seed: 1, width: 240, height: 240 }).image;

  it("has none of a fundus photograph, and says where its vessels are too few or too many", () => {
    expect(doubts(fundus, 0.1)).toEqual([]);
    expect(doubts(fundus, 0.01)).toEqual(["hardly any vessel was found"]);
    expect(doubts(fundus, 0.4)).toEqual(["more vessel was found than a retina has"]);
    for (const share of [0.02, 0.25]) expect(doubts(fundus, share)).toEqual([]);
  });

  it("says what the picture itself looks like", () => {
    const data = Uint8ClampedArray.from({ length: 4 * 300 * 200 }, (_, i) => [91, 155, 213, 255][i % 4]);
    expect(doubts({ width: 300, height: 200, data }, 0)).toEqual([
      "it is of one brightness throughout",
      "hardly any vessel was found",
    ]);
  });
});
