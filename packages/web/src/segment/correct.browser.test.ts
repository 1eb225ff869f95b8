// Masks corrected by hand, in Chromium and Firefox: strokes, undo, the truth that they become.

import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { complaintsOf, openSite, type Site, sharedPage } from "../testing.ts";
import { describeInBrowsers, launched, savedBy } from "../testing-browsers.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.close());

const SIDE = 592;

describeInBrowsers("correcting", ({ launch }) => {
  const browser = launched(launch);

  const complaints: string[] = [];
  const shared = sharedPage(async () => {
    const page = await (await browser().newContext({ viewport: { width: 1280, height: 900 } })).newPage();
    complaintsOf(page, complaints);
    await page.goto(site.isolated);
    await button(page, "synthetic.png, segmented").waitFor({ timeout: 120_000 });
    return page;
  });
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

  /** The truth as it is downloaded. */
  async function truthOf(page: Page): Promise<Buffer> {
    const { name, bytes } = await savedBy(page, () => page.getByText("Truth as PNG").click());
    expect(name).toBe("synthetic-truth.png");
    const { data, info } = await sharp(bytes)
      .toColourspace("b-w")
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: SIDE, height: SIDE, channels: 1 });
    return data;
  }

  /** Drags over the photograph, between points of its own. */
  async function drag(page: Page, from: readonly [number, number], to: readonly [number, number]) {
    const { x, y, width, height } = (await page.locator(".stage").boundingBox())!;
    const scale = Math.min(width, height) / SIDE;
    const at = ([px, py]: readonly [number, number]) =>
      [x + width / 2 + (px - SIDE / 2) * scale, y + height / 2 + (py - SIDE / 2) * scale] as const;
    await page.mouse.move(...at(from));
    await page.mouse.down();
    await page.mouse.move(...at(to), { steps: 4 });
    await page.mouse.up();
  }

  it("draws, takes back, erases, and keeps what was drawn as the truth", async () => {
    const page = await shared();
    await page.getByTestId("f1").waitFor();
    const before = await truthOf(page);
    const f1 = await page.getByTestId("f1").textContent();
    await button(page, "Correct the mask by hand").click();
    await expect.poll(() => button(page, "Undo").isDisabled()).toBe(true);
    await page.getByLabel("Width", { exact: true }).fill("20");
    await drag(page, [100, 300], [300, 300]);
    await drag(page, [100, 400], [300, 400]);
    await button(page, "Undo").click();
    await page.getByLabel("Erase").check();
    await drag(page, [200, 280], [200, 320]);
    await button(page, "Keep as truth").click();
    await page.getByRole("option", { name: "synthetic-corrected.png" }).waitFor({ state: "attached" });
    await expect.poll(() => page.getByTestId("f1").textContent()).not.toBe(f1);
    const after = await truthOf(page);
    const level = (x: number, y: number) => after[y * SIDE + x];
    expect([level(120, 300), level(280, 307), level(200, 300), level(205, 300)]).toEqual([255, 255, 0, 0]);
    let elsewhere = 0;
    after.forEach((value, pixel) => {
      const [x, y] = [pixel % SIDE, Math.floor(pixel / SIDE)];
      const isNear = x >= 87 && x <= 313 && y >= 267 && y <= 333;
      if (!isNear && value !== before[pixel]) elsewhere++;
    });
    // What was taken back has left nothing.
    expect(elsewhere).toBe(0);

    await button(page, "Correct the mask by hand").click();
    await drag(page, [100, 100], [300, 100]);
    await button(page, "Discard").click();
    await button(page, "Correct the mask by hand").waitFor();
    expect(await truthOf(page)).toEqual(after);
    expect(complaints).toEqual([]);
  });

  it("draws with the keyboard, and loses nothing when another photograph is turned to", async () => {
    const page = await shared();
    await button(page, "Synthetic example").click();
    await button(page, "synthetic (2).png, segmented").waitFor({ timeout: 120_000 });
    await expect.poll(() => page.locator(".stage-message").count()).toBe(0);
    const stage = page.getByRole("img", { name: /^The photograph with the vessels/ });
    // The first stroke in the same task as the click: the view's worker has not heard of either yet.
    await button(page, "Correct the mask by hand").evaluate((begin: HTMLElement) => {
      begin.click();
      document
        .querySelector(".stage canvas")!
        .dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true }));
    });
    await stage.press(" ");
    await stage.press("Control+z");
    await expect.poll(() => button(page, "Undo").isDisabled()).toBe(false);
    await stage.press("Control+z");
    await expect.poll(() => button(page, "Undo").isDisabled()).toBe(true);
    await stage.press(" ");
    await stage.press("PageUp");
    await page.getByText("The corrected mask of synthetic (2).png was kept as its truth.").waitFor();
    await button(page, "synthetic (2).png, segmented").click();
    await page.getByRole("option", { name: "synthetic (2)-corrected.png" }).waitFor({ state: "attached" });
  });
});
