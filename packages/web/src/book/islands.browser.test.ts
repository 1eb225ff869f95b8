// The live parts of the book, on a page that is opened from a folder: each comes when its button is pressed, computes, and
// answers its controls.

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIslands } from "../../../../scripts/site/islands.mjs";
import { root } from "../../../../scripts/workspace.mjs";
import { describeInBrowsers, launched } from "../testing-browsers.ts";

const PARTS = ["patch", "dark", "layers", "threshold"];
const PAGE = `<!doctype html><html data-theme="system" data-root="."><meta charset="utf-8"><script src="assets/client.js"></script>
<button id="theme"></button><input id="query"><ol id="found"></ol>
${PARTS.map((part) => `<figure id="${part}" data-live="${part}"><svg></svg></figure>`).join("\n")}</html>`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-book-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "page.html"), PAGE);
  await copyFile(join(root, "scripts/site/client.js"), join(folder, "assets/client.js"));
  await buildIslands(join(folder, "assets"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeInBrowsers("the book's live parts", ({ launch }) => {
  const browser = launched(launch);
  let page: Page;
  beforeAll(async () => {
    page = await browser().newPage();
    await page.goto(pathToFileURL(join(folder, "page.html")).href);
  });

  const part = (name: string) => page.locator(`#${name}`);
  const open = async (name: string): Promise<void> => {
    await part(name).locator("button.try").click();
    await part(name).locator("output").waitFor({ timeout: 120_000 });
  };

  it("patch: nine products of the chosen place, with the reader's filter", async () => {
    await open("patch");
    await expect.poll(() => part("patch").locator("output strong").textContent()).toBe("30");
    await part("patch").locator("button[aria-pressed]").nth(1).click();
    await expect.poll(() => part("patch").locator("output strong").textContent()).toBe("37");
    // Firefox's `fill` adds to the number of such a field; a person selects it and types.
    const tap = part("patch").locator("input").first();
    await tap.press("ControlOrMeta+a");
    await tap.press("2");
    // The upper left green of that window is 45.
    await expect.poll(() => part("patch").locator("output strong").textContent()).toBe("82");
  });

  it("dark: the threshold on green moves the F1", async () => {
    await open("dark");
    const before = await part("dark").locator("output").textContent();
    await part("dark").locator("input").fill("0.95");
    await expect.poll(() => part("dark").locator("output").textContent()).not.toBe(before);
  });

  it("layers: any channel of any layer of the trained network", async () => {
    await open("layers");
    expect(await part("layers").locator("option").count()).toBeGreaterThan(15);
    await part("layers").locator("select").selectOption("bottleneck.conv2");
    await expect.poll(() => part("layers").locator("output").textContent()).toMatch(/^32 × 32 × 64\./);
  });

  it("threshold: the network's answer, whose F1 is high at one half and falls beside it", async () => {
    await open("threshold");
    const f1 = async () => Number(await part("threshold").locator("output strong").textContent());
    expect(await f1()).toBeGreaterThan(0.85);
    await part("threshold").locator("input").fill("0.99");
    await expect.poll(f1).toBeLessThan(0.7);
  });
});
