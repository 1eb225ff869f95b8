// Where things lie in one synthetic eye. The optic disc's radius is the ruler for everything anatomical: it is what
// cameras of different angles show at different size.

import { draw, type RandomState } from "@saunet/core";

/** A point in pixels; (0, 0) is the top left corner of the picture, pixel centres lie at halves. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What the camera is turned to: the optic disc, as in CHASE_DB1, or the macula, as in DRIVE. */
export type View = "disc" | "macula";

/** The landmarks of one eye and the circle through which the camera sees it, in pixels. */
export interface Anatomy {
  readonly width: number;
  readonly height: number;
  /** Centre and radius of the field of view. */
  readonly centre: Point;
  readonly radius: number;
  /** Centre and radius of the optic disc. */
  readonly disc: Point;
  readonly discRadius: number;
  readonly fovea: Point;
  /** Direction from the disc to the fovea, in radians: near 0 in a left eye, near pi in a right one. */
  readonly temporal: number;
}

/** A number between two bounds. */
export function between(state: RandomState, low: number, high: number): number {
  return low + (high - low) * draw(state);
}

/** Lays out an eye, left or right, turned and shifted a little. */
export function layOut(width: number, height: number, view: View | undefined, state: RandomState): Anatomy {
  const drawn: View = draw(state) < 0.5 ? "disc" : "macula";
  const isDisc = (view ?? drawn) === "disc";
  const isRight = draw(state) < 0.5;
  const shorter = Math.min(width, height);
  const radius = shorter * between(state, 0.455, 0.485);
  const slack = 0.6 * (shorter / 2 - radius);
  const centre = {
    x: width / 2 + between(state, -slack, slack),
    y: height / 2 + between(state, -slack, slack),
  };
  const discRadius = radius * (isDisc ? between(state, 0.19, 0.225) : between(state, 0.14, 0.165));
  const span = discRadius * between(state, 4.7, 5.2);
  const tilt = between(state, 0.02, 0.16);
  const temporal = isRight ? Math.PI - tilt : tilt;
  // The middle of the picture lies this share of the way from the disc to the fovea, and this far beside it.
  const along = span * (isDisc ? between(state, -0.08, 0.12) : between(state, 0.62, 0.95));
  const across = discRadius * between(state, -0.25, 0.25);
  const [cos, sin] = [Math.cos(temporal), Math.sin(temporal)];
  const disc = { x: centre.x - along * cos - across * sin, y: centre.y - along * sin + across * cos };
  const fovea = { x: disc.x + span * cos, y: disc.y + span * sin };
  return { width, height, centre, radius, disc, discRadius, fovea, temporal };
}

/** A place as seen from the disc, in disc radii: along the line to the fovea and across it. */
export function inDiscFrame({ disc, discRadius, temporal }: Anatomy, x: number, y: number) {
  const [cos, sin] = [Math.cos(temporal) / discRadius, Math.sin(temporal) / discRadius];
  const [dx, dy] = [x - disc.x, y - disc.y];
  return { along: dx * cos + dy * sin, across: dy * cos - dx * sin };
}
