// The numbers and figures of chapter 1.

import { box, type Figure, figure, grid, line, picture, text } from "../../scripts/book/svg.ts";
import { eye, PATCH, patch, smallGrey, smallPhotograph } from "./eye.ts";

const { width, height } = eye.image;

const values = patch();
const isVessel = (row: number, column: number): boolean =>
  eye.vessels.data[(PATCH.row + row) * width + PATCH.column + column] === 1;

const countOf = (mask: Uint8Array): number => mask.reduce((sum, one) => sum + one, 0);
const [vessels, inside] = [countOf(eye.vessels.data), countOf(eye.fieldOfView.data)];

/** How many pixels of each green are inside the round picture, and how many of them are vessel. */
const [pixelsOf, vesselsOf] = [new Int32Array(256), new Int32Array(256)];
eye.fieldOfView.data.forEach((open, i) => {
  if (open === 0) return;
  const green = eye.image.data[3 * i + 1];
  pixelsOf[green]++;
  vesselsOf[green] += eye.vessels.data[i];
});

/** The simplest rule: a pixel is a vessel where its green is below a limit. */
function darkerThan(limit: number) {
  const marked = pixelsOf.subarray(0, limit).reduce((sum, count) => sum + count, 0);
  const right = vesselsOf.subarray(0, limit).reduce((sum, count) => sum + count, 0);
  return {
    limit,
    precision: right / marked,
    sensitivity: right / vessels,
    f1: (2 * right) / (marked + vessels),
  };
}
const best = Array.from({ length: 200 }, (_, i) => darkerThan(20 + i)).reduce((one, other) =>
  other.f1 > one.f1 ? other : one,
);

export const numbers = {
  width,
  height,
  pixels: width * height,
  values: width * height * 3,
  share: ((100 * vessels) / inside).toFixed(1),
  row: PATCH.row,
  column: PATCH.column,
  darkLimit: best.limit,
  darkF1: best.f1.toFixed(2),
  darkPrecision: best.precision.toFixed(2),
  darkSensitivity: best.sensitivity.toFixed(2),
  nothingAccuracy: (100 * (1 - vessels / inside)).toFixed(1),
};

const SHOWN = 150;
const at = (pixel: number) => (pixel / width) * SHOWN;

/** The answer of the simplest rule: white where it is right, blue where it misses, yellow where it is wrong. */
const judged = new Uint8ClampedArray(width * height * 3);
eye.fieldOfView.data.forEach((open, i) => {
  if (open === 0) return;
  const [says, is] = [eye.image.data[3 * i + 1] < best.limit, eye.vessels.data[i] === 1];
  const colour = says && is ? [255, 255, 255] : is ? [64, 150, 255] : says ? [255, 214, 0] : undefined;
  judged.set(colour ?? [0, 1, 2].map((c) => eye.image.data[3 * i + c]), 3 * i);
});

export const figures: Record<string, Figure> = {
  dark: figure(
    {
      height: 308,
      title: "What the simplest rule finds",
      description: `The eye with the pixels whose green is below ${best.limit}: many lie on vessels, but the whole dark rim of the eye is marked as well, and most vessels in the bright middle are missed.`,
    },
    [await picture(30, 4, 300, 300, smallPhotograph({ width, height, data: judged }))],
  ),
  eye: figure(
    {
      height: 376,
      title: "The synthetic eye and 25 of its numbers",
      description: `Above, the photograph of 592 by 592 pixels and the map of its vessels. Below, the green values of 5 by 5 pixels: ${values.map((row) => row.join(" ")).join("; ")}. A dark vessel runs down through the second and third columns.`,
    },
    [
      await picture(20, 22, SHOWN, SHOWN, smallPhotograph(eye.image)),
      await picture(190, 22, SHOWN, SHOWN, smallGrey(eye.vessels.data, width, height)),
      text(20, 14, "photograph", { ink: "soft" }),
      text(190, 14, "truth: 1 where a vessel is", { ink: "soft" }),
      box(20 + at(PATCH.column) - 4, 22 + at(PATCH.row) - 4, 10, 10, { ink: "warm" }),
      line([20 + at(PATCH.column) + 1, 22 + at(PATCH.row) + 8], [105, 204], { ink: "warm" }),
      text(105, 220, "green, 0 to 255", { ink: "soft" }),
      grid(105, 226, values, { ink: (row, column) => (isVessel(row, column) ? "warm" : undefined) }),
    ],
  ),
};
