// A real Chromium for the tests that need one: found on this machine or installed from Debian's packages, and started
// through playwright-core. `node scripts/chromium.mjs` prints where it is.

import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { findOrInstallBrowser, NoBrowserError } from "./browsers.mjs";

const CHROMIUM = {
  name: "Chromium",
  variable: "SAUNET_CHROMIUM",
  debian: "chromium",
  programs: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  // Where the systems put it that keep programs out of the PATH.
  elsewhere: [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  ],
};

/**
 * Finds Chromium, or installs Debian's where apt-get can.
 *
 * @returns {string} its path
 * @throws {NoBrowserError} where there is none and none can be installed
 */
export const findOrInstallChromium = () => findOrInstallBrowser(CHROMIUM);

/**
 * Starts Chromium without a window; whoever starts it closes it.
 *
 * @param {import("playwright-core").LaunchOptions} [options] playwright's own, such as `args`
 * @returns {Promise<import("playwright-core").Browser>}
 */
export function launchChromium({ args = [], ...options } = {}) {
  // Chromium's sandbox does not work for root, the only user of many containers; their /dev/shm is often 64 MB.
  const needed = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];
  return chromium.launch({
    executablePath: findOrInstallChromium(),
    args: [...needed, ...args],
    ...options,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    console.log(findOrInstallChromium());
  } catch (error) {
    if (!(error instanceof NoBrowserError)) throw error;
    console.error(`chromium: ${error.message}`);
    process.exitCode = 2;
  }
}
