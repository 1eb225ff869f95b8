// Spurs are followed from their ends alone; what goes is what goes where the whole skeleton is taken apart in each round.

import { draw, randomState } from "@saunet/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Mask } from "../image.ts";
import { distanceToBackground } from "./distance.ts";
import { type VesselGraph, type VesselSegment, vesselGraph } from "./graph.ts";
import { skeletonize } from "./thinning.ts";
import { chainLength, withoutHoles, withoutSpurs } from "./tidy.ts";

/** The foot of a segment whose other end is free. */
function footOf({ from, to }: VesselSegment, { nodes }: VesselGraph) {
  if (from === undefined || to === undefined || nodes[from].kind === nodes[to].kind) return undefined;
  const isFirst = nodes[from].kind === "branch";
  return { node: isFirst ? from : to, isFirst };
}

/** As the definition says it: at each branch point the shortest spur, round after round. */
function byTheWholeGraph(skeleton: Mask, distance: Float32Array): Mask {
  const data = Uint8Array.from(skeleton.data);
  for (;;) {
    const graph = vesselGraph({ ...skeleton, data });
    const shortest = new Map<number, VesselSegment>();
    for (const segment of graph.segments) {
      const foot = footOf(segment, graph);
      if (foot === undefined) continue;
      const reach = distance[segment.path[foot.isFirst ? 0 : segment.path.length - 1]] + 2;
      const other = shortest.get(foot.node);
      if (chainLength(segment.path, graph.width) > reach) continue;
      if (other === undefined || segment.path.length < other.path.length) shortest.set(foot.node, segment);
    }
    if (shortest.size === 0) return { ...skeleton, data };
    for (const segment of shortest.values()) {
      const isFirst = footOf(segment, graph)?.isFirst === true;
      const gone = isFirst ? segment.path.subarray(1) : segment.path.subarray(0, -1);
      for (const pixel of gone) data[pixel] = 0;
    }
  }
}

/** Noise, of which means over squares are marked where `side` is more than 1. */
function noise(seed: number, side: number): Mask {
  const [width, height] = [37, 31];
  const random = randomState(seed);
  const values = Float64Array.from({ length: width * height }, () => draw(random));
  const data = Uint8Array.from(values, (_, pixel) => {
    let sum = 0;
    for (let dy = 0; dy < side; dy++)
      for (let dx = 0; dx < side; dx++) sum += values[(pixel + dy * width + dx) % values.length];
    return sum > side * side * (0.35 + 0.2 * draw(random)) ? 1 : 0;
  });
  return { width, height, data };
}

it.each([1, 2, 3, 4])("the same spurs go, of noise in squares of %d", (side) => {
  let pruned = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const mask = withoutHoles(noise(seed, side));
    const distance = distanceToBackground(mask);
    const skeleton = skeletonize(mask);
    const found = withoutSpurs(skeleton, distance);
    expect(found.data, `seed ${seed}`).toEqual(byTheWholeGraph(skeleton, distance).data);
    if (String(found.data) !== String(skeleton.data)) pruned++;
  }
  expect(pruned).toBeGreaterThan(50);
});

/** As the definition says it: what is not marked, joined along sides, of up to 8 pixels, none of them at the picture's edge. */
function filledHoles({ width, height, data }: Mask): Uint8Array {
  const filled = Uint8Array.from(data);
  const seen = new Set<number>();
  for (const start of data.keys()) {
    if (data[start] === 1 || seen.has(start)) continue;
    const hole = [start];
    seen.add(start);
    for (const pixel of hole) {
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      for (const [dx, dy] of [
        [-1, 0],
        [1, 0],
        [0, -1],
        [0, 1],
      ]) {
        const next = (y + dy) * width + x + dx;
        const isInside = x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height;
        if (!isInside || data[next] === 1 || seen.has(next)) continue;
        seen.add(next);
        hole.push(next);
      }
    }
    const isAtEdge = hole.some((pixel) => {
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      return x === 0 || y === 0 || x === width - 1 || y === height - 1;
    });
    if (hole.length <= 8 && !isAtEdge) for (const pixel of hole) filled[pixel] = 1;
  }
  return filled;
}

it("holes of up to 8 pixels are filled, and neither larger ones nor bays of the picture's edge", () => {
  const sizes = fc.integer({ min: 1, max: 14 });
  const masks = fc
    .tuple(sizes, sizes)
    .chain(([width, height]) =>
      fc
        .array(fc.constantFrom(0, 1, 1), { minLength: width * height, maxLength: width * height })
        .map((data) => ({ width, height, data: Uint8Array.from(data) })),
    );
  fc.assert(
    fc.property(masks, (mask) => {
      const before = Uint8Array.from(mask.data);
      expect(withoutHoles(mask).data).toEqual(filledHoles(mask));
      expect(mask.data).toEqual(before);
    }),
    { numRuns: 300 },
  );
});
