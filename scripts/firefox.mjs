// A real Firefox for the tests that need one: found on this machine or installed from Debian's packages. It is a stock
// build, so playwright-core drives it by WebDriver BiDi.

import { firefox } from "playwright-core";
import { findOrInstallBrowser } from "./browsers.mjs";

const FIREFOX = {
  name: "Firefox",
  variable: "SAUNET_FIREFOX",
  debian: "firefox-esr",
  programs: ["firefox-esr", "firefox"],
  elsewhere: [
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
  ],
};

/**
 * Finds Firefox, or installs Debian's where apt-get can.
 *
 * @returns {string} its path
 * @throws {NoBrowserError} where there is none and none can be installed
 */
export const findOrInstallFirefox = () => findOrInstallBrowser(FIREFOX);

/**
 * Starts Firefox without a window; whoever starts it closes it.
 *
 * @param {Record<string, string | number | boolean>} [preferences] entries of about:config
 * @returns {Promise<import("playwright-core").Browser>}
 */
export function launchFirefox(preferences = {}) {
  return firefox.launch({
    // Playwright's name for a stock Firefox, in contrast to the build that it patches.
    channel: "moz-firefox",
    executablePath: findOrInstallFirefox(),
    firefoxUserPrefs: preferences,
  });
}
