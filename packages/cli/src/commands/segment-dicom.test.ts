import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodePhotograph, readMask } from "@saunet/data/files";
import { withClasses } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  build,
  command,
  root,
  saunet,
  smallFundus,
  start,
  tiny,
  write,
  writeFreshWeights,
} from "../testing.ts";

let here: string;
const weights = ["--weights", "tiny.safetensors"];
const segment = (...argv: string[]) => saunet(here, ["segment", ...weights, ...argv]);
const fixture = (name: string) => join(root, "fixtures", "dicom", `${name}.dcm`);

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-dicom-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  for (const name of ["explicit", "left", "tomography"]) await cp(fixture(name), join(here, `${name}.dcm`));
});
afterAll(() => rm(here, { recursive: true }));

describe("saunet segment, of DICOM files", () => {
  it("says which eye it is and how large its pixels are, and writes both objects", async () => {
    const { code, out, err } = await segment("left.dcm", "--dicom", "--json", "-o", "out");
    expect(code, err).toBe(0);
    const [{ dicom, files }] = JSON.parse(out).images;
    expect(dicom).toMatchObject({ laterality: "L", pixelSpacing: [0.0072, 0.0081] });
    expect(files["segmentation.dcm"]).toBe(join("out", "left-segmentation.dcm"));
    expect((await readdir(join(here, "out"))).sort()).toEqual([
      ...["left-mask.png", "left-overlay.dcm", "left-overlay.png"],
      ...["left-probability.png", "left-segmentation.dcm"],
    ]);
    // The last bytes of a segmentation are its bits.
    const bits = (await readFile(join(here, "out", "left-segmentation.dcm"))).subarray(-240);
    const { data } = await readMask(join(here, "out", "left-mask.png"));
    expect(data.map((_, i) => (bits[i >> 3] >> (i & 7)) & 1)).toEqual(data);
    const overlay = await decodePhotograph(await readFile(join(here, "out", "left-overlay.png")));
    const pixels = (await readFile(join(here, "out", "left-overlay.dcm"))).subarray(-3 * 48 * 40);
    expect(new Uint8Array(pixels)).toEqual(overlay.data);
  });

  it("does so as it is installed, where Node loads the libraries itself", async () => {
    await build();
    const argv = [
      command,
      "segment",
      ...weights,
      "explicit.dcm",
      fixture("jpeg-2000-16"),
      "--dicom",
      "-o",
      "installed",
    ];
    expect(await start(here, process.execPath, argv).ended).toMatchObject({
      code: 0,
      out: expect.stringContaining("overlay.dcm"),
    });
  });

  it("writes over its own objects, and over nobody else's", async () => {
    await segment("explicit.dcm", "--dicom", "-o", "again");
    expect((await segment("explicit.dcm", "--dicom", "-o", "again")).code).toBe(0);
    await mkdir(join(here, "other"), { recursive: true });
    await cp(fixture("left"), join(here, "other", "explicit-overlay.dcm"));
    const { code, err } = await segment("explicit.dcm", "--dicom", "-o", "other");
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("explicit-overlay.dcm is there, and saunet did not write it"),
    ]);
  });

  it("refuses what is no photograph, what is no DICOM, classes, and no file at all", async () => {
    const tomography = await segment("tomography.dcm", "-o", "refused");
    expect([tomography.code, tomography.err]).toEqual([
      1,
      expect.stringContaining(
        "tomography.dcm: is a DICOM file, but no photograph of the eye: Ophthalmic Tomography Image",
      ),
    ]);
    await write(join(here, "plain.png"), smallFundus(1).image);
    const plain = await segment("plain.png", "--dicom", "-o", "refused");
    expect([plain.code, plain.err]).toEqual([1, expect.stringContaining("plain.png: is no DICOM file")]);
    await writeFreshWeights(join(here, "classes.safetensors"), withClasses(tiny, ["artery", "vein"]));
    const classes = ["segment", "explicit.dcm", "--dicom", "--weights", "classes.safetensors"];
    expect((await saunet(here, classes)).code).toBe(2);
    expect((await segment("--dicom")).code).toBe(2);
  });

  it("reads them in a folder of one's own", async () => {
    await mkdir(join(here, "set", "images"), { recursive: true });
    await cp(fixture("explicit"), join(here, "set", "images", "a.dcm"));
    const { data } = smallFundus(1).vessels;
    await write(join(here, "set", "masks", "a.png"), { width: 48, height: 40, data: data.slice(0, 48 * 40) });
    const { code, out } = await saunet(here, [
      "evaluate",
      "--dataset",
      "folder",
      "--data",
      "set",
      ...weights,
      "--json",
    ]);
    expect([code, JSON.parse(out).images[0].id]).toEqual([0, "a"]);
  });
});
