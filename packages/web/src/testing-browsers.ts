// For the tests in browsers: the ones that can be had here, and what each can do.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { launchChromium } from "../../../scripts/chromium.mjs";
import { launchFirefox } from "../../../scripts/firefox.mjs";

/** A browser that a test may start. */
export interface BrowserKind {
  readonly name: "Chromium" | "Firefox";
  launch(): Promise<Browser>;
}

/** Chromium, and Firefox where `npm run check:browser` found or installed one. */
export const BROWSERS: readonly BrowserKind[] = [
  { name: "Chromium", launch: () => launchChromium() },
  ...(process.env.SAUNET_FIREFOX === "none"
    ? []
    : [{ name: "Firefox", launch: () => launchFirefox() } as const]),
];

/** Tests of the page in each browser. */
export function describeInBrowsers(what: string, body: (kind: BrowserKind) => void): void {
  for (const kind of BROWSERS) describe(`${what} in ${kind.name}`, () => body(kind));
}

/** Has a browser there for the tests around which it is called; what it returns gives it to them. */
export function launched(launch: BrowserKind["launch"]): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());
  return () => {
    if (browser === undefined) throw new Error("the browser is not there before the tests begin");
    return browser;
  };
}

/**
 * Does something that hands the person a file, and returns the file. Over WebDriver BiDi, Firefox's downloads have no
 * navigation, which playwright waits for; so the page's own blob is taken before it is handed over.
 */
export async function savedBy(
  page: Page,
  act: () => Promise<void>,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  await page.evaluate(() => {
    const saved = globalThis as unknown as { saved?: Promise<{ name: string; base64: string }> };
    saved.saved = new Promise((resolve) => {
      const { createObjectURL } = URL;
      const { click } = HTMLAnchorElement.prototype;
      let content: Blob;
      URL.createObjectURL = (blob: Blob) => {
        content = blob;
        return createObjectURL.call(URL, blob);
      };
      HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
        if (this.download === "") return click.call(this);
        URL.createObjectURL = createObjectURL;
        HTMLAnchorElement.prototype.click = click;
        const reader = new FileReader();
        reader.onload = () =>
          resolve({ name: this.download, base64: (reader.result as string).replace(/^.*?,/, "") });
        reader.readAsDataURL(content);
      };
    });
  });
  await act();
  const { name, base64 } = await page.evaluate(async () => {
    const own = globalThis as unknown as { saved?: Promise<{ name: string; base64: string }> };
    const saved = await own.saved!;
    // It would count as memory of the page's.
    delete own.saved;
    return saved;
  });
  return { name, bytes: Buffer.from(base64, "base64") };
}
