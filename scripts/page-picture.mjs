// Draws docs/images/page.jpg: the page's first tab, and a number of the second taken apart, as a browser shows them.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preview } from "vite";
import { launchChromium } from "./chromium.mjs";
import { root, run } from "./workspace.mjs";

const SIZE = { width: 1280, height: 900 };

const web = join(root, "packages/web");
const sharp = createRequire(join(web, "package.json"))("sharp");
const folder = mkdtempSync(join(tmpdir(), "saunet-page-"));
const built = run(
  join(web, "node_modules/.bin/vite"),
  ["build", "--logLevel", "error", "--outDir", folder, "--emptyOutDir"],
  { cwd: web },
);
if (built !== 0) process.exit(built);
const server = await preview({
  root: web,
  logLevel: "silent",
  build: { outDir: folder },
  preview: { port: 0 },
});
const browser = await launchChromium();

async function picture(colorScheme, prepare) {
  const page = await browser.newPage({ viewport: SIZE, colorScheme });
  await page.goto(server.resolvedUrls.local[0]);
  await page.getByRole("button", { name: "synthetic.png, segmented" }).waitFor({ timeout: 120_000 });
  await prepare(page);
  await page.waitForTimeout(500);
  return page.screenshot();
}

// Neither shows how long something took: that would be the machine's own time, on the day of the picture.
const left = await picture("light", async (page) => {
  await page.locator(".panel").evaluate((panel) => panel.scrollTo(0, panel.scrollHeight));
});
const right = await picture("dark", async (page) => {
  await page.evaluate(() => {
    location.hash = "#inside/encoder2.conv2/12";
  });
  const columns = page.locator(".detail-columns");
  await columns.waitFor({ timeout: 120_000 });
  await columns.evaluate((element) => {
    element.scrollIntoView({ behavior: "instant" });
    // Below the header, which stays.
    scrollBy({ top: -90, behavior: "instant" });
  });
});
await sharp({ create: { width: 2 * SIZE.width, height: SIZE.height, channels: 3, background: "black" } })
  .composite([
    { input: left, left: 0, top: 0 },
    { input: right, left: SIZE.width, top: 0 },
  ])
  .jpeg()
  .toBuffer()
  .then((both) =>
    sharp(both).resize(1600).jpeg({ quality: 84, mozjpeg: true }).toFile(join(root, "docs/images/page.jpg")),
  );
await browser.close();
await server.close();
rmSync(folder, { recursive: true, force: true });
