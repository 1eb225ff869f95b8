// A folder of photographs: the table, the keys, cancelling and going on, everything in one ZIP, and the memory it takes.
// `SAUNET_MANY` says how many photographs of two megapixels there are in the last test; a full check takes 100.

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { syntheticFundus } from "@saunet/data";
import { writePng } from "@saunet/data/files";
import { BlobReader, BlobWriter, TextWriter, ZipReader } from "@zip.js/zip.js";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PASSAGE } from "../pictures/filed.ts";
import { bytesByThread, bytesOf, openSite, removeOthers, type Site, sharedPage } from "../testing.ts";
import { describeInBrowsers, launched, savedBy } from "../testing-browsers.ts";

const SMALL = { width: 96, height: 64 };
/** Two megapixels. */
const COMMON = { width: 1776, height: 1184 };
const MANY = Number(process.env.SAUNET_MANY ?? 12);

let site: Site;
let folder: string;
const file = (name: string) => join(folder, name);
const names = Array.from({ length: 9 }, (_, i) => `eye-${i + 1}.png`);
const truths = names.slice(0, 4).map((name) => name.replace(".png", "-truth.png"));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-pictures-"));
  for (const [i, name] of names.entries()) {
    const { image, vessels } = syntheticFundus({ seed: 40 + i, ...SMALL });
    await writePng(file(name), image);
    if (truths[i] !== undefined) await writePng(file(truths[i]), vessels);
  }
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

const row = (page: Page, name: string, state = "segmented") =>
  page.getByRole("button", { name: `${name}, ${state}` });
const choose = (page: Page, list: readonly string[]) =>
  page.getByLabel("Choose photographs").setInputFiles(list.map(file));
const column = (page: Page, n: number) =>
  page.locator(`.results tbody tr > :nth-child(${n})`).allTextContents();
const shown = (page: Page) => page.locator(".stage-name span").textContent();

describeInBrowsers("many photographs", ({ name: browserName, launch }) => {
  const browser = launched(launch);

  async function open(): Promise<Page> {
    const page = await browser().newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(site.isolated);
    await row(page, "synthetic.png").waitFor({ timeout: 120_000 });
    return page;
  }

  const shared = sharedPage(open);

  it("lists them in a table that is sorted, walked by keys, and saved as one ZIP", async () => {
    const page = await shared();
    await choose(page, [...names, ...truths]);
    await row(page, names.at(-1)!).waitFor({ timeout: 240_000 });
    await expect.poll(() => column(page, 1)).toEqual(["synthetic.png", ...names]);
    await page.getByRole("button", { name: "Vessels", exact: true }).click();
    const shares = async () => (await column(page, 2)).map(Number.parseFloat);
    const ascending = (await shares()).sort((a, b) => a - b);
    await expect.poll(shares).toEqual(ascending);
    await page.getByRole("button", { name: "Vessels", exact: true }).click();
    await expect.poll(shares).toEqual([...ascending].reverse());
    expect(await page.locator("[aria-sort=descending]").textContent()).toMatch(/^Vessels/);
    // Figures where there is a truth, and only there.
    const figures = async (form: RegExp) => (await column(page, 3)).filter((text) => form.test(text)).length;
    await expect.poll(() => figures(/^0\.\d{4}$/)).toBe(truths.length + 1);
    expect(await figures(/^–$/)).toBe(names.length - truths.length);
    // A third click gives the order back in which they came.
    await page.getByRole("button", { name: "Vessels", exact: true }).click();

    await row(page, names[0]).click();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => shown(page)).toBe(names[1]);
    await page.keyboard.press("End");
    await expect.poll(() => shown(page)).toBe(names.at(-1));
    await page.locator(".stage canvas").focus();
    await page.keyboard.press("PageUp");
    await expect.poll(() => shown(page)).toBe(names.at(-2));
    await page.getByRole("button", { name: "Next photograph" }).click();
    await expect.poll(() => shown(page)).toBe(names.at(-1));

    const mask = await savedBy(page, () => page.getByText("Mask as PNG").click());
    const { name, bytes } = await savedBy(page, () => page.getByText("All as ZIP").click());
    expect(name).toBe("saunet.zip");
    const zip = new ZipReader(new BlobReader(new Blob([Uint8Array.from(bytes)])));
    const entries = (await zip.getEntries()).filter((entry) => !entry.directory);
    const stems = ["synthetic", ...names.map((each) => each.replace(".png", ""))];
    expect(entries.map(({ filename }) => filename)).toEqual([
      "saunet.csv",
      ...stems.flatMap((stem) => [`${stem}-mask.png`, `${stem}-probability.png`]),
    ]);
    const last = entries.find(({ filename }) => filename === mask.name)!;
    const packed = Buffer.from(await (await last.getData(new BlobWriter())).arrayBuffer());
    expect(packed.equals(mask.bytes)).toBe(true);
    const table = await entries[0].getData(new TextWriter());
    expect(table.trim().split("\r\n")).toHaveLength(2 + names.length);
    await removeOthers(page);
  });

  it.runIf(browserName === "Firefox")("lets results lie in files, none of which stays behind", async () => {
    const page = await shared();
    await choose(page, names.slice(0, 2));
    await row(page, names[1]).waitFor({ timeout: 120_000 });
    const left = await page.evaluate(async ({ database, store }) => {
      const answer = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const known = (await indexedDB.databases()).some(({ name }) => name === database);
      const opened = await answer(indexedDB.open(database));
      const keys = await answer(opened.transaction(store).objectStore(store).getAllKeys());
      opened.close();
      return { known, keys };
    }, PASSAGE);
    expect(left).toEqual({ known: true, keys: [] });
    await row(page, names[0]).click();
    await page.getByText("Mask as PNG").waitFor();
    const { bytes } = await savedBy(page, () => page.getByText("Probability as PNG").click());
    expect((await sharp(bytes).metadata()).width).toBe(SMALL.width);
    await removeOthers(page);
  });

  it("is cancelled in the middle, and goes on", async () => {
    const page = await shared();
    await choose(page, names);
    await row(page, names[0]).waitFor({ timeout: 120_000 });
    await page.getByRole("button", { name: "Cancel" }).click();
    await row(page, names.at(-1)!, "cancelled").waitFor();
    await row(page, names[0]).waitFor();
    await page.getByRole("button", { name: "Go on" }).click();
    for (const each of names) await row(page, each).waitFor({ timeout: 240_000 });
  });

  it.runIf(browserName === "Chromium")(
    `takes ${MANY} photographs of two megapixels without more memory`,
    async () => {
      const page = await open();
      const { image } = syntheticFundus({ seed: 60, width: 444, height: 296 });
      await writePng(file("small.png"), image);
      const large = await sharp(file("small.png")).resize(COMMON.width, COMMON.height).toBuffer();
      const all = Array.from({ length: MANY }, (_, i) => `large-${i + 1}.jpg`);
      for (const [i, each] of all.entries()) {
        const dot = { create: { width: 4, height: 4, channels: 3, background: "black" } } as const;
        await sharp(large)
          .composite([{ input: dot, left: 600 + 5 * i, top: 500 }])
          .jpeg()
          .toFile(file(each));
      }
      await choose(page, all.slice(0, 3));
      await row(page, all[2]).waitFor({ timeout: 300_000 });
      const before = await bytesOf(page);
      // The engine's memory for photographs of this size, without what it needed for the example's.
      expect(before).toBeLessThan(1.4e9);
      await choose(page, all.slice(3));
      await row(page, all.at(-1)!).waitFor({ timeout: 60_000 * MANY });
      const after = await bytesOf(page);
      console.log(
        `${MANY} photographs: ${before} bytes after 3, ${after} after all`,
        await bytesByThread(page),
      );
      // One probability alone takes 8.4 MB.
      expect(after - before).toBeLessThan(4e6);
      const downloading = page.waitForEvent("download", { timeout: 60_000 * MANY });
      await page.getByText("All as ZIP").click();
      const { size } = await stat((await (await downloading).path())!);
      expect(size).toBeGreaterThan(100_000 * MANY);
      expect((await bytesOf(page)) - before).toBeLessThan(8e6);
      await page.close();
    },
    60_000 * (MANY + 10),
  );
});
