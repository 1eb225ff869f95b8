// A skeleton as a graph: branch points and ends, and the segments of vessel between them.
//
// Pixels of a skeleton are neighbours where they share a side, and where they share a corner and no third pixel of the
// skeleton joins them by sides (mixed adjacency: Rosenfeld, Journal of the ACM 17(1), 1970). So a corner is two steps and no
// triangle, and the number of a pixel's neighbours says what it is: 1 an end, 2 a part of a line, 3 or more a branch.

import type { Mask } from "../image.ts";
import { expectMask } from "./expect-mask.ts";

/** Where segments end: at a branch point, or where a vessel ends. */
export interface VesselNode {
  readonly kind: "end" | "branch";
  /** The mean of its pixels' columns and rows. */
  readonly x: number;
  readonly y: number;
}

/** A line of the skeleton from one node to another, or a closed one. */
export interface VesselSegment {
  /** Its pixels in order (row * width + column), those of the nodes at both ends included. */
  readonly path: Int32Array;
  /** Places among the nodes; none of a closed line that meets no branch point. */
  readonly from?: number;
  readonly to?: number;
}

/** A skeleton taken apart. */
export interface VesselGraph {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly VesselNode[];
  readonly segments: readonly VesselSegment[];
}

/**
 * Takes a skeleton apart. Branch pixels that touch are one node; pixels without any neighbour are left out.
 *
 * @param skeleton lines of one pixel, as {@link skeletonize} makes them
 * @throws ShapeError where the array does not fill the picture; RangeError where it holds anything but 0 and 1
 * @example
 * const tee = { width: 5, height: 3, data: Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0) };
 * const { nodes, segments } = vesselGraph(tee);
 * console.log(nodes.map(({ kind }) => kind).join(" "), segments.length); // branch end end end 3
 */
export function vesselGraph(skeleton: Mask): VesselGraph {
  expectMask("vesselGraph", "skeleton", skeleton);
  const { width, height } = skeleton;
  const pixels: number[] = [];
  for (let pixel = 0; pixel < skeleton.data.length; pixel++)
    if (skeleton.data[pixel] === 1) pixels.push(pixel);
  const neighbours = new Map(pixels.map((pixel) => [pixel, neighboursOf(skeleton, pixel)]));
  const { nodes, nodeAt } = nodesOf(neighbours, width);
  const segments: VesselSegment[] = [];
  const walked = new Set<number>();
  /** Follows a line until a node, or until it closes. */
  const walk = (start: number, next: number): Int32Array => {
    const path = [start, next];
    for (let [before, pixel] = [start, next]; !nodeAt.has(pixel) && pixel !== start; ) {
      walked.add(pixel);
      const [one, other] = neighbours.get(pixel) as number[];
      [before, pixel] = [pixel, one === before ? other : one];
      path.push(pixel);
    }
    return Int32Array.from(path);
  };
  for (const [pixel, from] of nodeAt) {
    for (const next of neighbours.get(pixel) as number[]) {
      // Every segment is met from both of its ends; one of two pixels has no inner pixel to remember it by.
      const isMet = nodeAt.has(next) ? nodeAt.get(next) === from || next < pixel : walked.has(next);
      if (isMet) continue;
      const path = walk(pixel, next);
      segments.push({ path, from, to: nodeAt.get(path[path.length - 1]) as number });
    }
  }
  for (const [pixel, around] of neighbours) {
    if (around.length !== 2 || nodeAt.has(pixel) || walked.has(pixel)) continue;
    walked.add(pixel);
    segments.push({ path: walk(pixel, around[0]) });
  }
  return { width, height, nodes, segments };
}

/** The pixels of the skeleton that are joined to one, by sides first. */
export function neighboursOf({ width, height, data }: Mask, pixel: number): number[] {
  const x = pixel % width;
  const y = (pixel - x) / width;
  const isMarked = (dx: number, dy: number): boolean =>
    x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height && data[pixel + dy * width + dx] === 1;
  const found: number[] = [];
  for (const [dx, dy] of SIDES) if (isMarked(dx, dy)) found.push(pixel + dy * width + dx);
  for (const [dx, dy] of CORNERS) {
    if (isMarked(dx, dy) && !isMarked(dx, 0) && !isMarked(0, dy)) found.push(pixel + dy * width + dx);
  }
  return found;
}

const SIDES = [
  [1, 0],
  [0, -1],
  [-1, 0],
  [0, 1],
] as const;
const CORNERS = [
  [1, -1],
  [-1, -1],
  [-1, 1],
  [1, 1],
] as const;

/** The nodes, and the node of each pixel that belongs to one. */
function nodesOf(neighbours: ReadonlyMap<number, readonly number[]>, width: number) {
  const nodes: VesselNode[] = [];
  const nodeAt = new Map<number, number>();
  const add = (kind: VesselNode["kind"], members: readonly number[]): void => {
    let [x, y] = [0, 0];
    for (const pixel of members) {
      nodeAt.set(pixel, nodes.length);
      x += (pixel % width) / members.length;
      y += Math.floor(pixel / width) / members.length;
    }
    nodes.push({ kind, x, y });
  };
  for (const [pixel, around] of neighbours) {
    if (around.length < 3 || nodeAt.has(pixel)) continue;
    const members = [pixel];
    const seen = new Set(members);
    for (const member of members) {
      for (const other of neighbours.get(member) as readonly number[]) {
        if (seen.has(other) || (neighbours.get(other) as readonly number[]).length < 3) continue;
        seen.add(other);
        members.push(other);
      }
    }
    add("branch", members);
  }
  for (const [pixel, around] of neighbours) if (around.length === 1) add("end", [pixel]);
  return { nodes, nodeAt };
}
