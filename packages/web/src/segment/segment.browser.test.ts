// The first tab in a real browser: what it finds is what Node finds, wherever it is served from.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { syntheticFundus } from "@saunet/data";
import { readPhotograph, writePng } from "@saunet/data/files";
import { loadSegmenter, type Segmenter } from "@saunet/model";
import { accelerate, restore } from "@saunet/wasm";
import type { Browser, BrowserContext, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "../../../../scripts/chromium.mjs";
import {
  askWorker,
  assetOf,
  complaintsOf,
  openSite,
  removeOthers,
  type Site,
  sharedPage,
  weightsPath,
} from "../testing.ts";

const SIZE = { width: 200, height: 136 };

let site: Site;
let browser: Browser;
let folder: string;
const { image, vessels, fieldOfView } = syntheticFundus({ seed: 5, ...SIZE });
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-pictures-"));
  await writePng(file("eye.png"), image);
  await writePng(file("eye-truth.png"), vessels);
  await writePng(file("eye-field.png"), fieldOfView);
  await writeFile(file("broken.png"), (await readFile(file("eye.png"))).subarray(0, 4000));
  await writeFile(file("wrong.png"), "This is no picture.");
  await writeFile(file("empty.png"), "");
  await sharp(file("eye.png")).tiff({ compression: "lzw" }).toFile(file("eye.tif"));
  [site, browser] = await Promise.all([openSite(), launchChromium(), accelerate()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  await restore();
  await rm(folder, { recursive: true, force: true });
});

const complaints: string[] = [];

/** Opens the page and waits for its synthetic photograph. */
async function open(address: string, context?: BrowserContext): Promise<Page> {
  const page = await (context ?? browser).newPage();
  complaintsOf(page, complaints);
  await page.goto(address);
  await done(page, "synthetic.png");
  return page;
}

const done = (page: Page, name: string) =>
  page.getByRole("button", { name: `${name}, segmented` }).waitFor({ timeout: 60_000 });
const choose = (page: Page, ...names: string[]) =>
  page.getByLabel("Choose photographs").setInputFiles(names.map(file));
const shipped = async (): Promise<Segmenter> =>
  loadSegmenter({ weights: new Uint8Array(await readFile(await weightsPath(site))) });
const textOf = (page: Page, id: string) => page.getByTestId(id).textContent();

describe("the first tab", () => {
  const shared = sharedPage(() => open(site.isolated));

  it.each([
    ["eye.png", 2],
    ["eye.tif", 2],
    ["eye.png", 1],
  ])("finds in %s what Node finds, where there may be %i threads", async (name, threads) => {
    const page =
      threads === 1
        ? await open(site.plain, await browser.newContext({ serviceWorkers: "block" }))
        : await shared();
    const bytes = [...(await readFile(file(name)))];
    const there = await askWorker<{ width: number; height: number; probability: number[] }>(
      page,
      await assetOf(site, "segment.worker"),
      [{ name: "read", bytes }, { name: "segment" }],
    );
    const here = await (await shipped()).segment(await readPhotograph(file(name)));
    expect([there.width, there.height]).toEqual([SIZE.width, SIZE.height]);
    const probability = new Float32Array(Uint8Array.from(there.probability).buffer);
    expect(probability).toHaveLength(here.probability.length);
    const largest = probability.reduce((most, p, i) => Math.max(most, Math.abs(p - here.probability[i])), 0);
    expect(largest).toBeLessThan(2e-5);
    await page.getByText("Weights: shipped (SA-UNetv2, 16-bit floats)").waitFor();
    const text = await page.getByRole("region", { name: "Result" }).textContent();
    if (threads === 1) expect(text).toMatch(/1 thread.*not cross-origin isolated/s);
    else expect(text).toMatch(/\d+ threads?/);
    expect(complaints).toEqual([]);
    if (threads === 1) await page.context().close();
  });

  it("compares with masks that are dropped along", async () => {
    const page = await shared();
    await choose(page, "eye.png", "eye-truth.png", "eye-field.png");
    await done(page, "eye.png");
    await page.getByTestId("f1").waitFor();
    const { probability } = await (await shipped()).segment(image);
    const counts = { hit: 0, called: 0, vessel: 0 };
    probability.forEach((p, i) => {
      if (fieldOfView.data[i] === 0) return;
      counts.hit += p >= 0.5 ? vessels.data[i] : 0;
      counts.called += p >= 0.5 ? 1 : 0;
      counts.vessel += vessels.data[i];
    });
    expect(await textOf(page, "f1")).toBe(((2 * counts.hit) / (counts.called + counts.vessel)).toFixed(4));
    await page.getByLabel("Threshold").fill("100");
    await expect
      .poll(() => textOf(page, "f1"))
      .not.toBe(((2 * counts.hit) / (counts.called + counts.vessel)).toFixed(4));
    await removeOthers(page);
  });

  it("says what is wrong with a file, and goes on", async () => {
    const page = await shared();
    await choose(page, "broken.png", "wrong.png", "empty.png", "eye.png");
    await done(page, "eye.png");
    for (const [name, message] of [
      ["broken.png", "is damaged or cut short"],
      ["wrong.png", "is not a picture"],
      ["empty.png", "is empty"],
    ]) {
      await page.getByRole("button", { name: `${name}, could not be segmented` }).click();
      await page.getByText(`${name} ${message}`).waitFor();
    }
  });
});
