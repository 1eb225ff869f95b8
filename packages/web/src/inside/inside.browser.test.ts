// Looking inside, in Chromium and Firefox: addresses that lead to a number, what it is made of, other networks.

import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomState } from "@saunet/core";
import { syntheticFundus } from "@saunet/data";
import { initialize, saUNet, writeWeights } from "@saunet/model";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { assetOf, complaintsOf, openSite, type Site, sharedPage } from "../testing.ts";
import { describeInBrowsers, launched } from "../testing-browsers.ts";

let site: Site;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-weights-"));
  const parameters = initialize(saUNet, randomState(2));
  await writeFile(
    join(folder, "first.safetensors"),
    writeWeights({ config: saUNet, parameters, metadata: {} }),
  );
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

const numberIn = (text: string | null): number => Number(text?.replace("−", "-"));

describeInBrowsers("looking inside", ({ name: browserName, launch }) => {
  const browser = launched(launch);

  async function open(hash: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await (await browser().newContext()).newPage();
    const complaints = complaintsOf(page);
    await page.goto(site.isolated + hash);
    const shown = page.getByRole("heading", { name: "One number, taken apart" });
    await shown.waitFor({ timeout: 120_000 }).catch(async ({ message }: Error) => {
      // What the page shows instead says why.
      throw new Error(`${message}; the page shows ${await page.locator("main").textContent()}`);
    });
    return { page, complaints };
  }
  const shared = sharedPage(async () => (await open("#inside/head/0")).page);
  /** The shared page at an address, as a lecture's links lead there. */
  async function at(hash: string): Promise<Page> {
    const page = await shared();
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
    return page;
  }
  const hashOf = (page: Page) => page.evaluate(() => location.hash);
  const heading = (page: Page, name: string) =>
    page.getByRole("heading", { name, level: 2, exact: true }).waitFor();

  it("begins on a vessel, in every layer at the same place", async () => {
    const page = await shared();
    const [, x, y] = /^#inside\/head\/0\?x=(\d+)&y=(\d+)$/.exec(await hashOf(page))!.map(Number);
    // The network sees the photograph of 592 x 592 pixels at 512 x 512.
    const { vessels } = syntheticFundus({ seed: 1 });
    const [column, row] = [x, y].map((at) => Math.round(((at + 0.5) * 592) / 512 - 0.5));
    expect(vessels.data[row * vessels.width + column]).toBe(1);
    expect(numberIn(await page.getByTestId("probe-activation").textContent())).toBeGreaterThan(0.9);
    await page.getByRole("button", { name: "Encoder 2, unit 1:" }).click();
    await heading(page, "Encoder 2, unit 1");
    await expect
      .poll(() => hashOf(page))
      .toBe(`#inside/encoder2.conv1/0?x=${Math.floor(x / 2)}&y=${Math.floor(y / 2)}`);
  });

  it("goes where its address leads, and shows every step of the number there", async () => {
    const page = await at("#inside/encoder2.conv1/12?x=40&y=31");
    await heading(page, "Encoder 2, unit 1");
    await page.getByText("Row 31, column 40, channel 12 of encoder 2, unit 1.").waitFor();
    await expect.poll(() => hashOf(page)).toBe("#inside/encoder2.conv1/12?x=40&y=31");
    expect(await page.getByTestId("origin").textContent()).toMatch(/^Max pooling of encoder 1, unit 2: /);
    const text = async (id: string) => numberIn(await page.getByTestId(id).textContent());
    const normalized = await text("probe-normalized");
    expect(await text("probe-activation")).toBeCloseTo(normalized / (1 + Math.exp(-normalized)), 2);
    // All sixteen channels, on demand; together with the bias they are the sum.
    await page.getByRole("button", { name: "13 other channels" }).click();
    const rows = await page
      .locator(".probe tbody tr")
      .filter({ has: page.locator(".square") })
      .count();
    expect(rows).toBe(16);

    await at("#inside/decoder3.up/5?x=9&y=10");
    await heading(page, "Decoder 3, enlarged");
    await page.getByText("Row 10, column 9, channel 5 of decoder 3, enlarged.").waitFor();
  });

  it("lights what a number is made of while the pointer moves, and goes there", async () => {
    const page = await at("#inside/encoder2.conv2/3?x=100&y=100");
    await page.getByText("Row 100, column 100, channel 3 of encoder 2, unit 2.").waitFor();
    const lit = () =>
      page
        .getByTestId("patch")
        .evaluate(({ style }) =>
          [style.left, style.width].map((share) => Math.round((Number.parseFloat(share) / 100) * 256)),
        );
    // Three pixels of 256, from the one before on.
    expect(await lit()).toEqual([99, 3]);
    const channel = page.getByRole("button", { name: /^Channel 3\. Row 100/ });
    await channel.evaluate((element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
    const { x, y, width, height } = (await channel.boundingBox())!;
    await page.mouse.move(x + (200.5 / 256) * width, y + height / 2);
    await expect.poll(lit).toEqual([199, 3]);
    await page.mouse.move(x + width + 40, y + height / 2);
    await expect.poll(lit).toEqual([99, 3]);
    await page.getByRole("button", { name: "Go to Encoder 2, unit 1" }).press("Enter");
    await heading(page, "Encoder 2, unit 1");
    await page.getByRole("button", { name: "Encoder 2, unit 2", exact: true }).click();
    await heading(page, "Encoder 2, unit 2");
  });

  it("says so where its worker cannot be started, and tries again", async () => {
    const script = join(site.folder, await assetOf(site, "inside.worker"));
    await rename(script, `${script}.away`);
    try {
      const page = await (await browser().newContext()).newPage();
      await page.goto(`${site.isolated}#inside`);
      await page.getByText(/^synthetic\.png could not be looked into: /).waitFor({ timeout: 120_000 });
      await rename(`${script}.away`, script);
      await page.getByRole("link", { name: "Segment" }).click();
      await page.getByRole("link", { name: "Look inside" }).click();
      await page.getByRole("heading", { name: "One number, taken apart" }).waitFor({ timeout: 120_000 });
      await page.context().close();
    } finally {
      await rename(`${script}.away`, script).catch(() => {});
    }
  });

  // Scripts that the service worker keeps would not change; Chromium can go without it.
  it.runIf(browserName === "Chromium")("starts its worker anew where its engine never comes up", async () => {
    const script = join(site.folder, await assetOf(site, "inside.worker"));
    const text = await readFile(script, "utf8");
    // The worker runs, and blocks when its engine wants its first thread.
    const hangs =
      "self.MessageChannel = function () { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); };";
    await writeFile(script, hangs + text);
    try {
      const context = await browser().newContext({ serviceWorkers: "block" });
      const page = await context.newPage();
      const isInside = (worker: { url(): string }) => worker.url().includes("inside.worker");
      const [ended, fetched] = [
        page
          .waitForEvent("worker", isInside)
          .then((worker) => worker.waitForEvent("close", { timeout: 60_000 })),
        page.waitForEvent("worker", isInside),
      ];
      await page.goto(`${site.isolated}#inside`);
      await fetched;
      await writeFile(script, text);
      await ended;
      await page.getByRole("heading", { name: "One number, taken apart" }).waitFor({ timeout: 120_000 });
      await context.close();
    } finally {
      await writeFile(script, text);
    }
  });

  it("opens another network of the family, and takes its numbers apart", async () => {
    const { page, complaints } = await open("#inside/decoder1.conv1/2?x=7&y=8");
    // An address leads to its number when the page is opened with it, too.
    await page.getByText("Row 8, column 7, channel 2 of decoder 1, unit 1.").waitFor();
    await page
      .getByLabel("Open weights")
      .filter({ visible: true })
      .setInputFiles(join(folder, "first.safetensors"));
    await page.getByText("SA-UNet has 538,707 numbers").waitFor({ timeout: 120_000 });
    await heading(page, "Decoder 1, unit 1");
    await page.getByText("max(0, ", { exact: false }).waitFor();
    await page.getByText("learned for the channel").waitFor();
    expect(await page.getByRole("button", { name: "Decoder 1, attention:" }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
