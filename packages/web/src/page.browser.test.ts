// The whole page in a real browser: looking inside, training, what happens at the edges, and who can use it.

import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { syntheticFundus } from "@saunet/data";
import { writePng } from "@saunet/data/files";
import { readWeights } from "@saunet/model";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium } from "../../../scripts/chromium.mjs";
import { assetOf, bytesByThread, bytesOf, complaintsOf, openSite, type Site, sharedPage } from "./testing.ts";
import { describeInBrowsers } from "./testing-browsers.ts";

let site: Site;
let browser: Browser;
let folder: string;
const file = (name: string) => join(folder, name);
const LARGE = { width: 3504, height: 2336 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-pictures-"));
  const { image } = syntheticFundus({ seed: 4, width: 438, height: 292 });
  await writePng(file("small.png"), image);
  await sharp(file("small.png")).resize(LARGE.width, LARGE.height).jpeg().toFile(file("large.jpg"));
  [site, browser] = await Promise.all([openSite(), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Opens a tab of the page and waits for the synthetic photograph, which all of them need. */
async function open(
  tab: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(site.isolated);
  await stateOf(page, "synthetic.png", "segmented");
  await page.getByRole("link", { name: tab }).click();
  return { page, complaints };
}

const stateOf = (page: Page, name: string, state: string) =>
  page.getByRole("button", { name: `${name}, ${state}` }).waitFor({ timeout: 90_000 });
const choose = (page: Page, ...names: string[]) =>
  page.getByLabel("Choose photographs").setInputFiles(names.map(file));
const numberOf = async (page: Page, id: string) =>
  Number((await page.getByTestId(id).textContent())?.replace("−", "-").replace(/ .*/, ""));

describe("training", () => {
  it("learns, pauses, goes on, and gives its weights away", async () => {
    const { page, complaints } = await open("Train here");
    // To four digits, which two sets of weights do not share.
    const quality = () =>
      page
        .getByTestId("auc")
        .textContent({ timeout: 1000 })
        .catch(() => "–");
    await expect.poll(quality, { timeout: 60_000 }).not.toBe("–");
    const shipped = await quality();
    await page.getByRole("button", { name: "Train", exact: true }).click();
    const steps = () => numberOf(page, "step");
    await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(3);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    const held = await steps();
    await page.waitForTimeout(1500);
    expect(await steps()).toBe(held);

    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Weights", exact: true }).click();
    const { config, metadata } = readWeights(await readFile((await (await downloading).path())!));
    expect(config.name).toBe("sa-unet-v2");
    expect(metadata.training).toBe(`${held} steps on synthetic photographs, in a browser`);

    await page.getByRole("button", { name: "Resume" }).click();
    await expect.poll(steps, { timeout: 60_000 }).toBeGreaterThan(held);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Segment with these weights" }).click();
    await page.getByText(/^Weights: trained here for \d+ steps/).waitFor();
    await expect.poll(quality, { timeout: 60_000 }).not.toMatch(new RegExp(`–|${shipped}`));
    await page.getByRole("button", { name: "Back to the shipped ones" }).click();
    await expect.poll(quality, { timeout: 60_000 }).toBe(shipped);

    await page.getByRole("link", { name: "Train here" }).click();
    await page.getByRole("button", { name: "Reset" }).click();
    await expect.poll(steps).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("says so where its photographs cannot be drawn", async () => {
    const { page } = await open("Train here", { serviceWorkers: "block" });
    const script = join(site.folder, await assetOf(site, "batch.worker"));
    await rename(script, `${script}.away`);
    await page.getByRole("button", { name: "Train", exact: true }).click();
    await page.getByText(/^The training ended: no photographs can be drawn/).waitFor({ timeout: 60_000 });
    await rename(`${script}.away`, script);
    await page.getByRole("button", { name: "Train", exact: true }).click();
    await expect.poll(() => numberOf(page, "step"), { timeout: 60_000 }).toBeGreaterThan(0);
    await page.context().close();
  });
});

describe("at the edges", () => {
  it("segments a photograph of 3504 x 2336 pixels, and can be stopped in the middle of one", async () => {
    const { page, complaints } = await open("Segment");
    await choose(page, "large.jpg");
    await stateOf(page, "large.jpg", "segmented");
    await page.getByText(`${LARGE.width} × ${LARGE.height} pixels`, { exact: false }).waitFor();
    await page.getByRole("button", { name: "Remove large.jpg" }).click();

    await choose(page, "large.jpg", "small.png");
    await page.getByRole("button", { name: /^large\.jpg, being segmented/ }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await stateOf(page, "large.jpg", "cancelled");
    await stateOf(page, "small.png", "cancelled");
    await page.getByRole("button", { name: "small.png, cancelled" }).click();
    await page.getByRole("button", { name: "Segment it after all" }).click();
    await stateOf(page, "small.png", "segmented");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("leaves nothing behind when its tab is closed in the middle of a run", async () => {
    const session = await browser.newBrowserCDPSession();
    const renderers = async () => {
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
    };
    const { page } = await open("Segment");
    const before = await renderers();
    await choose(page, "large.jpg");
    await page.getByRole("button", { name: /^large\.jpg, being segmented/ }).waitFor();
    await page.context().close();
    await expect
      .poll(async () => (await renderers()).length, { timeout: 20_000 })
      .toBeLessThan(before.length);
  });
});

describe("the first visit", () => {
  /** Megabytes, as a host would compress them. */
  const MOST = 0.75;
  it(`loads at most ${MOST} MB before it is ready`, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const files = new Set<string>();
    context.on("request", (request) => {
      const url = request.url();
      // What the service worker fetches for later visits is not waited for; the engine's threads are blobs.
      if (request.serviceWorker() === null && url.startsWith(site.isolated))
        files.add(url.slice(site.isolated.length));
    });
    await page.goto(site.isolated);
    await page.waitForFunction(() => performance.getEntriesByName("saunet-ready").length > 0);
    await context.close();
    const names = [...files].map((name) => name || "index.html");
    expect(names.some((name) => name.endsWith(".safetensors"))).toBe(true);
    const sizes = names.map(
      async (name) => gzipSync(await readFile(join(site.folder, name)), { level: 9 }).length,
    );
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeLessThan(MOST * 1e6);
  });
});

describe("memory", () => {
  it("stays as it is through ten photographs in a row", async () => {
    const { page } = await open("Segment");
    // Of other content each, so that none is known from before, and of one size for the network: the same rim.
    const names = Array.from({ length: 13 }, (_, i) => `many-${i}.png`);
    for (const [i, name] of names.entries()) {
      const dot = { create: { width: 4, height: 4, channels: 3, background: "black" } } as const;
      await sharp(await sharp(file("small.png")).resize(800, 536).toBuffer())
        .composite([{ input: dot, left: 300 + 10 * i, top: 260 }])
        .toFile(file(name));
    }
    const [first, rest] = [names.slice(0, 3), names.slice(3)];
    await choose(page, ...first);
    await stateOf(page, first[2], "segmented");
    const before = await bytesOf(page);
    // The engine's own memory is among it.
    expect(before).toBeGreaterThan(100e6);
    await choose(page, ...rest);
    await stateOf(page, rest[9], "segmented");
    // A probability takes 1.7 MB: a single one that is kept shows.
    expect((await bytesOf(page)) - before).toBeLessThan(1.5e6);
    await page.context().close();
  });
});

describe("memory of engines", () => {
  it("is given back when nothing has been asked for a while, and by a reset of the training", async () => {
    const { page } = await open("Segment");
    await choose(page, "small.png");
    await stateOf(page, "small.png", "segmented");
    const megabytesOf = async (worker: string) => ((await bytesByThread(page))[worker] ?? 0) / 1e6;
    expect(await megabytesOf("segment.worker")).toBeGreaterThan(100);
    // What the engine keeps for whatever comes next is 17 MB.
    await expect.poll(() => megabytesOf("segment.worker"), { timeout: 60_000 }).toBeLessThan(60);
    await page.getByRole("button", { name: "Remove small.png" }).click();
    await choose(page, "small.png");
    await stateOf(page, "small.png", "segmented");

    await page.getByRole("link", { name: "Train here" }).click();
    await page.getByRole("button", { name: "Train", exact: true }).click({ timeout: 60_000 });
    await expect.poll(() => numberOf(page, "step"), { timeout: 120_000 }).toBeGreaterThan(0);
    expect(await megabytesOf("train.worker")).toBeGreaterThan(100);
    await page.getByRole("button", { name: "Reset" }).click();
    await expect.poll(() => megabytesOf("train.worker"), { timeout: 60_000 }).toBeLessThan(60);
    await page.context().close();
  });
});

/** Nothing that axe finds serious, and nothing wider than the screen. */
async function expectNoFault(page: Page, state: string): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }),
  );
  const faults = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${state}: ${id}: ${nodes[0].html}`);
  expect(faults).toEqual([]);
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect([state, wide]).toEqual([state, Math.min(wide, room)]);
}

describeInBrowsers("for everybody", ({ launch }) => {
  let own: Browser;
  const complaints: string[] = [];
  beforeAll(async () => {
    own = await launch();
  });
  afterAll(() => own?.close());
  const shared = sharedPage(async () => {
    const page = await own.newPage();
    complaintsOf(page, complaints);
    await page.goto(site.isolated);
    await stateOf(page, "synthetic.png", "segmented");
    return page;
  });

  it("can be used with the keyboard alone", async () => {
    const page = await shared();
    await page.keyboard.press("Tab");
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "",
      );
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      seen.add((await focused()).trim());
      await page.keyboard.press("Tab");
    }
    for (const name of ["Zoom in", "Where the photograph ends and the vessels begin"])
      expect([...seen]).toContain(name);
    await page.getByLabel("Threshold").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("0.49").waitFor();
  });

  it("shows every layer, and takes its numbers apart as the engine computes them", async () => {
    const page = await shared();
    await page.getByRole("link", { name: "Look inside" }).click();
    await page.getByRole("region", { name: "The network, stage by stage" }).waitFor({ timeout: 60_000 });
    for (const layer of ["Encoder 1, unit 2", "Bottleneck, attention", "Decoder 1, enlarged", "Head"]) {
      await page.getByRole("button", { name: `${layer}:` }).click();
      await page.getByRole("heading", { name: layer, exact: true }).waitFor();
      const probe = page.getByRole("region", { name: "One number taken apart" });
      const engine = /The engine computes (\S+) for it/
        .exec((await probe.textContent())!)![1]
        .replace("−", "-");
      expect(await numberOf(page, "probe-sum")).toBeCloseTo(Number(engine), 2);
      await page.locator("mark").first().waitFor();
    }
    const activation = await numberOf(page, "probe-activation");
    expect(activation).toBeCloseTo(1 / (1 + Math.exp(-(await numberOf(page, "probe-sum")))), 2);
    await page.getByRole("button", { name: /^Channel 0\. Row/ }).press("ArrowRight");
    await page.getByRole("button", { name: "Decoder 2, enlarged:" }).click();
    await page.getByRole("button", { name: "Channel 31" }).click();
    await page.getByText("The filter of channel 31").waitFor();
    expect(complaints).toEqual([]);
  });

  const ways = [
    { theme: "light", width: 1280 },
    { theme: "dark", width: 390 },
  ];
  it.each(ways)(
    "has no serious fault of accessibility ($theme, $width pixels wide)",
    async ({ theme, width }) => {
      const page = await shared();
      await page.setViewportSize({ width, height: 844 });
      const button = page.getByRole("button", { name: /^Theme: / });
      while ((await button.getAttribute("aria-label")) !== `Theme: ${theme}`) await button.click();
      await page.getByRole("link", { name: "Look inside" }).click();
      await page.getByRole("region", { name: "Attention", exact: true }).waitFor({ timeout: 60_000 });
      const headings = {
        "Look inside": "Inside the network",
        "Train here": "Train it here",
        Segment: "The vessels of the retina",
      };
      for (const [tab, heading] of Object.entries(headings)) {
        await page.getByRole("link", { name: tab }).click();
        await page.getByRole("heading", { name: heading }).waitFor();
        await expectNoFault(page, tab);
      }
      await page.getByLabel("Probability", { exact: true }).check();
      await page.getByRole("button", { name: "Correct the mask by hand" }).click();
      await page.getByRole("button", { name: "Keep as truth" }).waitFor();
      await expectNoFault(page, "correcting");
      await page.getByRole("button", { name: "Discard" }).click();
      await page.getByRole("link", { name: "Look inside" }).click();
      await page.getByRole("button", { name: "Decoder 2, unit 1:" }).click();
      await page.getByRole("button", { name: "61 other channels" }).click();
      await expectNoFault(page, "all channels");
      await page.getByRole("button", { name: /^Only the \d+ heaviest$/ }).click();
    },
  );
});
