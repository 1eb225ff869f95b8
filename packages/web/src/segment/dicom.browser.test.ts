// DICOM photographs as eye clinics keep them, in Chromium and Firefox: read as the command reads them, to the pixel.

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Photograph, syntheticFundus } from "@saunet/data";
import { readPhotograph, writePng } from "@saunet/data/files";
import dcmjs from "dcmjs";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { done, openedPage, openSite, removeOthers, type Site, select, sharedPage } from "../testing.ts";
import { describeInBrowsers, launched, savedBy } from "../testing-browsers.ts";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/dicom/", import.meta.url));
/** Of each way to pack pixels one, and colours that have to be converted. */
const KINDS = ["grey-12", "grey-inverse", "planar", "ybr", "jpeg-444", "jpeg-lossless-16"];
const PACKED = [...KINDS, "jpeg-ls-16", "jpeg-2000-lossy", "rle"].map((name) => `${name}.dcm`);
const OPHTHALMIC_PHOTOGRAPHY = "1.2.840.10008.5.1.4.1.1.77.1.5.1";

let site: Site;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-dicom-"));
  const { image, vessels } = syntheticFundus({ seed: 5, width: 200, height: 136 });
  const dicom = dicomOf(image);
  await writeFile(file("left.dcm"), dicom);
  // Discs with studies call their files so.
  await writeFile(file("IM000001"), dicom);
  await writeFile(file("packed.dcm.gz"), gzipSync(dicom));
  await writePng(file("left-truth.png"), vessels);
  await mkdir(file("study"));
  await copyFile(file("left.dcm"), file("study/1_A.dcm"));
  await writeFile(file("study/report.txt"), "a report");
  for (const name of [...PACKED, "tomography.dcm", "secondary.dcm", "cut-pixels.dcm"])
    await copyFile(join(FIXTURES, name), file(name));
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

/** An ophthalmic photograph, as cameras write it: RGB, explicit VR, little endian. */
function dicomOf({ width, height, data }: Photograph): Uint8Array {
  const { DicomDict, DicomMetaDictionary } = dcmjs.data;
  const meta = DicomMetaDictionary.denaturalizeDataset({
    FileMetaInformationVersion: Uint8Array.of(0, 1).buffer,
    MediaStorageSOPClassUID: OPHTHALMIC_PHOTOGRAPHY,
    MediaStorageSOPInstanceUID: "2.25.1",
    TransferSyntaxUID: "1.2.840.10008.1.2.1",
    ImplementationClassUID: "2.25.2",
  });
  const document = new DicomDict(meta);
  document.dict = DicomMetaDictionary.denaturalizeDataset({
    ...{
      SOPClassUID: OPHTHALMIC_PHOTOGRAPHY,
      SOPInstanceUID: "2.25.1",
      Modality: "OP",
      ImageLaterality: "L",
    },
    ...{ Rows: height, Columns: width, SamplesPerPixel: 3, PhotometricInterpretation: "RGB" },
    ...{ BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelRepresentation: 0, PlanarConfiguration: 0 },
    PixelData: [new Uint8Array(data).buffer],
    _vrMap: { PixelData: "OB" },
  });
  return new Uint8Array(document.write());
}

const choose = (page: Page, ...names: string[]) =>
  page.getByLabel("Choose photographs").setInputFiles(names.map(file));

/** The photograph as the page decoded it: an overlay through which all of it is seen. */
async function pixelsOf(page: Page): Promise<Buffer> {
  await page.getByLabel("Opacity").fill("0");
  const { bytes } = await savedBy(page, () => page.getByText("Overlay as PNG").click());
  return sharp(bytes).removeAlpha().raw().toBuffer();
}

describeInBrowsers("DICOM photographs", ({ name: browserName, launch }) => {
  const browser = launched(launch);

  const complaints: string[] = [];
  const shared = sharedPage(() => openedPage(browser(), site, complaints));

  it("are read as the command reads them, by any name, gzipped too, and go with their masks", async () => {
    const page = await shared();
    await choose(page, "left.dcm", "IM000001", "packed.dcm.gz", "left-truth.png");
    await done(page, "packed.dcm.gz");
    const wanted = Buffer.from((await readPhotograph(file("left.dcm"))).data);
    for (const name of ["left.dcm", "IM000001", "packed.dcm.gz"]) {
      await select(page, name);
      expect((await pixelsOf(page)).equals(wanted), name).toBe(true);
    }
    await select(page, "left.dcm");
    await page.getByTestId("f1").waitFor();
    expect(complaints).toEqual([]);
    await removeOthers(page);
  });

  it("come unpacked out of every transfer syntax, to the command's pixels", async () => {
    const page = await shared();
    await choose(page, ...PACKED);
    await done(page, PACKED.at(-1)!);
    await page.getByLabel("Strip").check();
    for (const name of PACKED) {
      await select(page, name);
      const { data } = await readPhotograph(file(name));
      expect((await pixelsOf(page)).equals(Buffer.from(data)), name).toBe(true);
    }
    await removeOthers(page);
  });

  it("are refused in a line where they are something else, by their SOP class", async () => {
    const page = await shared();
    await choose(page, "tomography.dcm", "secondary.dcm", "cut-pixels.dcm");
    for (const [name, reason] of [
      ["tomography.dcm", "is a DICOM file, but no photograph of the eye: Ophthalmic Tomography Image."],
      ["secondary.dcm", "is a DICOM file, but no photograph of the eye: Secondary Capture Image."],
      ["cut-pixels.dcm", "is damaged or cut short"],
    ]) {
      await page.getByRole("button", { name: `${name}, could not be segmented` }).click({ timeout: 60_000 });
      await page.getByText(`${name} ${reason}`).first().waitFor();
    }
    await removeOthers(page);
  });

  // A folder's input cannot be filled over WebDriver BiDi yet.
  it.runIf(browserName === "Chromium")("are found in a folder, and dropped with it", async () => {
    const page = await shared();
    await page.getByLabel("Choose a folder").setInputFiles(file("study"));
    await done(page, "1_A.dcm");
    await page.getByText("1 file of the folder left out: no pictures.").waitFor();
    await removeOthers(page);
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [file("study")], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await session.send("Input.dispatchDragEvent", { type, x: 400, y: 400, data });
    await done(page, "1_A.dcm");
    await removeOthers(page);
  });

  it.runIf(browserName === "Chromium")("take what reads them once, and then need no host", async () => {
    const own = await openSite();
    const context = await browser().newContext();
    try {
      const page = await context.newPage();
      const fetched: string[] = [];
      context.on("request", (request) => fetched.push(request.url()));
      await page.goto(own.isolated);
      await done(page, "synthetic.png");
      await page.evaluate(async () => {
        await navigator.serviceWorker.ready;
      });
      // Neither the page nor its service worker has fetched it so far.
      expect(fetched.filter((url) => /dcmjs/.test(url))).toEqual([]);
      await page.reload();
      await done(page, "synthetic.png");
      await choose(page, "rle.dcm");
      await done(page, "rle.dcm");
      own.stop();
      await page.reload();
      await done(page, "synthetic.png");
      await choose(page, "rle.dcm");
      await done(page, "rle.dcm");
    } finally {
      await context.close();
      await own.close();
    }
  });
});
