// What surrounds the three tabs, in Chromium and Firefox: the policy that binds the workers too, every width, forced
// colours, the wheel, a page opened as a file or without its host, a new version, the title.

import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openSite, type Site, sharedPage } from "./testing.ts";
import { describeInBrowsers, launched } from "./testing-browsers.ts";

let site: Site;
/** Another origin, which answers whoever asks. */
let elsewhere: Server;
let address: string;
let visits = 0;

const PROBE = `
  const address = new URL(location.href).searchParams.get("address");
  fetch(address).then(() => postMessage("answered"), () => postMessage("refused"));
`;

beforeAll(async () => {
  elsewhere = createServer((_, response) => {
    visits++;
    const headers = { "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" };
    response.writeHead(200, headers).end("here");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  site = await openSite();
  await writeFile(join(site.folder, "assets/probe.js"), PROBE);
});
afterAll(async () => {
  elsewhere?.close();
  await site?.close();
});

const segmented = (page: Page, name: string) =>
  page.getByRole("button", { name: `${name}, segmented` }).waitFor({ timeout: 120_000 });

/** Has a worker of the page ask the other origin. */
const askFromWorker = (page: Page): Promise<string> =>
  page.evaluate(
    (to) =>
      new Promise<string>((resolve) => {
        const worker = new Worker(`./assets/probe.js?address=${to}`);
        worker.onmessage = ({ data }) => resolve(data);
      }),
    address,
  );

describeInBrowsers("the frame", ({ name: browserName, launch }) => {
  const browser = launched(launch);

  async function open(where: string): Promise<Page> {
    const page = await (await browser().newContext()).newPage();
    await page.goto(where);
    await segmented(page, "synthetic.png");
    return page;
  }
  const shared = sharedPage(() => open(site.isolated));
  /** The shared page, in a window of this size. */
  async function sized(width = 1280, height = 800): Promise<Page> {
    const page = await shared();
    await page.setViewportSize({ width, height });
    return page;
  }

  it.each(["isolated", "plain"] as const)("lets no worker reach another origin (%s host)", async (realm) => {
    const page = realm === "isolated" ? await shared() : await open(site.plain);
    visits = 0;
    expect(await askFromWorker(page)).toBe("refused");
    // The ones that hold photographs, where the browser's debugger reaches them. The engine's threads, whose addresses are
    // blobs, sleep and answer nothing.
    const own = page.workers().filter((worker) => worker.url().startsWith("http"));
    if (browserName === "Chromium") expect(own.length).toBeGreaterThanOrEqual(2);
    for (const worker of browserName === "Chromium" ? own : []) {
      const ask = (to: string) =>
        fetch(to).then(
          () => "answered",
          () => "refused",
        );
      expect(await worker.evaluate(ask, address)).toBe("refused");
    }
    expect(visits).toBe(0);
    if (realm === "plain") await page.context().close();
  });

  it("is never wider than its window, from 320 to 2560 pixels", async () => {
    const page = await sized();
    // The layer whose table has the longest names.
    await page.evaluate(() => {
      location.hash = "#inside/decoder2.conv1/12";
    });
    for (const tab of ["Look inside", "Train here", "Segment"]) {
      await page.getByRole("link", { name: tab }).click();
      await page.getByRole("heading", { level: 1 }).filter({ visible: true }).waitFor();
      if (tab === "Look inside") await page.locator(".detail").waitFor({ timeout: 120_000 });
      for (const width of [320, 390, 600, 768, 1024, 1440, 1920, 2560]) {
        await page.setViewportSize({ width, height: 800 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect([tab, width, wide]).toEqual([tab, width, Math.min(wide, width)]);
      }
    }
  });

  it("has the whole tool above the fold at 1024 x 768", async () => {
    const page = await sized(1024, 768);
    await page.getByRole("button", { name: "Synthetic example" }).click();
    await segmented(page, "synthetic (2).png");
    for (const part of [".stage", ".filmstrip", ".panel"]) {
      const { y, height } = (await page.locator(part).boundingBox())!;
      expect([part, y >= 0, y + height <= 768]).toEqual([part, true, true]);
    }
    // Nothing that is used all the time is scrolled for.
    for (const label of ["Before / after", "Threshold", "Opacity", "Only the field of view"])
      expect([label, (await page.getByLabel(label, { exact: true }).boundingBox())!.y < 750]).toEqual([
        label,
        true,
      ]);
    await page.getByRole("button", { name: "Remove synthetic (2).png" }).click();
  });

  it("is a drop zone where there is no photograph, with its controls off", async () => {
    const page = await sized();
    await page.getByRole("button", { name: "Remove synthetic.png" }).click();
    await page.getByText("or drop fundus photographs, or a folder of them, anywhere on this page").waitFor();
    expect(await page.getByLabel("Choose photographs").count()).toBe(1);
    for (const label of ["Overlay", "Threshold", "Only the field of view"])
      await expect.poll(() => page.getByLabel(label, { exact: true }).isDisabled()).toBe(true);
    await expect.poll(() => page.getByText("Mask as PNG").isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Synthetic example" }).click();
    await segmented(page, "synthetic.png");
  });

  it("tells the probability under the pointer, and what its colours stand for", async () => {
    const page = await sized();
    await page.getByLabel("Probability", { exact: true }).check();
    await page
      .getByRole("img", { name: "Colours from dark, probability 0, to light, probability 1" })
      .waitFor();
    // Without the handle between before and after.
    await page.getByLabel("Overlay").check();
    const { x, y, width, height } = (await page.locator(".stage").boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    // The middle of 592 x 592 pixels.
    await expect.poll(() => page.getByTestId("read-out").textContent()).toMatch(/^29[56], 29[56]0\.\d{3}$/);
    await page.mouse.move(x + width / 2 - height / 2 + 3, y + 3);
    await expect.poll(() => page.getByTestId("read-out").textContent()).toMatch(/outside the field of view$/);
    // The more thorough, the more vessels; the number stands beside it.
    const share = async () => Number.parseFloat((await page.getByTestId("density").textContent())!);
    const before = await share();
    await page.getByLabel("Threshold").fill("800");
    await page.getByText("0.20", { exact: true }).filter({ visible: true }).waitFor();
    await expect.poll(share).toBeGreaterThan(before);
    await page.getByLabel("Threshold").fill("500");
    await page.getByLabel("Before / after").check();
    await page.getByLabel("Vessels", { exact: true }).check();
  });

  it("scrolls with the wheel over the stage, and zooms with Ctrl", async () => {
    const page = await sized(1024, 600);
    const { x, y, width, height } = (await page.locator(".stage").boundingBox())!;
    // Still over the stage once the page has scrolled.
    await page.mouse.move(x + width / 4, y + height / 3);
    await Promise.all([
      page.getByText("and the wheel zoom", { exact: false }).waitFor(),
      page.mouse.wheel(0, 80),
    ]);
    await expect.poll(() => page.evaluate(() => scrollY), { timeout: 10_000 }).toBeGreaterThan(40);
    // Smooth scrolling takes a while.
    await page.waitForTimeout(1000);
    expect(await page.locator("canvas.zoomed").count()).toBe(0);
    const held = await page.evaluate(() => scrollY);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -200);
    await page.keyboard.up("Control");
    await page.locator("canvas.zoomed").waitFor();
    expect(await page.evaluate(() => scrollY)).toBe(held);
    await page.getByRole("button", { name: "Show all of it" }).click();
    await page.evaluate(() => scrollTo(0, 0));
  });

  it("says what to do where it is opened as a file", async () => {
    const page = await browser().newPage();
    await page.goto(pathToFileURL(join(site.folder, "index.html")).href);
    await page.getByRole("heading", { name: "saunet has not started" }).waitFor();
    await page.getByText("npm run web").waitFor();
    await page.close();
  });

  it("isolates itself where the host does not, and works without the host from then on", async () => {
    const own = await openSite();
    try {
      const page = await open(own.plain);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      await page.evaluate(async () => {
        await navigator.serviceWorker.ready;
      });
      own.stop();
      await page.reload();
      await segmented(page, "synthetic.png");
      await page.getByRole("button", { name: "Synthetic example" }).click();
      await segmented(page, "synthetic (2).png");
      // What the other tabs need was kept too, though nobody has opened them yet.
      await page.getByRole("link", { name: "Look inside" }).click();
      await page.getByRole("heading", { name: "One number, taken apart" }).waitFor({ timeout: 120_000 });
      await page.getByRole("link", { name: "Train here" }).click();
      await page.getByRole("button", { name: "Train", exact: true }).click({ timeout: 60_000 });
      const step = async () => Number(await page.getByTestId("step").textContent());
      await expect.poll(step, { timeout: 120_000 }).toBeGreaterThan(0);
      await page.context().close();
    } finally {
      await own.close();
    }
  });

  it("announces a new version and loads it when asked", async () => {
    const page = await open(site.isolated);
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    const script = join(site.folder, "service-worker.js");
    const text = await readFile(script, "utf8");
    await writeFile(script, text.replace(/const VERSION = "\w+"/, `const VERSION = "next-${browserName}"`));
    await page.evaluate(async () => {
      await (await navigator.serviceWorker.ready).update();
    });
    await page.getByText("A new version of this page is here.").waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Load it" }).click();
    const versions = () => page.evaluate(() => caches.keys()).catch(() => []);
    await expect
      .poll(async () => (await versions()).join(), { timeout: 60_000 })
      .toMatch(/^\S+ \S+ next-\w+$/);
    await segmented(page, "synthetic.png");
    expect(await page.getByText("A new version of this page is here.").count()).toBe(0);
    await writeFile(script, text);
    await page.context().close();
  });

  it("tells in its title what is open and what goes on", async () => {
    const page = await sized();
    expect(await page.title()).toBe("Segment · saunet");
    await page.getByRole("link", { name: "Look inside" }).click();
    await expect.poll(() => page.title(), { timeout: 10_000 }).toBe("Look inside · saunet");
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByRole("button", { name: "Synthetic example" }).click();
    await expect
      .poll(() => page.title(), { interval: 20, timeout: 60_000 })
      .toBe("1 of 2 · Segment · saunet");
    await expect.poll(() => page.title(), { timeout: 60_000 }).toBe("Segment · saunet");
    await page.getByRole("button", { name: "Remove synthetic (2).png" }).click();
  });

  it.runIf(browserName === "Chromium")("can be installed as an app", async () => {
    const page = await sized();
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
    const session = await page.context().newCDPSession(page);
    const { errors, url } = await session.send("Page.getAppManifest");
    expect(errors).toEqual([]);
    expect(url).toMatch(/manifest\.webmanifest$/);
    const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
    // Tests run in contexts of their own, which browsers count as incognito: the one thing that stands against it.
    expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(["in-incognito"]);
  });

  it.runIf(browserName === "Chromium")("shows its switches in forced colours", async () => {
    const page = await sized();
    await page.emulateMedia({ forcedColors: "active" });
    const field = page.getByLabel("Only the field of view");
    const coloursOf = async () => {
      const { data } = await sharp(await field.screenshot())
        .raw()
        .toBuffer({ resolveWithObject: true });
      const colours = new Map<string, number>();
      for (let i = 0; i < data.length; i += 3) {
        const colour = data.subarray(i, i + 3).join();
        colours.set(colour, (colours.get(colour) ?? 0) + 1);
      }
      return [...colours].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
    };
    const on = await coloursOf();
    await field.uncheck();
    const off = await coloursOf();
    expect(on.length).toBeGreaterThan(1);
    expect(off.length).toBeGreaterThan(1);
    // What covers most of it says which way it is.
    expect(on[0]).not.toBe(off[0]);
    await field.check();
    await page.emulateMedia({ forcedColors: null });
  });
});
