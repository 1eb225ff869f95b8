// What the line of a mask, the headings of its figures and a refusal say, and what they leave out.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mask } from "@saunet/data";
import { measureVessels, NO_MEDICAL_DEVICE } from "@saunet/data/measure";
import { afterAll, beforeAll, expect, it } from "vitest";
import { saunet, write } from "../testing.ts";

const SIDE = 200;
/** Straight vessels from the disc in the middle outwards, one in every so many degrees. */
function rays(count: number, first: number, halfWidth: number): Mask {
  const data = new Uint8Array(SIDE * SIDE);
  for (let pixel = 0; pixel < data.length; pixel++) {
    const [x, y] = [(pixel % SIDE) - 100, Math.floor(pixel / SIDE) - 100];
    for (let i = 0; i < count; i++) {
      const angle = first + (2 * Math.PI * i) / count;
      const [along, aside] = [
        x * Math.cos(angle) + y * Math.sin(angle),
        y * Math.cos(angle) - x * Math.sin(angle),
      ];
      if (along > 25 && along < 90 && Math.abs(aside) < halfWidth) data[pixel] = 1;
    }
  }
  return { width: SIDE, height: SIDE, data };
}
const [arteries, veins] = [rays(6, 0.1, 2), rays(6, 0.1 + Math.PI / 6, 3)];
const both: Mask = { ...arteries, data: arteries.data.map((value, i) => value | veins.data[i]) };

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-lines-"));
  await write(join(here, "eye.png"), both);
  await write(join(here, "arteries.png"), arteries);
  await write(join(here, "veins.png"), veins);
});
afterAll(() => rm(here, { recursive: true }));
const measure = (...argv: string[]) => saunet(here, ["measure", "eye.png", ...argv]);
const found = measureVessels(both).figures;

it("says the figures, and of what is missing the reason, but for calibres, which only some ask for", async () => {
  const { code, out } = await measure();
  expect(code).toBe(0);
  const [notice, line] = out.split("\n");
  expect(notice).toBe(NO_MEDICAL_DEVICE);
  const { mean, median } = found.vesselWidth!;
  expect(line.split("; ")).toEqual([
    [
      "eye.png: 200x200",
      `vessels ${(100 * found.vesselDensity!).toFixed(1)} % of the field of view`,
      `length ${found.length.toFixed(0)} px`,
      `width ${mean.toFixed(1)} px`,
      `median ${median.toFixed(1)} px`,
      "0 branch points",
      "24 ends",
      `D0 ${found.fractal!.d0.value.toFixed(3)}`,
      `arc over chord ${found.tortuosity!.arcOverChord.toFixed(3)}`,
    ].join(", "),
    "no branchingAngle: no branch point with three segments long enough",
  ]);
});

it("says the ratio of arteries to veins where it is known, and how large things are on the retina", async () => {
  const { out } = await measure(
    ...["--disc", "100,100,20", "--arteries", "arteries.png", "--veins", "veins.png"],
    ...["--micrometres-per-pixel", "10"],
  );
  const { mean, median } = found.vesselWidth!;
  const onRetina = (pixels: number) => `${pixels.toFixed(1)} px = ${(10 * pixels).toFixed(0)} um`;
  expect(out).toContain(`, width ${onRetina(mean)}, median ${onRetina(median)}, 0 branch points`);
  // That the scale is the command line's needs no saying.
  expect(out).not.toContain("scale");
  const options = { disc: { x: 100, y: 100, radius: 20 }, arteries, veins };
  const { avr } = measureVessels(both, options).figures.calibres!.knudtson!;
  // Arteries are about two thirds as wide as veins.
  expect(avr).toBeGreaterThan(0.5);
  expect(avr).toBeLessThan(0.8);
  expect(out).toContain(`, AVR ${avr.toFixed(3)}`);
});

it.each<[string[], RegExp, RegExp]>([
  [[], /^mask,field_area_px2,.*,notice$/, /^eye\.png,40000,/],
  [
    ["--micrometres-per-pixel", "10"],
    /^mask,field_area_px2,.*,micrometres_per_pixel,scale_from,notice$/,
    /,10,the command line,/,
  ],
])(
  "heads every column of the figures, those of the scale where there is one: %j",
  async (argv, heading, row) => {
    expect((await measure("--csv", "figures.csv", ...argv)).code).toBe(0);
    const lines = (await readFile(join(here, "figures.csv"), "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(heading);
    expect(lines[0].includes("scale")).toBe(argv.length > 0);
    expect(lines[1]).toMatch(row);
    expect(lines[1].endsWith(`,${NO_MEDICAL_DEVICE}`)).toBe(true);
    const cells = lines[1].slice(0, -1 - NO_MEDICAL_DEVICE.length).split(",");
    expect(cells.length + 1).toBe(lines[0].split(",").length);
  },
);

it("names the pictures that might each belong to a mask", async () => {
  for (const name of ["eye-a", "eye-b"]) await write(join(here, "fields", `${name}.png`), both);
  const { code, err } = await measure("--fields", "fields");
  expect([code, err]).toEqual([
    2,
    "saunet: eye.png: option '--fields <path>' wants another picture for it, and fields has eye-a, eye-b\n",
  ]);
});
