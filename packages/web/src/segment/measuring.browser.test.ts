// The figures of vessels and calibrations, in Chromium and Firefox: the same as the command's.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { randomState } from "@saunet/core";
import { type SyntheticFundus, syntheticFundus } from "@saunet/data";
import { writePng } from "@saunet/data/files";
import { NO_MEDICAL_DEVICE } from "@saunet/data/measure";
import { initialize, saUNetV2, writeCalibration, writeWeights } from "@saunet/model";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  done,
  openedPage,
  openSite,
  removeOthers,
  type Site,
  select,
  sharedPage,
  weightsPath,
} from "../testing.ts";
import { describeInBrowsers, launched, savedBy } from "../testing-browsers.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const SHIPPED = join(ROOT, "packages/model/weights/sa-unet-v2.safetensors");
const THRESHOLD = 0.137;

let site: Site;
let folder: string;
const file = (name: string) => join(folder, name);
const eyes = ["eye-1.png", "eye-2.png", "eye-3.png"];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-measuring-"));
  for (const [i, name] of eyes.entries())
    await writeEye(name, syntheticFundus({ seed: 7 + i, width: 320, height: 260 }));
  const sources = [await hashOf(file(eyes[0]))];
  const fitted = { threshold: THRESHOLD, photographs: 3, before: 0.7, fitted: 0.75, sources };
  const leaveOneOut = { f1: 0.74, thresholds: [0.12, 0.36], gain: [0.01, 0.05] } as const;
  const warnings = [
    "the threshold hangs on single photographs: it runs from 0.12 to 0.36 as one is left out",
  ];
  const weights = await hashOf(SHIPPED);
  const calibration = { ...fitted, leaveOneOut, warnings };
  await writeFile(file("camera.json"), writeCalibration({ ...calibration, weights }));
  await writeFile(file("other.json"), writeCalibration({ ...calibration, weights: "0".repeat(64) }));
  const parameters = initialize(saUNetV2, randomState(3));
  await writeFile(file("fresh.safetensors"), writeWeights({ config: saUNetV2, parameters, metadata: {} }));
  await writeFile(file("notes.json"), '{"kind":"notes"}');
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

async function writeEye(name: string, { image, vessels }: SyntheticFundus): Promise<void> {
  await writePng(file(name), image);
  await writePng(file(name.replace(".png", "-truth.png")), vessels);
}

const hashOf = async (path: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
const saunet = (...args: string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, "scripts/saunet.mjs"), ...args], { cwd: ROOT });
const choose = (page: Page, ...names: string[]) =>
  page.getByLabel("Choose photographs").setInputFiles(names.map(file));
const openCalibration = (page: Page, name: string) =>
  page.getByLabel("Open calibration").setInputFiles(file(name));
const thresholdOf = (page: Page) =>
  page.locator(".slider").filter({ hasText: "Threshold" }).locator("output");

async function drop(page: Page, ...names: string[]): Promise<void> {
  const list = await Promise.all(
    names.map(async (name) => ({ name, base64: await readFile(file(name), "base64") })),
  );
  await page.evaluate((all) => {
    const files = all.map(
      ({ name, base64 }) => new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name),
    );
    const event = new Event("drop", { bubbles: true, cancelable: true });
    dispatchEvent(Object.assign(event, { dataTransfer: { files, items: [] } }));
  }, list);
}

/** Cells by their columns. */
const tableOf = (csv: string): Record<string, string>[] => {
  const [head, ...rows] = csv.trim().split(/\r?\n/);
  const columns = head.split(",");
  return rows.map((row) => Object.fromEntries(row.split(",").map((cell, i) => [columns[i], cell])));
};
const savedTable = async (page: Page) =>
  tableOf((await savedBy(page, () => page.getByText("CSV of all photographs").click())).bytes.toString());

describeInBrowsers("figures and calibrations", ({ launch }) => {
  const browser = launched(launch);

  const complaints: string[] = [];
  const shared = sharedPage(() => openedPage(browser(), site, complaints));

  it.each([true, false])(
    "gives the figures of saunet measure to the digit (field of view alone: %s)",
    async (isField) => {
      const page = await shared();
      await choose(page, ...eyes);
      await done(page, eyes[2]);
      const field = page.getByLabel("Only the field of view");
      await field.setChecked(isField);
      expect((await savedTable(page))[1]).not.toHaveProperty("d0");
      await page.getByLabel("Figures of vessels", { exact: true }).check();
      await page.getByRole("button", { name: "CSV of all photographs", disabled: false }).waitFor();
      const rows = await savedTable(page);
      for (const name of eyes) {
        await select(page, name);
        const { bytes } = await savedBy(page, () => page.getByText("Mask as PNG").click());
        await writeFile(file(`mask-${name}`), bytes);
        const of = isField ? ["--photographs", file(name)] : [];
        await saunet("measure", file(`mask-${name}`), ...of, "--csv", file("figures.csv"));
        const [{ mask: _, ...figures }] = tableOf(await readFile(file("figures.csv"), "utf8"));
        const row = rows.find(({ photograph }) => photograph === name);
        expect(figures.notice).toBe(NO_MEDICAL_DEVICE);
        expect(Number(figures.length_px)).toBeGreaterThan(100);
        expect(row).toMatchObject(figures);
        const shown = await page.getByTestId("width_median_px").textContent();
        expect(shown).toBe(Number(figures.width_median_px).toPrecision(4));
      }
      await page.getByText(NO_MEDICAL_DEVICE).waitFor();
      await field.check();
      await page.getByLabel("Figures of vessels", { exact: true }).uncheck();
      await removeOthers(page);
      expect(complaints).toEqual([]);
    },
  );

  it("sorts the table by them, and measures anew at another threshold", async () => {
    const page = await shared();
    await choose(page, ...eyes);
    await done(page, eyes[2]);
    await page.getByLabel("Figures of vessels", { exact: true }).check();
    const heading = page.getByRole("columnheader", { name: "Branch points" });
    await heading.getByRole("button").click();
    const at = await heading.evaluate((cell) => (cell as HTMLTableCellElement).cellIndex);
    const branches = async () => {
      const cells = await page.locator(`.results tbody tr > :nth-child(${at + 1})`).allTextContents();
      // A cell without its figure yet is no zero.
      return cells.map((text) => (text.trim() === "" ? Number.NaN : Number(text)));
    };
    const areThere = async () => {
      const all = await branches();
      return all.length > 0 && !all.some(Number.isNaN);
    };
    await expect.poll(areThere).toBe(true);
    const before = await branches();
    expect(before).toEqual([...before].sort((a, b) => a - b));
    await openCalibration(page, "camera.json");
    await expect.poll(areThere).toBe(true);
    await expect.poll(branches).not.toEqual(before);
    await page.getByRole("button", { name: "Back to 0.50" }).click();
    await expect.poll(branches).toEqual(before);
    await page.getByLabel("Figures of vessels", { exact: true }).uncheck();
    await removeOthers(page);
  });

  it("takes a calibration of saunet calibrate, says which is in use, and draws at its threshold", async () => {
    const page = await shared();
    await page.getByText("Calibration: none").waitFor();
    await choose(page, eyes[0]);
    await done(page, eyes[0]);
    await openCalibration(page, "camera.json");
    await page
      .getByText(
        "Calibration: camera.json, threshold 0.137; F1 of its 3 photographs 0.700 at 0.5, 0.750 at 0.137, 0.740 for each",
      )
      .waitFor();
    await page.getByText(/the threshold hangs on single photographs/).waitFor();
    expect(await thresholdOf(page).textContent()).toBe("0.137");
    const field = page.getByLabel("Only the field of view");
    await field.uncheck();
    const mask = await savedBy(page, () => page.getByText("Mask as PNG").click());
    const probability = await savedBy(page, () => page.getByText("Probability as PNG").click());
    const grey = (picture: Buffer | string) => sharp(picture).toColourspace("b-w").raw().toBuffer();
    const [ours, theirs] = [await grey(mask.bytes), await theirMask()];
    const { buffer, byteOffset, length } = await sharp(probability.bytes)
      .toColourspace("grey16")
      .raw({ depth: "ushort" })
      .toBuffer();
    const p = new Uint16Array(buffer, byteOffset, length / 2);
    const isCalled = (level: number, i: number) => level > 0 === p[i] / 65535 >= THRESHOLD;
    // Both pictures are rounded where the probability is the threshold to the last digit.
    expect(
      ours.filter((level, i) => !isCalled(level, i) && Math.abs(p[i] - 65535 * THRESHOLD) > 1),
    ).toHaveLength(0);
    // The command's weights have 32 bits, the page's 16.
    expect(ours.filter((level, i) => level !== theirs[i]).length / ours.length).toBeLessThan(0.001);
    expect(ours.filter((level) => level > 0).length).toBeGreaterThan(1000);
    const table = await savedTable(page);
    expect(table.at(-1)).toMatchObject({ threshold: "0.137", calibration: "camera.json" });
    await page.getByLabel("Threshold").fill("600");
    await page.getByText(/camera\.json, threshold 0\.137 \(moved by hand since\)/).waitFor();
    expect((await savedTable(page)).at(-1)).toMatchObject({ threshold: "0.400", calibration: "" });
    await field.check();
    // Its figures come with a warning where it was fitted to the photograph.
    const flatters = page.getByText("camera.json was fitted to this photograph, so its figures flatter.");
    const truths = eyes.slice(0, 2).map((name) => name.replace(".png", "-truth.png"));
    await choose(page, eyes[1], ...truths);
    await done(page, eyes[1]);
    await select(page, eyes[0]);
    await flatters.waitFor();
    await select(page, eyes[1]);
    await page.getByTestId("f1").waitFor();
    await flatters.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Back to 0.50" }).click();
    await page.getByText("Calibration: none").waitFor();
    expect(await thresholdOf(page).textContent()).toBe("0.50");
    await removeOthers(page);

    async function theirMask(): Promise<Buffer> {
      const own = ["--calibration", file("camera.json"), "-o", file("out"), "--overwrite"];
      await saunet("segment", file(eyes[0]), ...own);
      return grey(file("out/eye-1-mask.png"));
    }
  });

  it("refuses what is no calibration or another network's by name, and ends one with its weights", async () => {
    const page = await shared();
    await openCalibration(page, "notes.json");
    await page
      .getByText('notes.json is not used: text must be a file of saunet calibrate, but its kind is "notes".')
      .waitFor();
    await openCalibration(page, "other.json");
    await page
      .getByText(
        "other.json is not used: it was made for other weights than those in use (shipped), and a threshold suits one network alone.",
      )
      .waitFor();
    await page.getByText("Calibration: none").waitFor();
    await drop(page, "camera.json", eyes[0]);
    await page.getByText("Calibration: camera.json").waitFor();
    await done(page, eyes[0]);
    // The exact weights are those that it was made for, and so are those that the page has of them.
    await page.getByLabel("Open weights").setInputFiles(SHIPPED);
    await page.getByText("Weights: sa-unet-v2.safetensors").waitFor();
    await page.getByLabel("Open weights").setInputFiles(await weightsPath(site));
    await page.getByText(/Weights: sa-unet-v2-.*16-bit/).waitFor();
    await page.getByText("Calibration: camera.json").waitFor();
    await page.getByLabel("Open weights").setInputFiles(file("fresh.safetensors"));
    await page
      .getByText(/^camera\.json belongs to other weights than .*, so the threshold is 0\.50 again\.$/)
      .waitFor();
    await page.getByText("Calibration: none").waitFor();
    await page.getByRole("button", { name: "Back to the shipped ones" }).click();
    await page.getByText("Weights: shipped").waitFor();
    await removeOthers(page);
  });
});
