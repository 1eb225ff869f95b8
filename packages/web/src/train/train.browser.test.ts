// A training run in Chromium and Firefox: kept through a reload, told on the other tabs, its files opened again.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { complaintsOf, openSite, type Site } from "../testing.ts";
import { BROWSERS, savedBy } from "../testing-browsers.ts";

let site: Site;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-weights-"));
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const stepOf = async (page: Page) => Number(await page.getByTestId("step").textContent());
const until = (page: Page, step: number) =>
  expect.poll(() => stepOf(page), { timeout: 120_000 }).toBeGreaterThan(step);

/** What the metadata of the kept checkpoint says. */
const keptState = (page: Page): Promise<{ position: { step: number }; learningRate: number }> =>
  page.evaluate(async () => {
    const result = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await result(indexedDB.open("keyval-store"));
    const { checkpoint } = await result(
      database.transaction("keyval").objectStore("keyval").get("saunet-run"),
    );
    database.close();
    const bytes = checkpoint as Uint8Array;
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    return JSON.parse(header.__metadata__.state);
  });

describe.each(BROWSERS)("training in $name", ({ name: browserName, launch }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it("is kept through a reload, told on other tabs, and its weights open again", async () => {
    const page = await (await browser.newContext()).newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${site.isolated}#train`);
    await button(page, "Train").click({ timeout: 60_000 });
    await until(page, 3);
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByRole("link", { name: "Train here is running" }).waitFor();
    await expect.poll(() => page.title()).toMatch(/^step \d+ · Segment · saunet$/);
    await page.getByRole("link", { name: "Train here" }).click();
    // It counts from the next step on.
    await page.getByLabel("Learning rate").fill("7");
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const held = await stepOf(page);
    await page.getByText(`This browser keeps the run up to step ${held};`).waitFor();
    const { position, learningRate } = await keptState(page);
    expect(position.step).toBe(held);
    expect(learningRate).toBeCloseTo(0.0007, 8);

    await page.reload();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    expect(await stepOf(page)).toBe(held);
    expect(await page.getByLabel("Learning rate").inputValue()).toBe("7");
    await button(page, "Resume").click();
    await until(page, held);
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const weights = await savedBy(page, () => button(page, "Weights").click());
    const path = join(folder, `${browserName}-${weights.name}`);
    await writeFile(path, weights.bytes);

    await button(page, "Reset").click();
    await expect.poll(() => stepOf(page)).toBe(0);
    await page.getByLabel("Open weights or a checkpoint").setInputFiles(path);
    await expect.poll(() => page.getByLabel("A file").isChecked()).toBe(true);
    await button(page, "Train").click();
    await until(page, 1);
    await button(page, "Reset").click();

    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByLabel("Open weights").first().setInputFiles(path);
    await page.getByText(`Weights: ${browserName}-${weights.name}`).waitFor({ timeout: 60_000 });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("says so where a file is neither weights nor a checkpoint", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site.isolated}#train`);
    const path = join(folder, "wrong.safetensors");
    await writeFile(path, "no weights");
    await page.getByLabel("Open weights or a checkpoint").setInputFiles(path);
    await button(page, "Train").click({ timeout: 60_000 });
    await page.getByText(/^The training ended: /).waitFor({ timeout: 60_000 });
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByLabel("Open weights").first().setInputFiles(path);
    await page.getByText(/^wrong\.safetensors could not be used: /).waitFor({ timeout: 60_000 });
    await page.context().close();
  });

  it.runIf(browserName === "Chromium")("warns before a tab closes whose steps are not kept", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site.isolated}#train`);
    await button(page, "Train").click({ timeout: 60_000 });
    await until(page, 1);
    const asked = page.waitForEvent("dialog");
    await page.close({ runBeforeUnload: true });
    const dialog = await asked;
    expect(dialog.type()).toBe("beforeunload");
    await dialog.accept();
  });
});
