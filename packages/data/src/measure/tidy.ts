// What thinning makes of a mask's noise: rings around holes of a few pixels, short spurs at the bumps of an edge, and two
// branch points where thick vessels cross in one.

import type { Mask } from "../image.ts";
import { type VesselGraph, type VesselNode, type VesselSegment, vesselGraph } from "./graph.ts";

/** No vessel goes around so few pixels. */
const LARGEST_HOLE = 8;

/** A mask without holes of a few pixels. */
export function withoutHoles(mask: Mask): Mask {
  const { width, height } = mask;
  const data = Uint8Array.from(mask.data);
  for (let pixel = width; pixel < data.length - width; pixel++) {
    // The first pixel of a hole has marked ones to its left and above.
    if (data[pixel] === 1 || data[pixel - 1] === 0 || data[pixel - width] === 0) continue;
    const hole = [pixel];
    let isOpen = false;
    for (let i = 0; i < hole.length && !isOpen; i++) {
      const x = hole[i] % width;
      isOpen = hole.length > LARGEST_HOLE || x === 0 || x === width - 1;
      isOpen ||= hole[i] < width || hole[i] >= width * (height - 1);
      for (const next of [hole[i] - 1, hole[i] + 1, hole[i] - width, hole[i] + width])
        if (data[next] === 0 && !hole.includes(next)) hole.push(next);
    }
    if (!isOpen && hole.length <= LARGEST_HOLE) for (const inside of hole) data[inside] = 1;
  }
  return { width, height, data };
}

/** A spur may be this much longer than the vessel at its foot is wide to one side: a bump of that height is noise. */
const BUMP = 2;

/**
 * A skeleton without spurs: ends that do not come out of the vessel that they branch from. At each branch point the
 * shortest goes first, until none is left.
 *
 * @param distance of the mask's pixels to the background, in pixels
 */
export function withoutSpurs(skeleton: Mask, distance: Float32Array): Mask {
  const data = Uint8Array.from(skeleton.data);
  const pruned = { ...skeleton, data };
  for (;;) {
    const graph = vesselGraph(pruned);
    const shortest = new Map<number, VesselSegment>();
    for (const segment of graph.segments) {
      const foot = footOf(segment, graph.nodes);
      if (foot === undefined) continue;
      const reach = distance[segment.path[foot.isFirst ? 0 : segment.path.length - 1]] + BUMP;
      const other = shortest.get(foot.node);
      if (chainLength(segment.path, graph.width) > reach) continue;
      if (other === undefined || segment.path.length < other.path.length) shortest.set(foot.node, segment);
    }
    if (shortest.size === 0) return pruned;
    for (const segment of shortest.values()) {
      const { path } = segment;
      const isFirst = footOf(segment, graph.nodes)?.isFirst === true;
      for (const pixel of isFirst ? path.subarray(1) : path.subarray(0, -1)) data[pixel] = 0;
    }
  }
}

/** The branch point at one end of a segment whose other end is free. */
function footOf({ from, to }: VesselSegment, nodes: readonly VesselNode[]) {
  if (from === undefined || to === undefined || nodes[from].kind === nodes[to].kind) return undefined;
  const isFirst = nodes[from].kind === "branch";
  return { node: isFirst ? from : to, isFirst };
}

/** The steps of a path from pixel to pixel: 1 along a side, the root of 2 across a corner. */
export function chainLength(path: ArrayLike<number>, width: number): number {
  let length = 0;
  for (let i = 1; i < path.length; i++) {
    const step = Math.abs(path[i] - path[i - 1]);
    length += step === 1 || step === width ? 1 : Math.SQRT2;
  }
  return length;
}

/** A graph whose branch points in one vessel are one. */
export interface TidyGraph extends VesselGraph {
  /** Those that were within a branch point; they are no segments any more. */
  readonly inner: readonly VesselSegment[];
}

/**
 * Joins branch points that lie within one vessel: where the line between them is no longer than the radii of the discs inscribed
 * at both, which overlap then. The line is no segment any more.
 *
 * @param distance of the mask's pixels to the background, in pixels
 */
export function joinBranches(graph: VesselGraph, distance: Float32Array): TidyGraph {
  const { nodes, segments, width } = graph;
  const parents = nodes.map((_, node) => node);
  const rootOf = (node: number): number => {
    let root = node;
    while (parents[root] !== root) root = parents[root];
    return root;
  };
  const isWithin = ({ path, from, to }: VesselSegment): boolean =>
    from !== undefined &&
    to !== undefined &&
    nodes[from].kind === "branch" &&
    nodes[to].kind === "branch" &&
    chainLength(path, width) <= distance[path[0]] + distance[path[path.length - 1]];
  const inner = new Set(segments.filter(isWithin));
  for (const { from = 0, to = 0 } of inner) parents[rootOf(to)] = rootOf(from);
  const members = new Map<number, number[]>();
  for (const node of nodes.keys()) {
    const root = rootOf(node);
    const joined = members.get(root);
    if (joined === undefined) members.set(root, [node]);
    else joined.push(node);
  }
  const roots = [...members.keys()];
  const places = new Map(roots.map((root, place) => [root, place]));
  const placeOf = (node: number): number => places.get(rootOf(node)) as number;
  const mean = (of: readonly number[], key: "x" | "y") =>
    of.reduce((sum, node) => sum + nodes[node][key], 0) / of.length;
  return {
    ...graph,
    nodes: [...members].map(([root, of]) => ({ kind: nodes[root].kind, x: mean(of, "x"), y: mean(of, "y") })),
    segments: segments
      .filter((segment) => !inner.has(segment))
      .map((segment) =>
        segment.from === undefined || segment.to === undefined
          ? segment
          : { ...segment, from: placeOf(segment.from), to: placeOf(segment.to) },
      ),
    inner: [...inner],
  };
}
