// Where a chart puts things: its axes say what its lines, rules, dots and bands mean.

import { describe, expect, it } from "vitest";
import { binned, type Chart, drawChart } from "./chart.ts";

const of = (chart: Partial<Chart>): string =>
  drawChart({ title: "t", x: "step", lines: [], ...chart })!.markup;
const line = (points: Chart["lines"][number]["points"], name = "a") => ({ name, points });
const numbers = (text: string) => (text.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);

/** The values beside the axis and where they stand, from the top. */
function yTicks(svg: string): { value: number; y: number }[] {
  const found = svg.matchAll(/class="grid" [^>]*y1="([\d.]+)"[^>]*\/><text [^>]*>([^<]*)<\/text>/g);
  return [...found].map(([, y, text]) => ({ value: Number(text.replace("−", "-")), y: Number(y) }));
}

/** Where a value stands on a linear axis. */
function place(svg: string, value: number): number {
  const [one, other] = yTicks(svg);
  return one.y + ((other.y - one.y) * (value - one.value)) / (other.value - one.value);
}

describe("a chart", () => {
  it("has a line through its points, by its axis", () => {
    const svg = of({
      lines: [
        line([
          [0, 0],
          [5, 0.25],
          [10, 1],
        ]),
      ],
    });
    const [, path = ""] = /class="line line-0" d="([^"]+)"/.exec(svg) ?? [];
    const points = numbers(path);
    expect(points.filter((_, i) => i % 2 === 0)).toEqual([52, 217, 382]);
    for (const [i, value] of [0, 0.25, 1].entries())
      expect(points[2 * i + 1]).toBeCloseTo(place(svg, value), 0);
    expect(yTicks(svg).map(({ value }) => value)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    const xTicks = [...svg.matchAll(/<text x="([\d.]+)" y="219" text-anchor="middle">(\d+)<\/text>/g)];
    expect(xTicks.map(([, x, text]) => [Number(text), Number(x)])).toEqual(
      [0, 2, 4, 6, 8, 10].map((step) => [step, 52 + 33 * step]),
    );
    expect(svg).toContain(">step</text>");
    expect(svg).not.toMatch(/circle|rule|band|legend/);
  });

  it("says its title, and who cannot see it hears it", () => {
    const svg = of({ title: "loss & rate", lines: [line([[0, 1]])] });
    expect(svg).toContain("<figcaption>loss &#38; rate</figcaption>");
    expect(svg).toContain('role="img" aria-label="loss &#38; rate"');
  });

  it("has tens at equal distances where it is logarithmic, and texts that are short", () => {
    const lines = [
      line([
        [0, 0.01],
        [1, 100],
      ]),
    ];
    const ticks = yTicks(of({ lines, log: true }));
    const tens = ticks.filter(({ value }) => Number.isInteger(Math.log10(value)));
    expect(tens.map(({ value }) => value)).toEqual([0.01, 0.1, 1, 10, 100]);
    for (const [i, { y }] of tens.entries()) expect(y).toBeCloseTo(204 - (i * 194) / 4, 0);
    // No tick without a text.
    expect(ticks.every(({ value }) => value > 0)).toBe(true);
  });

  it("leaves out points at no place", () => {
    const points = [
      [Number.NaN, 7],
      [1, 1],
      [2, 3],
    ] as const;
    expect(of({ lines: [line(points)] })).toBe(of({ lines: [line(points.slice(1))] }));
  });

  it("marks each point of a line of dots, and of others none but one that is alone", () => {
    const points = [
      [0, 0],
      [10, 1],
    ] as const;
    const dots = of({ lines: [{ ...line(points), dots: true }, line(points, "b")] });
    expect(
      [...dots.matchAll(/<circle class="dot-0" cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, ...at]) => at),
    ).toEqual([
      ["52.0", "204.0"],
      ["382.0", "10.0"],
    ]);
    expect(dots).not.toContain("dot-1");
    expect(of({ lines: [line([[3, 0.5]])] })).toContain('class="dot-0"');
  });

  it("has a rule at its value, with its name, for which the axis makes room", () => {
    const lines = [
      line([
        [0, 0],
        [10, 1],
      ]),
    ];
    const svg = of({ lines, rule: { y: 2, label: "start" } });
    const [, x1, x2, y1, y2] =
      /class="rule" x1="([\d.]+)" x2="([\d.]+)" y1="([\d.]+)" y2="([\d.]+)"/.exec(svg) ?? [];
    expect([x1, x2].map(Number)).toEqual([52, 382]);
    expect(y1).toBe(y2);
    expect(Number(y1)).toBeCloseTo(place(svg, 2), 0);
    const [, note, label] = /class="note" x="382" y="([\d.]+)" text-anchor="end">(\w+)</.exec(svg) ?? [];
    expect([Number(note), label]).toEqual([Number(y1) - 4, "start"]);
  });

  it("has a band from the lowest to the highest, for which the axis makes room", () => {
    const svg = of({
      lines: [
        line([
          [0, 1],
          [10, 1],
        ]),
      ],
      band: [
        [0, 0, 2],
        [10, 0.5, 4],
      ],
    });
    const [, path = ""] = /class="band" d="([^"]+)"/.exec(svg) ?? [];
    // Along the highest values, and back along the lowest.
    const points = numbers(path);
    expect(points.filter((_, i) => i % 2 === 0)).toEqual([52, 382, 382, 52]);
    for (const [i, value] of [2, 4, 0.5, 0].entries())
      expect(points[2 * i + 1]).toBeCloseTo(place(svg, value), 0);
  });

  it.each([0, -2, 5])("keeps room above and below where all values are %d", (value) => {
    const svg = of({
      lines: [
        line([
          [0, value],
          [1, value],
        ]),
      ],
    });
    const [, path = ""] = /class="line line-0" d="([^"]+)"/.exec(svg) ?? [];
    const [, first, , second] = numbers(path);
    expect(first).toBe(second);
    expect(first).toBeCloseTo(place(svg, value), 0);
    expect(Math.min(first - 10, 204 - first)).toBeGreaterThan(40);
  });

  it("tells its lines apart where there are several, and says no name where there is one", () => {
    const points = [
      [0, 0],
      [1, 1],
    ] as const;
    const two = of({ lines: [line(points, "loss"), line(points, "F1")] });
    expect(two).toMatch(/key-0"><\/span>loss .*key-1"><\/span>F1 /);
    expect(two).toMatch(/line-0.*line-1/);
    expect(of({ lines: [line(points, "loss")] })).not.toContain("loss");
  });
});

describe("a line of many points", () => {
  it("is one of means, each at the end of its stretch, of what is a number", () => {
    const points = Array.from({ length: 601 }, (_, i) => [i, i === 1 ? Number.NaN : i] as const);
    const { mean, band } = binned(points);
    // Stretches of three.
    expect(mean).toHaveLength(201);
    expect([mean[0], band[0]]).toEqual([
      [2, 1],
      [2, 0, 2],
    ]);
    expect([mean[200], band[200]]).toEqual([
      [600, 600],
      [600, 600, 600],
    ]);
  });

  it("is as it is up to 300, and has nothing where nothing is a number", () => {
    const points = Array.from({ length: 300 }, (_, i) => [i, 2 * i] as const);
    expect(binned(points).mean).toEqual(points.map((point) => [...point]));
    expect(binned([[0, Number.NaN]])).toEqual({ mean: [], band: [] });
    expect(binned([])).toEqual({ mean: [], band: [] });
  });
});
