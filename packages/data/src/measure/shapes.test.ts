// Shapes whose figures are known: lines, rings, sine waves, forks, fractals.

import { describe, expect, it } from "vitest";
import { fractalDimensions } from "./fractal.ts";
import { measureVessels } from "./measure.ts";
import { blank, drawn, type Point, stroke } from "./testing.ts";

/** Within a share of the true value. */
function expectNear(found: number | undefined, truth: number, share: number): void {
  expect(Math.abs((found ?? Number.NaN) / truth - 1)).toBeLessThan(share);
}

function bar(angle: number, thickness: number, length = 200) {
  const mask = blank(300, 300);
  const [dx, dy] = [(length / 2) * Math.cos(angle), (length / 2) * Math.sin(angle)];
  stroke(
    mask,
    [
      [150 - dx, 150 - dy],
      [150 + dx, 150 + dy],
    ],
    thickness,
  );
  return mask;
}

describe.each([0, 5, 12, 20, 33, 45, 63, 90])("a bar at %i degrees", (degrees) => {
  it.each([5, 9, 13])("of %i pixels is as wide, as long and as straight as it is", (thickness) => {
    const { figures } = measureVessels(bar((degrees * Math.PI) / 180, thickness));
    const { vesselWidth, tortuosity } = figures;
    // Half a pixel: a digital line at 45 degrees is up to that much wider or narrower than what was drawn.
    expect(Math.abs((vesselWidth?.mean ?? 0) - thickness)).toBeLessThan(0.55);
    expect(tortuosity?.arcOverChord).toBeLessThan(1.005);
    expect(tortuosity?.curvature).toBeLessThan(0.012);
    // Thinning shortens both ends by up to the radius, or runs on into a corner.
    expect(Math.abs(figures.length - 200)).toBeLessThan(thickness);
    expect([figures.endPoints, figures.branchPoints, figures.pieces]).toEqual([2, 0, 1]);
  });
});

it("a bar along the rows is measured exactly", () => {
  const { figures } = measureVessels(drawn(100, 40, (_, y) => y >= 10 && y < 17));
  for (const name of ["mean", "median", "p5", "p95"] as const)
    expect(figures.vesselWidth?.[name]).toBeCloseTo(7, 12);
  expect(figures.vesselDensity).toBe(7 / 40);
  expect(figures.tortuosity?.arcOverChord).toBeCloseTo(1, 12);
  expect(figures.tortuosity).toMatchObject({ curvature: 0, squaredCurvature: 0 });
});

describe.each([20, 30, 50, 100])("a ring of radius %i", (radius) => {
  const ring = drawn(300, 300, (x, y) => Math.abs(Math.hypot(x - 150.3, y - 149.6) - radius) < 2.5);
  const { figures, segments } = measureVessels(ring);

  it("is as long and as wide as it is", () => {
    expectNear(figures.length, 2 * Math.PI * radius, radius < 30 ? 0.03 : 0.01);
    expectNear(figures.vesselWidth?.mean, 5, 0.02);
    expect([figures.endPoints, figures.branchPoints, segments.length]).toEqual([0, 0, 1]);
    expect(figures.reasons.tortuosity).toBe("no segment runs freely for 12 pixels");
  });
});

it("half a ring has the curvature of its radius, and the arc over chord of the part that its ends do not bend", () => {
  const half = drawn(300, 300, (x, y) => y < 150 && Math.abs(Math.hypot(x - 150, y - 150) - 80) < 2.5);
  const { figures, segments } = measureVessels(half);
  const { tortuosity } = figures;
  expectNear(tortuosity?.curvature, 1 / 80, 0.05);
  expectNear(tortuosity?.squaredCurvature, 1 / 80 ** 2, 0.25);
  const angle = (segments[0].course?.length ?? 0) / 80;
  // Thinning and the flare take 8 pixels of each end.
  expect(angle).toBeGreaterThan(Math.PI - 17 / 80);
  expectNear(tortuosity?.arcOverChord, angle / 2 / Math.sin(angle / 2), 0.01);
});

describe.each([
  [10, 100],
  [20, 100],
  [20, 200],
])("a sine wave of amplitude %i and period %i", (amplitude, period) => {
  const wave = (2 * Math.PI) / period;
  const points = Array.from(
    { length: 801 },
    (_, i): Point => [50 + i / 2, 100 + amplitude * Math.sin((wave * i) / 2)],
  );

  it.each([3, 7])("of %i pixels has its length and curvature", (thickness) => {
    const mask = blank(500, 200);
    stroke(mask, points, thickness);
    // By the midpoint rule, from the derivatives.
    let [length, curvature, squared] = [0, 0, 0];
    for (let x = 0.005; x < 400; x += 0.01) {
      const slope = amplitude * wave * Math.cos(wave * x);
      const ds = Math.hypot(1, slope) * 0.01;
      const k = Math.abs(amplitude * wave ** 2 * Math.sin(wave * x)) / Math.hypot(1, slope) ** 3;
      length += ds;
      curvature += k * ds;
      squared += k * k * ds;
    }
    const { vesselWidth, tortuosity } = measureVessels(mask).figures;
    expectNear(tortuosity?.arcOverChord, length / 400, 0.02);
    expectNear(tortuosity?.curvature, curvature / length, 0.06);
    expectNear(tortuosity?.squaredCurvature, squared / length, 0.12);
    expectNear(vesselWidth?.mean, thickness, 0.05);
  });
});

describe.each([40, 60, 75, 90])("a fork of %i degrees", (degrees) => {
  it.each([0, 17, 45, 70])("turned by %i has its angle", (turn) => {
    const mask = blank(300, 300);
    const to = (angle: number): Point => [
      150 + 110 * Math.cos(((angle + turn) * Math.PI) / 180),
      150 + 110 * Math.sin(((angle + turn) * Math.PI) / 180),
    ];
    for (const angle of [180, -degrees / 2, degrees / 2]) stroke(mask, [[150, 150], to(angle)], 5);
    const { figures } = measureVessels(mask);
    expect([figures.branchPoints, figures.endPoints, figures.segments]).toEqual([1, 3, 3]);
    expect(Math.abs((figures.branchingAngle?.mean ?? 0) - degrees)).toBeLessThan(4);
  });
});

it("forks at both ends of a trunk have each their own angle", () => {
  const mask = blank(400, 300);
  const [left, right]: Point[] = [
    [120, 150],
    [280, 150],
  ];
  const arm = ([x, y]: Point, degrees: number) => {
    const angle = (degrees * Math.PI) / 180;
    stroke(
      mask,
      [
        [x, y],
        [x + 100 * Math.cos(angle), y + 100 * Math.sin(angle)],
      ],
      5,
    );
  };
  stroke(mask, [left, right], 5);
  for (const degrees of [150, 210]) arm(left, degrees);
  for (const degrees of [-20, 20]) arm(right, degrees);
  const { branchingAngle } = measureVessels(mask).figures;
  expect(branchingAngle?.count).toBe(2);
  expect(Math.abs((branchingAngle?.mean ?? 0) - 50)).toBeLessThan(3);
  expect(Math.abs((branchingAngle?.deviation ?? 0) - 10)).toBeLessThan(3);
});

it("thick vessels that cross are one branch point of four segments", () => {
  const mask = blank(200, 200);
  stroke(
    mask,
    [
      [10, 60],
      [190, 140],
    ],
    9,
  );
  stroke(
    mask,
    [
      [10, 140],
      [190, 60],
    ],
    9,
  );
  const { figures } = measureVessels(mask);
  expect([figures.branchPoints, figures.endPoints, figures.segments]).toEqual([1, 4, 4]);
});

it("bumps at the edge of a vessel are no branches", () => {
  const mask = drawn(200, 60, (x, y) => y >= 25 && y < 34 + (x % 20 === 0 ? 2 : 0));
  expect(measureVessels(mask).figures).toMatchObject({ branchPoints: 0, segments: 1 });
});

describe("fractal dimensions", () => {
  const koch = ([ax, ay]: Point, [bx, by]: Point, depth: number): Point[] => {
    if (depth === 0) return [[ax, ay]];
    const [dx, dy] = [(bx - ax) / 3, (by - ay) / 3];
    const [c, d]: [Point, Point] = [
      [ax + dx, ay + dy],
      [bx - dx, by - dy],
    ];
    const tip: Point = [c[0] + dx / 2 + (Math.sqrt(3) / 2) * dy, c[1] + dy / 2 - (Math.sqrt(3) / 2) * dx];
    const corners: Point[] = [[ax, ay], c, tip, d, [bx, by]];
    return corners.slice(1).flatMap((corner, i) => koch(corners[i], corner, depth - 1));
  };
  const curve = blank(1000, 400);
  stroke(curve, [...koch([10, 350], [990, 350], 6), [990, 350]], 1);
  const line = blank(512, 512);
  stroke(
    line,
    [
      [10, 10],
      [500, 470],
    ],
    1,
  );
  const isInCarpet = (x: number, y: number): boolean => {
    for (let [u, v] = [x, y]; u > 0 || v > 0; u = Math.floor(u / 3), v = Math.floor(v / 3))
      if (u % 3 === 1 && v % 3 === 1) return false;
    return true;
  };
  // Sets that fill an area lose most: boxes that their edge cuts count as whole ones.
  it.each([
    ["a line", line, 1, 0.04],
    ["a Koch curve", curve, Math.log(4) / Math.log(3), 0.05],
    ["a Sierpinski triangle", drawn(1024, 1024, (x, y) => (x & y) === 0), Math.log(3) / Math.log(2), 0.03],
    ["a Sierpinski carpet", drawn(729, 729, isInCarpet), Math.log(8) / Math.log(3), 0.12],
    ["a square", drawn(512, 512, () => true), 2, 0.12],
  ] as const)("of %s are %f", (_, mask, truth, bound) => {
    const { d0, d1, d2, boxes } = fractalDimensions(mask) ?? {};
    for (const dimension of [d0, d1, d2]) {
      expect(Math.abs((dimension?.value ?? 0) - truth)).toBeLessThan(bound);
      expect(dimension?.r2).toBeGreaterThan(0.999);
    }
    expect(boxes).toHaveLength(9);
  });

  it("do not depend on where in a picture the shape is, nor on how large that is", () => {
    const shape = (x: number, y: number) => (x * 7 + y * 3) % 5 < 2 && x >= 0 && y >= 0 && x < 90 && y < 80;
    const tight = fractalDimensions(drawn(90, 80, shape));
    expect(tight?.boxes.length).toBeGreaterThanOrEqual(5);
    expect(fractalDimensions(drawn(130, 110, (x, y) => shape(x - 23, y - 11)))).toEqual(tight);
  });

  it("of what is too small are not made up", () => {
    expect(fractalDimensions(drawn(60, 60, () => true))).toBeUndefined();
    expect(fractalDimensions(blank(300, 300))).toBeUndefined();
  });
});
