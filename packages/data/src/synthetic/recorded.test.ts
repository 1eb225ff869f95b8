// A seed is an eye: figures that were measured on synthetic photographs, and networks that were trained on them, can be made again
// as long as it stays the same eye. A change that is meant is recorded anew with SAUNET_RECORD=1 (and goes into the changelog).

import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SYNTHETIC_CLASSES, syntheticFundus } from "../synthetic.ts";

const eyes = [
  { seed: 1, width: 96, height: 84, view: "disc" },
  { seed: 2, width: 180, height: 180, view: "macula" },
  { seed: 5, width: 220, height: 240 },
] as const;
/** Of squares of so many pixels the means are kept: a bit that another engine rounds otherwise hardly moves them. */
const SIDE = 12;

/** The means of red, green and blue, and how many pixels of each class, square by square. */
function summaryOf(options: (typeof eyes)[number]): number[][] {
  const { image, classes, fieldOfView } = syntheticFundus(options);
  const { width, height } = options;
  const across = Math.ceil(width / SIDE);
  const sums = Array.from({ length: across * Math.ceil(height / SIDE) }, () => [0, 0, 0, 0, 0, 0, 0]);
  classes.data.forEach((kind, pixel) => {
    const own = sums[across * Math.floor(pixel / width / SIDE) + Math.floor((pixel % width) / SIDE)];
    for (let c = 0; c < 3; c++) own[c] += image.data[3 * pixel + c];
    if (kind > 0) own[3 + kind]++;
    own[3] += fieldOfView.data[pixel];
    own[6]++;
  });
  return sums.map(([red, green, blue, seen, artery, vein, pixels]) => [
    ...[red, green, blue].map((sum) => Number((sum / pixels).toFixed(1))),
    ...[seen, artery, vein],
  ]);
}

const file = new URL("recorded.json", import.meta.url);
if (process.env.SAUNET_RECORD === "1") {
  const lines = eyes.map((eye) => JSON.stringify(summaryOf(eye)));
  writeFileSync(file, `[\n${lines.join(",\n")}\n]\n`);
}

describe("the eye of a seed", () => {
  const recorded: number[][][] = JSON.parse(readFileSync(file, "utf8"));
  const names = ["red", "green", "blue", "field of view", ...SYNTHETIC_CLASSES.slice(1)];
  it.each(eyes.map((eye, i) => [eye.seed, i] as const))("%i is the one that it was", (_, i) => {
    const found = summaryOf(eyes[i]);
    expect(found).toHaveLength(recorded[i].length);
    found.forEach((square, at) => {
      square.forEach((value, of) => {
        const least = of < 3 ? 0.3 : 1;
        if (Math.abs(value - recorded[i][at][of]) > least)
          expect.fail(`${names[of]} of square ${at} is ${value} and was ${recorded[i][at][of]}`);
      });
    });
  });
});
