import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fieldOfView, type Mask, syntheticFundus } from "@saunet/data";
import { readMask, readPhotograph } from "@saunet/data/files";
import { findDisc, measureVessels, NO_MEDICAL_DEVICE, vesselColumns } from "@saunet/data/measure";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, saunet, write, writeFreshWeights } from "../testing.ts";

const size = { width: 200, height: 160 };
const one = syntheticFundus({ seed: 1, ...size });
const two = syntheticFundus({ seed: 2, ...size });
const ofKind = (kind: number): Mask => ({
  ...size,
  data: Uint8Array.from(one.classes.data, (value) => (value === kind ? 1 : 0)),
});
let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-measure-"));
  await write(join(here, "masks/a.png"), one.vessels);
  await write(join(here, "masks/b.png"), two.vessels);
  await write(join(here, "photos/a.png"), one.image);
  await write(join(here, "photos/b.png"), two.image);
  await write(join(here, "fields/a_mask.png"), one.fieldOfView);
  await write(join(here, "fields/b_mask.png"), two.fieldOfView);
  await write(join(here, "arteries.png"), ofKind(1));
  await write(join(here, "veins.png"), ofKind(2));
  await write(join(here, "small.png"), { width: 4, height: 4, data: new Uint8Array(16) });
});
afterAll(() => rm(here, { recursive: true }));
const measure = (...argv: string[]) => saunet(here, ["measure", ...argv]);

describe("saunet measure", () => {
  it("gives the figures of the API, of each mask of a folder, in its own field of view", async () => {
    const { code, out, err } = await measure("masks", "--fields", "fields", "--json");
    expect([code, err]).toEqual([0, ""]);
    const { notice, images, failed } = JSON.parse(out);
    expect([notice, failed]).toEqual([NO_MEDICAL_DEVICE, []]);
    expect(images).toEqual(
      [one, two].map(({ vessels, fieldOfView }, i) => {
        const { figures } = measureVessels(vessels, { fieldOfView });
        return { mask: `masks/${"ab"[i]}.png`, figures, columns: vesselColumns(figures) };
      }),
    );
  });

  it("writes CSV with units and the notice, and pictures", async () => {
    const { code, out } = await measure(
      ...["masks", "--photographs", "photos", "--micrometres-per-pixel", "8"],
      ...["--csv", "figures.csv", "-o", "measured"],
    );
    expect(code).toBe(0);
    const [notice, a, b] = out.split("\n");
    expect(notice).toBe(NO_MEDICAL_DEVICE);
    expect(a).toMatch(
      /^masks\/a\.png: 200x160, vessels \d+\.\d % .* width \d\.\d px = \d+ um.* -> measured\/a-measures\.png$/,
    );
    const { mean } = measureVessels(one.vessels, { fieldOfView: fieldOfView(one.image) }).figures
      .vesselWidth!;
    expect(a).toContain(` width ${mean.toFixed(1)} px = ${(8 * mean).toFixed(0)} um, median `);
    expect(b).toMatch(/^masks\/b\.png: /);
    const [heading, ...rows] = (await readFile(join(here, "figures.csv"), "utf8")).trimEnd().split("\n");
    expect(heading).toMatch(/^mask,field_area_px2,vessel_density,length_px,length_mm,.*,notice$/);
    expect(rows.map((row) => row.split(",")[0])).toEqual(["masks/a.png", "masks/b.png"]);
    for (const row of rows) expect(row.endsWith(NO_MEDICAL_DEVICE)).toBe(true);
    expect(rows.join()).not.toMatch(/NaN|undefined|Infinity/);
    expect((await readdir(join(here, "measured"))).sort()).toEqual(["a-measures.png", "b-measures.png"]);
    const picture = await readFile(join(here, "measured/a-measures.png"));
    expect(picture.includes(`Comment\0${NO_MEDICAL_DEVICE}`, 0, "latin1")).toBe(true);
    expect((await readPhotograph(join(here, "measured/a-measures.png"))).data).not.toEqual(one.image.data);
    // Its own pictures it may replace; those of others not.
    expect((await measure("masks", "--fields", "fields", "-o", "measured")).code).toBe(0);
    await write(join(here, "measured/a-measures.png"), one.vessels);
    const refused = await measure("masks", "--fields", "fields", "-o", "measured");
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/a-measures\.png is there, and saunet did not write it/);
  });

  it("adds zones and central equivalents, or the reason why there are none", async () => {
    const { code, out } = await measure(
      ...[
        "masks/a.png",
        "--fields",
        "fields/a_mask.png",
        "--arteries",
        "arteries.png",
        "--veins",
        "veins.png",
      ],
      ...["--disc", "100,80,12", "--json"],
    );
    expect(code).toBe(0);
    const [{ figures, columns }] = JSON.parse(out).images;
    const { figures: wanted } = measureVessels(one.vessels, {
      fieldOfView: one.fieldOfView,
      disc: { x: 100, y: 80, radius: 12 },
      arteries: ofKind(1),
      veins: ofKind(2),
    });
    expect(figures).toEqual(wanted);
    expect(columns.map(({ name }: { name: string }) => name)).toContain("zone_c_width_mean_px");
    const avr = columns.find(({ name }: { name: string }) => name === "avr_knudtson");
    const known = wanted.calibres?.knudtson?.avr;
    expect(avr.value ?? avr.reason).toBe(
      known === undefined ? wanted.reasons.knudtson : Number(known.toPrecision(10)),
    );
  });

  it("takes the masks of what saunet segment wrote, and their photographs", async () => {
    await writeFreshWeights(join(here, "tiny.safetensors"));
    await saunet(here, ["segment", "photos/a.png", "--weights", "tiny.safetensors", "-o", "out"]);
    const { code, out, err } = await measure("out", "--photographs", "photos", "--json");
    expect([code, err]).toEqual([0, ""]);
    const { images } = JSON.parse(out);
    expect(images.map(({ mask }: { mask: string }) => mask)).toEqual(["out/a-mask.png"]);
    expect(images[0].figures.vesselDensity).toBeGreaterThanOrEqual(0);
    expect((await readMask(join(here, "out/a-mask.png"))).width).toBe(size.width);
  });

  it("takes no mask for its own photograph where both lie in one folder", async () => {
    for (const [name, eye] of [
      ["a", one],
      ["a-1", two],
    ] as const) {
      await write(join(here, `set/${name}.png`), eye.image);
      await write(join(here, `set/${name}_1stHO.png`), eye.vessels);
      await write(join(here, `set/${name}_2ndHO.png`), eye.vessels);
    }
    const { code, out } = await measure(
      ...["set/a_1stHO.png", "set/a-1_2ndHO.png", "--photographs", "set", "--json"],
    );
    expect(code).toBe(0);
    const found = JSON.parse(out).images.map(
      ({ figures }: { figures: { fieldPixels: number } }) => figures.fieldPixels,
    );
    const wanted = [one, two].map(({ image }) =>
      fieldOfView(image).data.reduce((sum, value) => sum + value, 0),
    );
    expect(found).toEqual(wanted);
  });

  it("takes the scale of DICOM photographs where it is one on the retina, says so, and gives the command line precedence", async () => {
    const eye = { width: 48, height: 40, data: new Uint8Array(48 * 40) };
    for (let y = 18; y < 21; y++) eye.data.fill(1, y * 48 + 10, y * 48 + 38);
    // Its pixels of 7.2 um are square, those of the other are not, and the third says nothing.
    for (const name of ["explicit", "left", "bare"]) {
      await cp(join(root, "fixtures", "dicom", `${name}.dcm`), join(here, "dicom", `${name}.dcm`));
      await write(join(here, "eyes", `${name}.png`), eye);
    }
    const dicom = (...argv: string[]) => measure("eyes", "--photographs", "dicom", ...argv);
    const { code, out, err } = await dicom("--json", "--csv", "dicom.csv");
    expect([code, err]).toEqual([0, ""]);
    const [bare, explicit, left] = JSON.parse(out).images;
    expect(explicit.scale).toEqual({ from: "PixelSpacing" });
    const { figures } = measureVessels(eye, {
      fieldOfView: fieldOfView(await readPhotograph(join(here, "dicom/explicit.dcm"))),
      micrometresPerPixel: 7.2,
    });
    expect(explicit.figures).toEqual(figures);
    expect(left.scale).toEqual({ doubt: expect.stringContaining("pixels that are not square") });
    expect(bare).not.toHaveProperty("scale");
    for (const { figures } of [left, bare]) expect(figures).not.toHaveProperty("micrometresPerPixel");
    // Rows without a scale have empty cells in its columns, and all others under their own names.
    const [heading, ...rows] = (await readFile(join(here, "dicom.csv"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    expect(heading.slice(-3)).toEqual(["micrometres_per_pixel", "scale_from", "notice"]);
    for (const [i, { columns }] of [bare, explicit, left].entries()) {
      const scale = i === 1 ? { micrometres_per_pixel: "7.2", scale_from: "PixelSpacing" } : {};
      const named: Record<string, unknown> = scale;
      for (const { name, value } of columns) named[name] = value === undefined ? "" : `${value}`;
      const wanted = heading.slice(1, -1).map((name) => named[name] ?? "");
      expect(rows[i].slice(1, 1 + wanted.length)).toEqual(wanted);
    }
    const said = (await dicom()).out.split("\n");
    expect(said[1]).not.toContain("scale");
    expect(said[2]).toContain("scale 7.2 um per pixel (PixelSpacing of its photograph)");
    expect(said[3]).toMatch(/; no scale: PixelSpacing 0\.0072\\0\.0081 mm is of pixels that are not square/);
    const given = JSON.parse((await dicom("--json", "--micrometres-per-pixel", "5")).out).images;
    for (const { figures, scale } of given) {
      expect([figures.micrometresPerPixel, scale]).toEqual([5, { from: "the command line" }]);
    }
  });

  it("goes on after a mask that cannot be measured", async () => {
    await write(join(here, "mixed/a.png"), one.vessels);
    await writeFile(join(here, "mixed/b.png"), "no picture");
    const { code, out, err } = await measure("mixed", "--fields", "fields");
    expect(code).toBe(1);
    expect(out).toMatch(/^mixed\/a\.png: /m);
    expect(err).toMatch(/^saunet: mixed\/b\.png: is not a picture of a kind that is read/);
  });

  it("looks for the disc, and leaves the zones out where it is in doubt", async () => {
    const { image } = one;
    const grey = { ...image, data: image.data.map((value) => (value > 20 ? 120 : 0)) };
    await write(join(here, "doubt/a.png"), grey);
    await write(join(here, "doubt/b.png"), two.image);
    const argv = ["masks", "--photographs", "doubt", "--fields", "fields", "--disc", "auto", "--json"];
    const { code, out } = await measure(...argv);
    expect(code).toBe(0);
    const looked = [
      { fundus: { ...one, image: grey }, result: JSON.parse(out).images[0] },
      { fundus: two, result: JSON.parse(out).images[1] },
    ];
    for (const { fundus, result } of looked) {
      const found = findDisc(fundus.image, fundus.vessels, fundus.fieldOfView);
      const { doubt, disc } = found ?? {};
      expect(result.disc).toEqual({ ...disc, ...(doubt && { doubt }) });
      expect(result.figures.zones !== undefined).toBe(doubt === undefined);
      expect("zones" in result.figures.reasons).toBe(doubt !== undefined);
      if (doubt !== undefined)
        expect(result.figures.reasons.zones).toContain(`${doubt}; --disc x,y,r says where`);
    }
    expect(looked.map(({ result }) => result.disc.doubt !== undefined)).toEqual([true, false]);
  });

  it.each<[string[], number, RegExp]>([
    [["masks", "--disc", "1,2,3"], 2, /'--disc <x,y,r>' goes with one mask, and these are 2/],
    [["masks/a.png", "--disc", "auto"], 2, /--photographs says where it is/],
    [["masks/a.png", "--disc", "1,2"], 2, /It must be X,Y,RADIUS in pixels/],
    [["masks/a.png", "--disc", "500,80,9"], 1, /masks\/a\.png: .*disc x/],
    [["masks/a.png", "--arteries", "arteries.png"], 2, /go together, with '--disc <x,y,r>'/],
    [["masks", "--photographs", "nowhere"], 1, /nowhere: no such file/],
    [
      ["masks/a.png", "--disc", "100,80,12", "--arteries", "small.png", "--veins", "veins.png"],
      1,
      /small\.png: is 4 x 4, but masks\/a\.png is 200 x 160/,
    ],
    [
      ["masks/a.png", "--disc", "100,80,12", "--arteries", "arteries.png", "--veins", "small.png"],
      1,
      /small\.png: is 4 x 4, but masks\/a\.png is 200 x 160/,
    ],
    [["masks", "--fields", "small.png"], 1, /small\.png: is 4 x 4, but masks\/a\.png is 200 x 160/],
    [["photos/a.png"], 1, /photos\/a\.png: is no mask/],
    [["masks", "--csv", "masks/a.png"], 2, /the figures would be written over masks\/a\.png/],
    [["masks", "masks/a.png", "-o", "twice"], 2, /would both be written as twice\/a-measures\.png/],
    [
      ["small.png", "--fields", "fields"],
      2,
      /small\.png: option '--fields <path>' wants another picture for it, and fields has none/,
    ],
    [["masks/a.png", "--photographs", "./masks/a.png"], 2, /and \.\/masks\/a\.png is the mask itself/],
    [["a"], 1, /a: no such file/],
    [["masks", "--micrometres-per-pixel", "0"], 2, /a number above 0/],
  ])("refuses %j", async (argv, wanted, line) => {
    const { code, err } = await measure(...argv);
    expect([code, err]).toEqual([wanted, expect.stringMatching(line)]);
    expect(await readMask(join(here, "masks/a.png"))).toEqual(one.vessels);
  });

  it("says where the whole picture counts as the field of view, and without a scale knows pixels alone", async () => {
    const { err, out } = await measure("masks/a.png");
    const { mean, median } = measureVessels(one.vessels).figures.vesselWidth!;
    // Without a disc there are no calibres, which nobody has asked for.
    expect(out).not.toContain("calibres");
    expect(out).toContain(`px, width ${mean.toFixed(1)} px, median ${median.toFixed(1)} px, `);
    expect(err).toBe(
      "saunet: the whole picture counts as its field of view; --photographs or --fields says what does\n",
    );
  });
});
