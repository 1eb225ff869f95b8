// Photographs and masks as people bring them, in Chromium and Firefox: many, in folders, of every kind, of two eyes,
// damaged, or of something else.

import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { type SyntheticFundus, syntheticFundus } from "@saunet/data";
import { writePng } from "@saunet/data/files";
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

const SIZE = { width: 200, height: 136 };
const LARGE = { width: 1400, height: 952 };
const SMALL = { width: 96, height: 64 };
const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

let site: Site;
let folder: string;
const file = (name: string) => join(folder, name);
const many = Array.from({ length: 14 }, (_, i) => `many-${i + 1}.png`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-pictures-"));
  const eyes = { L: syntheticFundus({ seed: 5, ...SIZE }), R: syntheticFundus({ seed: 6, ...SIZE }) };
  for (const [eye, fundus] of Object.entries(eyes)) await writeEye(`Image_01${eye}`, fundus);
  const second = { ...eyes.L.vessels, data: shifted(eyes.L.vessels.data) };
  await writePng(file("Image_01L_2ndHO.png"), second);
  await sharp(file("Image_01L.png")).resize(LARGE.width, LARGE.height).jpeg().toFile(file("large.jpg"));
  // Without loss, since decoders of JPEG differ in the last digit.
  await sharp(file("large.jpg")).png().toFile(file("large.png"));
  await sharp(file("Image_01L.png")).jpeg().toFile(file("whole.jpg"));
  const jpeg = await readFile(file("whole.jpg"));
  await writeFile(file("cut.jpg"), jpeg.subarray(0, jpeg.length / 2));
  await sharp(file("Image_01L.png")).resize(250, 170).toFile(file("other-size.png"));
  await writePng(file("Image_01L_small_mask.png"), syntheticFundus({ seed: 5, ...SMALL }).vessels);
  await writeFile(file("eye.ppm.gz"), gzipSync(await ppmOf(file("Image_01L.png"))));
  await sharp(file("Image_01L.png")).toColourspace("cmyk").jpeg().toFile(file("inks.jpg"));
  // A sky: blue, without a dark surround, without vessels.
  await sharp({ create: { ...LARGE, channels: 3, background: "#5b9bd5" } })
    .png()
    .toFile(file("sky.png"));
  for (const [i, name] of many.entries())
    await writePng(file(name), syntheticFundus({ seed: 20 + i, ...SMALL }).image);
  const inside = join(folder, "set", "images");
  await mkdir(inside, { recursive: true });
  await mkdir(join(folder, "set", "masks"));
  await copyFile(file("Image_01L.png"), join(inside, "1_A.png"));
  await copyFile(file("Image_01L_1stHO.png"), join(folder, "set", "masks", "1_A.png"));
  await writeFile(join(folder, "set", "notes.csv"), "a,b");
  await writeFile(join(folder, "set", ".DS_Store"), "x");
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

async function writeEye(name: string, { image, vessels }: SyntheticFundus): Promise<void> {
  await writePng(file(`${name}.png`), image);
  await writePng(file(`${name}_1stHO.png`), vessels);
}

/** A second observer, who sees every vessel a pixel further to the right. */
const shifted = (data: Uint8Array): Uint8Array => data.map((_, i) => data[Math.max(0, i - 1)]);

/** One byte a pixel. */
const greyOf = (picture: Buffer | string): Promise<Buffer> =>
  sharp(picture).toColourspace("b-w").raw().toBuffer();

async function ppmOf(path: string): Promise<Buffer> {
  const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return Buffer.concat([Buffer.from(`P6 ${info.width} ${info.height} 255\n`), data]);
}

const choose = (page: Page, ...names: string[]) =>
  page.getByLabel("Choose photographs").setInputFiles(names.map(file));
const textOf = (page: Page, id: string) => page.getByTestId(id).textContent();
const truth = (page: Page) => page.getByLabel("Against the truth");
const optionsOf = (page: Page) => truth(page).locator("option").allTextContents();
const chosen = (page: Page) => truth(page).locator("option:checked").textContent();

describeInBrowsers("photographs", ({ name: browserName, launch }) => {
  const browser = launched(launch);

  const complaints: string[] = [];
  /** With its synthetic photograph; the tests take out what they bring. */
  const shared = sharedPage(() => openedPage(browser(), site, complaints));

  it("draws the photograph and what was found", async () => {
    const page = await shared();
    await page.waitForTimeout(500);
    expect(complaints).toEqual([]);
    const stage = await page.locator(".stage").screenshot();
    const { data, info } = await sharp(stage).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    let [red, green] = [0, 0];
    for (let i = 0; i < data.length; i += 3) {
      if (data[i] > 120 && data[i + 1] < 110) red++;
      if (data[i + 1] > 180 && data[i] < 90) green++;
    }
    const pixels = info.width * info.height;
    expect(red / pixels).toBeGreaterThan(0.2);
    expect(green / pixels).toBeGreaterThan(0.01);
    await removeOthers(page);
  });

  it("keeps the panel in its place beside many photographs", async () => {
    const page = await shared();
    await choose(page, ...many);
    await done(page, many.at(-1)!);
    // So many come as a table; the strip is wider than the column.
    await page.getByLabel("Strip").check();
    for (const width of [1440, 1024, 390]) {
      await page.setViewportSize({ width, height: 844 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide).toBeLessThanOrEqual(width);
      const [stage, panel] = await Promise.all(
        [".stage", ".panel"].map((part) => page.locator(part).boundingBox()),
      );
      if (width > 900) expect(stage!.x + stage!.width).toBeLessThanOrEqual(panel!.x);
      // Playwright clicks what a person would hit there.
      await page.getByLabel("Overlay").click({ timeout: 10_000 });
      expect(await page.getByLabel("Overlay").isChecked()).toBe(true);
      await page.getByLabel("Before / after").click();
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await removeOthers(page);
  });

  it("saves the photograph's own result, as the command writes it, however soon it is asked", async () => {
    const page = await shared();
    await choose(page, "Image_01L.png", "large.png");
    await done(page, "large.png");
    const field = page.getByLabel("Only the field of view");
    await field.uncheck();
    await select(page, "Image_01L.png");
    await page.waitForTimeout(500);
    const out = join(await mkdtemp(join(folder, "out-")), "out");
    const command = join(ROOT, "scripts/saunet.mjs");
    const own = ["--weights", await weightsPath(site), "-o", out];
    const args = [command, "segment", file("large.png"), file("Image_01L.png"), ...own];
    await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    for (const name of ["large", "Image_01L"]) {
      const label = `${name}.png`;
      // Both clicks in one task: the stage has had no time to open the photograph.
      const mask = await savedBy(page, () => clickBoth(page, `${label}, segmented`, "Mask as PNG"));
      const probability = await savedBy(page, () => page.getByText("Probability as PNG").click());
      expect([mask.name, probability.name]).toEqual([`${name}-mask.png`, `${name}-probability.png`]);
      const header = await Promise.all([mask, probability].map(({ bytes }) => sharp(bytes).metadata()));
      expect(header).toMatchObject([
        { channels: 1, depth: "uchar", ...(name === "large" ? LARGE : SIZE) },
        { channels: 1, depth: "ushort", ...(name === "large" ? LARGE : SIZE) },
      ]);
      const levels = (bytes: Buffer) =>
        sharp(bytes).toColourspace("grey16").raw({ depth: "ushort" }).toBuffer();
      const ours = await levels(probability.bytes);
      const pixels = new Uint16Array(ours.buffer, ours.byteOffset, ours.length / 2);
      const theirs = await greyOf(join(out, `${name}-probability.png`));
      // 255 levels and 65535 are both rounded; the engines agree to 2e-5.
      const furthest = pixels.reduce((most, p, i) => Math.max(most, Math.abs(p / 257 - theirs[i])), 0);
      expect(furthest).toBeLessThan(0.51);
      const [own, other] = await Promise.all([mask.bytes, join(out, `${name}-mask.png`)].map(greyOf));
      // Where the probability is the threshold to the last digit, either is right.
      const differ = own.filter((level, i) => level !== other[i] && Math.abs(pixels[i] - 32767.5) > 3);
      expect(differ).toHaveLength(0);
    }
    await field.check();
    await removeOthers(page);
  });

  it("shows nothing of the last photograph while a large one is opened", async () => {
    const page = await shared();
    await choose(page, "Image_01L.png", "large.jpg");
    await done(page, "large.jpg");
    await page.evaluate(() => {
      const seen = new Set<string>();
      (globalThis as unknown as { seen: Set<string> }).seen = seen;
      new MutationObserver(() => {
        const text = document.querySelector(".stage-message")?.textContent;
        if (text) seen.add(text.trim());
      }).observe(document.querySelector(".stage")!, { childList: true, subtree: true });
    });
    await select(page, "Image_01L.png");
    await select(page, "large.jpg");
    const seen = () => page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen]);
    await expect.poll(seen).toContain("Opening large.jpg …");
    await expect.poll(() => page.locator(".stage-message").count()).toBe(0);
    await removeOthers(page);
  });

  it("pairs masks by name and size, keeps both observers, and never takes another eye's", async () => {
    const page = await shared();
    // The mask first, its photograph later.
    await choose(page, "Image_01L_1stHO.png");
    await page
      .getByText("Image_01L_1stHO.png (vessels): no photograph here has its 200 × 136 pixels.")
      .waitFor();
    await choose(page, "Image_01L.png");
    await done(page, "Image_01L.png");
    await page.getByTestId("f1").waitFor();
    const first = await textOf(page, "f1");
    expect(await optionsOf(page)).toEqual(["Image_01L_1stHO.png", "no comparison"]);
    await choose(page, "Image_01L_2ndHO.png");
    await expect.poll(() => optionsOf(page)).toHaveLength(3);
    await expect.poll(() => chosen(page)).toBe("Image_01L_1stHO.png");
    expect(await textOf(page, "f1")).toBe(first);
    await truth(page).selectOption({ label: "Image_01L_2ndHO.png" });
    await expect.poll(() => textOf(page, "f1")).not.toBe(first);
    await truth(page).selectOption({ label: "no comparison" });
    await page.getByTestId("f1").waitFor({ state: "detached" });
    await truth(page).selectOption({ label: "Image_01L_1stHO.png" });
    await expect
      .poll(() =>
        page
          .getByTestId("f1")
          .textContent({ timeout: 1000 })
          .catch(() => ""),
      )
      .toBe(first);

    await choose(page, "Image_01R_1stHO.png", "Image_01L_small_mask.png");
    await page.getByText("Image_01R_1stHO.png (vessels): no photograph here has a name like it.").waitFor();
    await page
      .getByText("Image_01L_small_mask.png (vessels): it has 96 × 64 pixels, Image_01L.png has 200 × 136.")
      .waitFor();
    expect(await textOf(page, "f1")).toBe(first);
    expect(await optionsOf(page)).toHaveLength(3);
    // By hand it is taken, and told.
    await page.getByLabel("Photograph of Image_01R_1stHO.png").selectOption({ label: "Image_01L.png" });
    await expect.poll(() => chosen(page)).toBe("Image_01R_1stHO.png");
    await expect.poll(() => textOf(page, "f1")).not.toBe(first);
    // By hand too, a size that does not fit is refused, and a photograph is no mask.
    await page.getByLabel("Another mask").setInputFiles(file("Image_01L_small_mask.png"));
    await page.getByText("Image_01L_small_mask.png is not used: it has 96 × 64 pixels").waitFor();
    await removeOthers(page);
  });

  it("takes a folder with its masks, and leaves out what is no picture", async () => {
    const page = await shared();
    // A folder's input cannot be filled over WebDriver BiDi yet, so Firefox gets what a drop gives.
    if (browserName === "Chromium") await page.getByLabel("Choose a folder").setInputFiles(file("set"));
    else await dropFolder(page, file("set"));
    await done(page, "1_A.png");
    await select(page, "1_A.png");
    await page.getByTestId("f1").waitFor();
    expect(await optionsOf(page)).toEqual(["1_A.png", "no comparison"]);
    await page.getByText("1 file of the folder left out: no pictures.").waitFor();
    await removeOthers(page);
  });

  it.runIf(browserName === "Chromium")("takes a folder that is dropped", async () => {
    const page = await shared();
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [file("set")], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await session.send("Input.dispatchDragEvent", { type, x: 400, y: 400, data });
    await done(page, "1_A.png");
    await page.getByText("1 file of the folder left out: no pictures.").waitFor();
    expect(await page.locator(".drop-veil").count()).toBe(0);
    await removeOthers(page);
  });

  it("reads gzipped PPM, tells a JPEG that is cut short, doubles and what is no fundus, in the table too", async () => {
    const page = await shared();
    await choose(page, "eye.ppm.gz", "cut.jpg", "inks.jpg", "sky.png", "Image_01L.png");
    await done(page, "Image_01L.png");
    await choose(page, "Image_01L.png");
    await done(page, "Image_01L (2).png");
    await page.getByRole("button", { name: "cut.jpg, could not be segmented" }).click();
    await page.getByText("cut.jpg is damaged or cut short.").first().waitFor();
    await select(page, "sky.png");
    await page
      .getByText(/This may be no photograph of the retina: it is of one brightness throughout; hardly any/)
      .waitFor();
    // The same pixels, so the same share.
    await select(page, "eye.ppm.gz");
    const density = await textOf(page, "density");
    await select(page, "Image_01L.png");
    expect(await textOf(page, "density")).toBe(density);
    const { name, bytes } = await savedBy(page, () => page.getByText("CSV of all photographs").click());
    expect(name).toBe("saunet.csv");
    const [head, ...rows] = bytes.toString().trim().split("\r\n");
    const columns = head.split(",");
    const table = rows.map((row) => Object.fromEntries(row.split(",").map((cell, i) => [columns[i], cell])));
    expect(table.map(({ photograph }) => photograph)).toEqual([
      "synthetic.png",
      "eye.ppm.gz",
      "cut.jpg",
      "inks.jpg",
      "sky.png",
      "Image_01L.png",
      "Image_01L (2).png",
    ]);
    expect(table[2]).toMatchObject({ f1: "", error: "cut.jpg is damaged or cut short." });
    expect(table[3].error).toMatch(/^inks\.jpg holds amounts of inks \(CMYK\)/);
    expect(table[4].warning).toBe("it is of one brightness throughout; hardly any vessel was found");
    expect(table[0]).toMatchObject({ truth: "synthetic-truth.png", error: "", warning: "" });
    expect(Number(table[0].f1)).toBeGreaterThan(0.5);
    await removeOthers(page);
  });
});

/** Clicks two buttons one right after the other, as no person could. */
function clickBoth(page: Page, label: string, text: string): Promise<void> {
  return page.evaluate(
    async ([name, action]) => {
      document.querySelector<HTMLButtonElement>(`[aria-label="${name}"]`)!.click();
      // The page redraws its panel within a frame; the photograph takes longer.
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      [...document.querySelectorAll("button")]
        .find(({ textContent }) => textContent?.includes(action))!
        .click();
    },
    [label, text] as const,
  );
}

/** Drops a folder with subfolders, each entry as a browser hands it over. */
async function dropFolder(page: Page, root: string): Promise<void> {
  const names = ["images/1_A.png", "masks/1_A.png", "notes.csv", ".DS_Store"];
  const files = await Promise.all(
    names.map(async (name) => ({ name, base64: (await readFile(join(root, name))).toString("base64") })),
  );
  await page.evaluate((list) => {
    interface Entry {
      readonly name: string;
      readonly isFile: boolean;
      readonly isDirectory: boolean;
      readonly children: Entry[];
      file(resolve: (file: File) => void): void;
      createReader(): { readEntries(resolve: (entries: Entry[]) => void): void };
    }
    const entryOf = (name: string, content?: File): Entry => {
      const children: Entry[] = [];
      return {
        name,
        children,
        isFile: content !== undefined,
        isDirectory: content === undefined,
        file: (resolve) => resolve(content!),
        createReader() {
          let left = [...children];
          return {
            readEntries(resolve) {
              resolve(left);
              left = [];
            },
          };
        },
      };
    };
    const top = entryOf("set");
    for (const { name, base64 } of list) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const [own, ...folders] = name.split("/").reverse();
      let parent = top;
      for (const folder of folders) {
        const next = parent.children.find((child) => child.name === folder) ?? entryOf(folder);
        if (!parent.children.includes(next)) parent.children.push(next);
        parent = next;
      }
      parent.children.push(entryOf(own, new File([bytes], own)));
    }
    const event = new Event("drop", { bubbles: true, cancelable: true });
    const dataTransfer = { files: [], items: [{ webkitGetAsEntry: () => top }] };
    dispatchEvent(Object.assign(event, { dataTransfer }));
  }, files);
}
