// What an option may hold, up to its limits and just beyond, and in which words the rest is refused.

import { describe, expect, it } from "vitest";
import { classNames, counts, disc, integer, oneMore, positive, scale, share, size, upTo } from "./options.ts";

interface Parser {
  readonly parse: (text: string) => unknown;
  readonly accepted: readonly (readonly [text: string, value: unknown])[];
  readonly refused: readonly string[];
  readonly message: string;
}

const NO_NUMBERS = ["", " ", "x", "1x", "NaN", "1,5"];
const PARSERS: Readonly<Record<string, Parser>> = {
  "an integer": {
    parse: integer(2),
    accepted: [
      ["2", 2],
      [" 7 ", 7],
      ["1e3", 1000],
    ],
    refused: [...NO_NUMBERS, "1", "2.5", "-3", "Infinity", "9007199254740992"],
    message: "It must be an integer of at least 2.",
  },
  "an integer up to": {
    parse: upTo(1, 900),
    accepted: [
      ["1", 1],
      ["900", 900],
    ],
    refused: [...NO_NUMBERS, "0", "901", "1.5"],
    message: "It must be an integer from 1 to 900.",
  },
  "a share": {
    parse: share,
    accepted: [
      ["0", 0],
      ["1", 1],
      [".5", 0.5],
    ],
    refused: [...NO_NUMBERS, "-0.01", "1.01"],
    message: "It must be a number from 0 to 1.",
  },
  "a number above 0": {
    parse: positive,
    accepted: [
      ["1e-9", 1e-9],
      ["3", 3],
    ],
    refused: [...NO_NUMBERS, "0", "-1", "Infinity"],
    message: "It must be a number above 0.",
  },
  "a scale": {
    parse: scale,
    accepted: [
      ["auto", "auto"],
      [" auto ", "auto"],
      ["0.0625", 1 / 16],
      ["16", 16],
    ],
    refused: [...NO_NUMBERS, "automatic", "0.0624", "16.1", "0"],
    message: "It must be auto or a number from 1/16 to 16.",
  },
  "a size": {
    parse: size(8),
    accepted: [
      ["8x4096", { height: 8, width: 4096 }],
      [" 592X704 ", { height: 592, width: 704 }],
    ],
    refused: [
      "",
      "592",
      "592x",
      "x592",
      "0x8",
      "8x0",
      "592x592x3",
      "12x8",
      "8x12",
      "4104x8",
      "8x4104",
      "-8x8",
    ],
    message: "It must be HEIGHTxWIDTH, such as 592x592, both multiples of 8 up to 4096.",
  },
  "channels of stages": {
    parse: counts,
    accepted: [
      ["16,32", [16, 32]],
      ["1,2,3,4,5,6,7,8", [1, 2, 3, 4, 5, 6, 7, 8]],
    ],
    refused: ["16", "1,2,3,4,5,6,7,8,9"],
    message: "It must be two to eight integers, such as 16,32,48,64.",
  },
  classes: {
    parse: classNames,
    accepted: [
      ["artery", ["artery"]],
      [" vein , artery", ["vein", "artery"]],
    ],
    refused: ["", "background", "artery,artery", "artery,nerve", "artery,"],
    message: "It must be artery,vein or one of them.",
  },
  "an optic disc": {
    parse: disc,
    accepted: [
      ["auto", "auto"],
      [" auto ", "auto"],
      ["512.5, 480,62", { x: 512.5, y: 480, radius: 62 }],
      ["0,0,1", { x: 0, y: 0, radius: 1 }],
    ],
    refused: [
      ...["", "1,2", "1,2,3,4", "-1,2,3", "1,-2,3", "1,2,0", "1,2,-3", "a,2,3", " ,2,3", "1,2,"],
      ...["Infinity,2,3", "1,Infinity,3", "1,2,Infinity"],
    ],
    message: "It must be X,Y,RADIUS in pixels, such as 512.5,480,62, or auto.",
  },
};

describe.each(Object.entries(PARSERS))("%s", (_, { parse, accepted, refused, message }) => {
  it("is taken up to its limits", () => {
    for (const [text, value] of accepted) expect(parse(text), text).toEqual(value);
  });

  it("is refused beyond them, in words", () => {
    for (const text of refused) expect(() => parse(text), JSON.stringify(text)).toThrow(message);
  });
});

it("a stage's channels are integers of at least 1", () => {
  for (const text of ["16,0", "16,x", "16,,8"])
    expect(() => counts(text)).toThrow("It must be an integer of at least 1.");
});

it("an option that may be given again keeps what it was given before", () => {
  expect([oneMore()("b"), oneMore()("c", ["a", "b"])]).toEqual([["b"], ["a", "b", "c"]]);
  const chosen = oneMore(["drive", "chase"]);
  expect(chosen("chase", ["drive"])).toEqual(["drive", "chase"]);
  expect(() => chosen("rite")).toThrow("Allowed choices are drive, chase.");
});
