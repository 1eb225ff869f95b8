import fc from "fast-check";
import { expect, it } from "vitest";
import { neighboursOf } from "./graph.ts";

it("pixels are joined by sides, and by corners where no side joins them, never around the edge of the picture", () => {
  const sizes = fc.integer({ min: 1, max: 5 });
  const masks = fc.tuple(sizes, sizes).chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      data: fc.uint8Array({ min: 0, max: 1, minLength: width * height, maxLength: width * height }),
    }),
  );
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
