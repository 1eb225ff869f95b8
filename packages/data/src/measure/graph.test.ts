import fc from "fast-check";
import { expect, it } from "vitest";
import { neighboursOf, vesselGraph } from "./graph.ts";

const sizes = fc.integer({ min: 1, max: 6 });
const masks = fc.tuple(sizes, sizes).chain(([width, height]) =>
  fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    data: fc.uint8Array({ min: 0, max: 1, minLength: width * height, maxLength: width * height }),
  }),
);

it("pixels are joined by sides, and by corners where no side joins them, never around the edge of the picture", () => {
  fc.assert(
    fc.property(masks, ({ width, height, data }) => {
      const at = (x: number, y: number) =>
        x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
      for (let pixel = 0; pixel < data.length; pixel++) {
        const [x, y] = [pixel % width, Math.floor(pixel / width)];
        const wanted: number[] = [];
        for (let v = 0; v < height; v++)
          for (let u = 0; u < width; u++) {
            const isSide = Math.abs(u - x) + Math.abs(v - y) === 1;
            const isCorner = Math.abs(u - x) === 1 && Math.abs(v - y) === 1 && !at(u, y) && !at(x, v);
            if (at(u, v) && (isSide || isCorner)) wanted.push(v * width + u);
          }
        expect(neighboursOf({ width, height, data }, pixel).toSorted((a, b) => a - b)).toEqual(wanted);
      }
    }),
    { numRuns: 200 },
  );
});

it("every step from a pixel to its neighbour lies in one segment, but for those within a branch point", () => {
  fc.assert(
    fc.property(masks, (mask) => {
      const { nodes, segments } = vesselGraph(mask);
      const around = (pixel: number) => neighboursOf(mask, pixel);
      const degree = (pixel: number) => around(pixel).length;
      const step = (from: number, to: number) => `${Math.min(from, to)}-${Math.max(from, to)}`;
      const wanted = new Set<string>();
      for (const pixel of mask.data.keys()) {
        if (mask.data[pixel] === 0) continue;
        for (const next of around(pixel))
          if (degree(pixel) < 3 || degree(next) < 3) wanted.add(step(pixel, next));
      }
      const walked = segments.flatMap(({ path }) => [...path.slice(1)].map((to, i) => step(path[i], to)));
      expect(walked.toSorted()).toEqual([...wanted].toSorted());
      for (const { path, from, to } of segments) {
        for (const pixel of path.slice(1, -1)) expect(degree(pixel)).toBe(2);
        const [first, last] = [path[0], path[path.length - 1]];
        if (from === undefined) expect([to, last, degree(first)]).toEqual([undefined, first, 2]);
        else
          expect([from, to as number].map((node) => nodes[node].kind)).toEqual(
            [first, last].map((pixel) => (degree(pixel) === 1 ? "end" : "branch")),
          );
      }
    }),
    { numRuns: 300 },
  );
});
