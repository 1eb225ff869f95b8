import { describe, expect, it } from "vitest";
import { linkOf, placeOf } from "./link.ts";

describe("placeOf", () => {
  it.each([
    [
      "#inside/encoder2.conv1/12?x=40&y=31",
      { id: "encoder2.conv1", channel: 12, at: { column: 40, row: 31 } },
    ],
    ["#inside/head/0", { id: "head", channel: 0 }],
    ["#inside/bottleneck.attention", { id: "bottleneck.attention", channel: 0 }],
  ])("reads %s", (hash, place) => {
    expect(placeOf(hash)).toEqual(place);
    expect(placeOf(linkOf(place))).toEqual(place);
  });

  it.each([
    ...["", "#inside", "#inside/", "#train", "#inside/../x", "#inside/head/-1", "#inside/head/0?x=1"],
    ...["#train#inside/head/0", "#inside/head/0?x=1&y=2#train", "#inside/head/0/1"],
  ])("names nothing by %s", (hash) => expect(placeOf(hash)).toBeUndefined());
});
