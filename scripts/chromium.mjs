// A real browser for the tests that need one: Chromium, found on this machine or installed from Debian's packages, and
// started through playwright-core. `node scripts/chromium.mjs` prints where it is.

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** Where the systems put it that keep programs out of the PATH. */
const ELSEWHERE = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** No Chromium, and none to be had; the message says why and what would help. */
export class NoChromiumError extends Error {
  name = "NoChromiumError";
}

/**
 * Looks for Chromium or Chrome: in `SAUNET_CHROMIUM`, then in the PATH and the usual places.
 *
 * @returns {string | undefined} its path
 * @throws {NoChromiumError} where `SAUNET_CHROMIUM` names no program
 */
export function findChromium() {
  const named = process.env.SAUNET_CHROMIUM;
  if (named) {
    if (isProgram(named)) return named;
    throw new NoChromiumError(`SAUNET_CHROMIUM names ${named}, which is no program`);
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, ...ELSEWHERE].find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds Chromium, or installs Debian's where apt-get can.
 *
 * @returns {string} its path
 * @throws {NoChromiumError} where there is none and none can be installed
 */
export function findOrInstallChromium() {
  const found = findChromium();
  if (found !== undefined) return found;
  const advice = "install Chromium or Chrome, or name one in SAUNET_CHROMIUM";
  if (process.platform !== "linux" || process.getuid() !== 0)
    throw new NoChromiumError(
      `there is no Chromium here, and only root on Debian can install one by itself; ${advice}`,
    );
  process.stderr.write("Installing Chromium (once) …\n");
  for (const args of [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", "chromium"],
  ]) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const { status, stderr, error } = spawnSync("apt-get", args, { encoding: "utf8", env });
    const complaint = error?.message ?? stderr.trim().split("\n").at(-1);
    if (error || status !== 0)
      throw new NoChromiumError(
        `there is no Chromium here, and apt-get ${args[0]} failed: ${complaint}; ${advice}`,
      );
  }
  const installed = findChromium();
  if (installed === undefined)
    throw new NoChromiumError(`apt-get installed no Chromium that can be found; ${advice}`);
  return installed;
}

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
    if (!(error instanceof NoChromiumError)) throw error;
    console.error(`chromium: ${error.message}`);
    process.exitCode = 2;
  }
}
