// A picture of what was measured, so that a person can see whether the figures mean what they should.

import { expectSameSize, type Mask, type Photograph } from "../image.ts";
import { type OverlayOptions, overlay } from "../overlay.ts";
import type { MeasuredVessels } from "./measure.ts";
import { ZONES } from "./zones.ts";

/** What each colour stands for, in the order of drawing (colours for all kinds of sight: Okabe and Ito, 2008). */
export const MEASURE_COLOURS = {
  /** The mask within the field of view. */
  vessels: [0, 114, 178],
  /** Centre lines where no width was taken. */
  length: [255, 255, 255],
  /** Centre lines where a width was taken. */
  width: [240, 228, 66],
  branchPoint: [213, 94, 0],
  endPoint: [204, 121, 167],
  /** The edges of the optic disc and of the zones. */
  zone: [86, 180, 233],
} as const satisfies Record<string, OverlayOptions["colour"]>;

/** Half the side of the square at a branch point or an end, in shares of the longer side of the picture: 3 pixels of 1,500. */
const MARK = 1 / 500;
/** Points of a circle that are drawn for each pixel of its length. */
const DENSE = 2;

/**
 * The photograph with what was measured: vessels, centre lines with and without widths, branch points, ends, and the edges of
 * the optic disc and its zones, in {@link MEASURE_COLOURS}.
 *
 * @throws ShapeError where the sizes differ
 * @example
 * const vessels = { width: 40, height: 30, data: new Uint8Array(1200) };
 * vessels.data.fill(1, 14 * 40, 17 * 40);
 * const photograph = { width: 40, height: 30, data: new Uint8Array(3600) };
 * const drawn = overlayMeasures(photograph, measureVessels(vessels));
 * console.log(drawn.data.slice(3 * (15 * 40 + 20), 3 * (15 * 40 + 21)).join(" ")); // 240 228 66
 */
export function overlayMeasures(
  photograph: Photograph,
  { vessels, segments, nodes, disc }: MeasuredVessels,
): Photograph {
  expectSameSize("overlayMeasures", "what was measured", vessels, "the photograph", photograph);
  const { width, height } = vessels;
  const layer = (draw: (mark: (x: number, y: number) => void) => void): Mask => {
    const data = new Uint8Array(width * height);
    draw((x, y) => {
      const [column, row] = [Math.round(x), Math.round(y)];
      if (column >= 0 && row >= 0 && column < width && row < height) data[row * width + column] = 1;
    });
    return { width, height, data };
  };
  const lines = (isWanted: (measured: number) => boolean) =>
    layer((mark) => {
      for (const { curve, widths } of segments)
        for (const [i, measured] of widths.entries())
          if (isWanted(measured)) mark(curve[2 * i], curve[2 * i + 1]);
    });
  const half = Math.max(1, Math.round(MARK * Math.max(width, height)));
  const squares = (wanted: "branch" | "end") =>
    layer((mark) => {
      for (const { kind, x, y } of nodes) {
        if (kind !== wanted) continue;
        for (let dy = -half; dy <= half; dy++) for (let dx = -half; dx <= half; dx++) mark(x + dx, y + dy);
      }
    });
  const circles = layer((mark) => {
    for (const radii of disc ? [1, ...ZONES.c, ZONES.b[1]] : []) {
      const radius = radii * (disc?.radius ?? 0);
      const points = Math.min(MOST_POINTS, Math.ceil(DENSE * 2 * Math.PI * radius));
      for (let i = 0; i < points; i++) {
        const angle = (2 * Math.PI * i) / points;
        mark((disc?.x ?? 0) + radius * Math.cos(angle), (disc?.y ?? 0) + radius * Math.sin(angle));
      }
    }
  });
  const layers: readonly (readonly [Mask, keyof typeof MEASURE_COLOURS, number])[] = [
    [vessels, "vessels", 0.5],
    [circles, "zone", 1],
    [lines(Number.isNaN), "length", 1],
    [lines((measured) => !Number.isNaN(measured)), "width", 1],
    [squares("branch"), "branchPoint", 1],
    [squares("end"), "endPoint", 1],
  ];
  return layers.reduce(
    (drawn, [mask, name, opacity]) => overlay(drawn, mask, { colour: MEASURE_COLOURS[name], opacity }),
    photograph,
  );
}

/** A larger circle is hardly in any picture. */
const MOST_POINTS = 1_000_000;
