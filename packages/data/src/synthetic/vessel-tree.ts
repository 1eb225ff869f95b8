// Grows the arteries and veins of one synthetic eye: centrelines and widths.
//
// Every vessel is a tip that walks in small steps. What turns it: the arcade field, whose lines leave the disc
// upright and bend round the fovea as parabolas; a wandering curvature (tortuosity); and the vessels already there,
// which push it aside. What narrows it: a slow taper, and branching after Murray's law, by which the cubes of the
// daughters' widths add up to the cube of the parent's (C. D. Murray, PNAS 12, 1926); the angles follow from his law
// as well. Wide tips walk first, so that narrow ones fill the room that is left. A tip ends where it gets too narrow,
// meets another vessel that it may not cross, comes to the fovea, curls up or has left the field of view.
//
// Lengths are in units of the disc's radius unless a name says pixels. The constants were set by eye and by what was
// measured on CHASE_DB1 and HRF: the vessels' share of the field of view, and how their widths are distributed.

import { draw, type RandomState } from "@saunet/core";
import { type Anatomy, between, inDiscFrame, type Point } from "./anatomy.ts";
import { OccupancyGrid } from "./occupancy.ts";

/** The two kinds; vessels of one kind never cross, an artery and a vein may. */
export type VesselKind = "artery" | "vein";

/** One vessel from its branching to its end: points along the centreline with the full width there, in pixels. */
export interface Vessel {
  readonly kind: VesselKind;
  /** The vessel that it branched from. */
  readonly parent: Vessel | undefined;
  readonly x: number[];
  readonly y: number[];
  readonly width: number[];
}

interface Tip {
  readonly kind: VesselKind;
  readonly parent: Vessel | undefined;
  readonly x: number;
  readonly y: number;
  readonly heading: number;
  readonly width: number;
}

/** Where a walking tip is, in pixels, and how far from its start. */
interface Walker {
  x: number;
  y: number;
  heading: number;
  width: number;
  travelled: number;
}

/** Width of the widest vein, and in small pictures at least so many pixels. */
const TRUNK = 0.15;
const TRUNK_PIXELS = 1.6;
/** Width at which a vessel ends, and at least so many pixels. */
const FINEST = 0.018;
const FINEST_PIXELS = 0.55;
/** Arteries are that much narrower than the veins beside them. */
const ARTERY = 0.74;
/** From this share of the widest vein on, a vessel crosses those of the other kind and is crossed by them. */
const CROSSABLE = 0.45;
/** Within this reach vessels push a tip aside, so hard. */
const PUSH_REACH = 0.7;
const PUSH = 12;
/** A tip that has turned so far from its first heading, in radians, would curl up. */
const MOST_TURN = 2.3;

// The trunks that leave the disc: angle from the temporal side in degrees, positive and negative on either side of
// the line to the fovea, with its scatter; width as a share of the widest. The first two are the arcades.
const TRUNKS = [
  { angle: 69, scatter: 6, width: 1 },
  { angle: -69, scatter: 6, width: 1 },
  { angle: 122, scatter: 14, width: 0.8 },
  { angle: -122, scatter: 14, width: 0.8 },
  { angle: 165, scatter: 16, width: 0.46 },
  { angle: -160, scatter: 16, width: 0.42 },
  { angle: 28, scatter: 12, width: 0.34 },
  { angle: -28, scatter: 12, width: 0.34 },
] as const;

/** Grows all vessels of one eye, widest first. */
export function growVessels(anatomy: Anatomy, state: RandomState): Vessel[] {
  return new Growth(anatomy, state).run();
}

class Growth {
  readonly #anatomy: Anatomy;
  readonly #state: RandomState;
  /** The ruler in pixels: the disc's radius, or more where the picture is too small for vessels in proportion. */
  readonly #unit: number;
  readonly #trunk: number;
  readonly #finest: number;
  readonly #step: number;
  readonly #tortuosity: number;
  readonly #sparseness: number;
  readonly #grid: OccupancyGrid<Vessel>;
  readonly #tips: Tip[] = [];
  readonly #vessels: Vessel[] = [];

  constructor(anatomy: Anatomy, state: RandomState) {
    this.#anatomy = anatomy;
    this.#state = state;
    this.#unit = Math.max(anatomy.discRadius, TRUNK_PIXELS / TRUNK);
    this.#trunk = TRUNK * this.#unit * between(state, 0.9, 1.1);
    this.#finest = Math.max(FINEST_PIXELS, FINEST * this.#unit);
    this.#step = Math.max(1, 0.06 * this.#unit);
    this.#tortuosity = between(state, 0.5, 1.3);
    this.#sparseness = between(state, 0.8, 1.3);
    this.#grid = new OccupancyGrid(anatomy.width, anatomy.height, 0.6 * this.#unit);
  }

  run(): Vessel[] {
    this.#plantTrunks();
    for (let tip = this.#widestTip(); tip !== undefined; tip = this.#widestTip()) this.#grow(tip);
    return this.#vessels;
  }

  #plantTrunks(): void {
    const { disc, discRadius, temporal } = this.#anatomy;
    const state = this.#state;
    const [cos, sin] = [Math.cos(temporal) * discRadius, Math.sin(temporal) * discRadius];
    // The central vessels come up a little to the nasal side of the disc's middle, the artery beside the vein.
    const nasal = between(state, 0.08, 0.22);
    for (const kind of ["vein", "artery"] as const) {
      const along = (kind === "artery" ? -0.09 : 0.09) - nasal;
      for (const trunk of TRUNKS) {
        const angle = ((trunk.angle + between(state, -1, 1) * trunk.scatter) * Math.PI) / 180;
        const across = Math.sign(angle) * between(state, 0, 0.22);
        this.#tips.push({
          kind,
          parent: undefined,
          x: disc.x + along * cos - across * sin,
          y: disc.y + along * sin + across * cos,
          heading: temporal + angle,
          width: trunk.width * this.#trunk * (kind === "artery" ? ARTERY : 1) * between(state, 0.85, 1.1),
        });
      }
    }
  }

  #widestTip(): Tip | undefined {
    if (this.#tips.length === 0) return undefined;
    let widest = 0;
    for (let i = 1; i < this.#tips.length; i++)
      if (this.#tips[i].width > this.#tips[widest].width) widest = i;
    return this.#tips.splice(widest, 1)[0];
  }

  #grow(tip: Tip): void {
    const vessel: Vessel = { kind: tip.kind, parent: tip.parent, x: [], y: [], width: [] };
    this.#vessels.push(vessel);
    const walker: Walker = { x: tip.x, y: tip.y, heading: tip.heading, width: tip.width, travelled: 0 };
    const step = this.#step;
    let curvature = 0;
    let nextBranch = this.#branchInterval(tip.width) * (tip.parent === undefined ? 1.6 : 0.7);
    while (Math.abs(walker.heading - tip.heading) < MOST_TURN && !this.#ends(vessel, walker)) {
      vessel.x.push(walker.x);
      vessel.y.push(walker.y);
      vessel.width.push(walker.width);
      this.#grid.add(walker.x, walker.y, vessel, walker.width);
      if (walker.travelled >= nextBranch) {
        const branched = this.#branch(vessel, walker);
        nextBranch = walker.travelled + this.#branchInterval(walker.width) * (branched ? 1 : 0.35);
      }
      curvature += this.#wander(curvature, walker.width);
      walker.heading += (curvature + this.#guidance(walker) + this.#push(vessel, walker)) * step;
      walker.x += step * Math.cos(walker.heading);
      walker.y += step * Math.sin(walker.heading);
      walker.width *= Math.exp(-step / (this.#unit * (5 + 30 * (walker.width / this.#trunk))));
      walker.travelled += step;
    }
  }

  /** The way to the next branching, in pixels. */
  #branchInterval(width: number): number {
    const share = width / this.#trunk;
    return this.#sparseness * this.#unit * between(this.#state, 0.55, 1.6) * (0.8 + 0.4 * share);
  }

  #ends(vessel: Vessel, { x, y, width, travelled }: Walker): boolean {
    const { centre, radius, fovea, discRadius, disc } = this.#anatomy;
    if (width < this.#finest) return true;
    if (distance(x, y, centre) > radius + 2 * width) return true;
    if (distance(x, y, fovea) < 0.5 * discRadius) return true;
    // At the disc all vessels crowd.
    if (distance(x, y, disc) < (vessel.parent === undefined ? 2.5 : 1.4) * discRadius) return false;
    const reach = 2 * this.#trunk;
    return this.#grid.some(x, y, reach, (other, gap, otherWidth) => {
      const crosses = other.kind !== vessel.kind && Math.max(width, otherWidth) > CROSSABLE * this.#trunk;
      if (crosses || isYoungKin(other, vessel, travelled < 2 * reach)) return false;
      return gap < 0.5 * (width + otherWidth) + 0.02 * this.#unit;
    });
  }

  /** What curvature changes by in one step: it is forgotten over a quarter of a unit of way and jolted anew. */
  #wander(curvature: number, width: number): number {
    const forget = this.#step / (0.22 * this.#unit);
    const jolt = (this.#tortuosity * (1.15 - 0.5 * Math.min(1, width / this.#trunk))) / this.#unit;
    return -forget * curvature + jolt * Math.sqrt(2 * forget) * between(this.#state, -1.7, 1.7);
  }

  /** Turning, in radians a pixel, towards the arcade field and, for wide vessels, away from the fovea. */
  #guidance({ x, y, heading, width }: Walker): number {
    const { disc, fovea, temporal, discRadius } = this.#anatomy;
    if (distance(x, y, disc) < discRadius) return 0;
    const place = inDiscFrame(this.#anatomy, x, y);
    // The parabolas stand a little behind the disc, so that the arcades start on their side of the parting.
    const along = place.along + 0.6;
    const span = Math.hypot(fovea.x - disc.x, fovea.y - disc.y) / discRadius;
    // Half the slope of a parabola, turning back to the line beyond the fovea; straight rays on the nasal side.
    const rise = along > 0 ? 0.5 * place.across * (1 - along / (1.25 * span)) : place.across / 1.1;
    const field = temporal + Math.atan2(rise, along);
    const share = Math.min(1, width / this.#trunk);
    let turning = (0.15 + 1.2 * share) * wrap(field - heading);
    const near = 1 - distance(x, y, fovea) / (2.4 * discRadius);
    if (near > 0 && share > 0.3) turning += 3 * near * side(x - fovea.x, y - fovea.y, heading);
    return turning / this.#unit;
  }

  /** Turning, in radians a pixel, away from the vessels ahead. */
  #push(vessel: Vessel, { x, y, heading, travelled }: Walker): number {
    const { disc, discRadius } = this.#anatomy;
    if (distance(x, y, disc) < 1.2 * discRadius) return 0;
    const reach = PUSH_REACH * this.#unit;
    let turning = 0;
    this.#grid.some(x, y, reach, (other, gap, _, px, py) => {
      const ahead = (px - x) * Math.cos(heading) + (py - y) * Math.sin(heading);
      if (gap === 0 || ahead < 0 || isYoungKin(other, vessel, travelled < 1.5 * reach)) return false;
      const strength = (other.kind === vessel.kind ? 1 : 0.3) * (1 - gap / reach);
      turning += strength * side(x - px, y - py, heading);
      return false;
    });
    return (PUSH * turning * this.#step) / this.#unit ** 2;
  }

  /**
   * Splits a vessel: narrows and turns the walker and leaves a daughter's tip. She sets out to the side with more
   * room, and the more there is, the wider she is, having more to supply. False where there is no room, or no width
   * left to share.
   */
  #branch(vessel: Vessel, walker: Walker): boolean {
    const state = this.#state;
    const { x, y, heading, width } = walker;
    if (distance(x, y, this.#anatomy.disc) < 0.9 * this.#anatomy.discRadius) return false;
    const rooms = [this.#room(vessel, x, y, heading + 1), this.#room(vessel, x, y, heading - 1)] as const;
    const hand = rooms[0] * between(state, 0.7, 1.4) > rooms[1] ? 1 : -1;
    const room = hand === 1 ? rooms[0] : rooms[1];
    if (room < between(state, 0.2, 0.6)) return false;
    const forks = draw(state) < 0.04 + 0.4 * (1 - width / this.#trunk);
    const wanted = forks ? between(state, 0.65, 1) : between(state, 0.2, 0.4) + 0.25 * room;
    const ratio = Math.max(wanted, (1.2 * this.#finest) / width);
    if (ratio > 1) return false;
    const main = (1 + ratio ** 3) ** (-1 / 3);
    const small = ratio * main;
    this.#tips.push({
      kind: vessel.kind,
      parent: vessel,
      x,
      y,
      heading: heading + hand * murrayAngle(small, main) * between(state, 0.75, 1.1),
      width: small * width,
    });
    walker.heading -= hand * murrayAngle(main, small);
    walker.width *= main;
    return true;
  }

  /** How empty it is ahead: 1 where nothing is, near 0 in a thicket, 0 at the fovea and outside the field of view. */
  #room(vessel: Vessel, x: number, y: number, heading: number): number {
    const { centre, radius, fovea, discRadius } = this.#anatomy;
    const away = 0.75 * this.#unit;
    const [px, py] = [x + away * Math.cos(heading), y + away * Math.sin(heading)];
    if (distance(px, py, centre) > radius || distance(px, py, fovea) < 0.6 * discRadius) return 0;
    let crowd = 0;
    this.#grid.some(px, py, 0.65 * this.#unit, (other) => {
      if (other !== vessel) crowd += other.kind === vessel.kind ? 1 : 0.6;
      return false;
    });
    return 1 / (1 + crowd / 15);
  }
}

/** By how much a daughter leaves the parent's direction; both daughters' widths as shares of the parent's. */
function murrayAngle(own: number, other: number): number {
  return Math.acos(Math.min(1, (1 + own ** 4 - other ** 4) / (2 * own ** 2)));
}

/** The vessel itself, and parent, daughters and siblings as long as it is close to its start. */
function isYoungKin(other: Vessel, vessel: Vessel, young: boolean): boolean {
  if (other === vessel) return true;
  const { parent } = vessel;
  return (
    young &&
    (other === parent || other.parent === vessel || (parent !== undefined && other.parent === parent))
  );
}

function distance(x: number, y: number, point: Point): number {
  return Math.hypot(x - point.x, y - point.y);
}

/** On which hand of a heading a vector points, and how squarely: 1 where angles grow, -1 on the other. */
function side(dx: number, dy: number, heading: number): number {
  return (Math.cos(heading) * dy - Math.sin(heading) * dx) / Math.hypot(dx, dy);
}

/** The same angle between -pi and pi. */
function wrap(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}
