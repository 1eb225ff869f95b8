// Finding a browser on this machine, or installing Debian's package of it.

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** No such browser, and none to be had; the message says why and what would help. */
export class NoBrowserError extends Error {
  name = "NoBrowserError";
}

/**
 * Looks for a browser: in its environment variable, then in the PATH and the usual places.
 *
 * @param {{ name: string, variable: string, programs: readonly string[], elsewhere: readonly string[] }} browser
 * @returns {string | undefined} its path
 * @throws {NoBrowserError} where the variable names no program
 */
export function findBrowser({ variable, programs, elsewhere }) {
  const named = process.env[variable];
  if (named) {
    if (isProgram(named)) return named;
    throw new NoBrowserError(`${variable} names ${named}, which is no program`);
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const candidates = programs.flatMap((program) => folders.map((folder) => join(folder, program)));
  return [...candidates, ...elsewhere].find(isProgram);
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
 * Finds a browser, or installs Debian's where apt-get can.
 *
 * @returns {string} its path
 * @throws {NoBrowserError} where there is none and none can be installed
 */
export function findOrInstallBrowser(browser) {
  const { name, variable, debian } = browser;
  const found = findBrowser(browser);
  if (found !== undefined) return found;
  const missing = `there is no ${name} here`;
  const advice = `install ${name}, or name one in ${variable}`;
  if (process.platform !== "linux" || process.getuid() !== 0)
    throw new NoBrowserError(`${missing}, and only root on Debian can install one automatically; ${advice}`);
  process.stderr.write(`Installing ${name} (once) …\n`);
  for (const args of [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", debian],
  ]) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const { status, stderr, error } = spawnSync("apt-get", args, { encoding: "utf8", env });
    const complaint = error?.message ?? stderr.trim().split("\n").at(-1);
    if (error || status !== 0)
      throw new NoBrowserError(`${missing}, and apt-get ${args[0]} failed: ${complaint}; ${advice}`);
  }
  const installed = findBrowser(browser);
  if (installed === undefined)
    throw new NoBrowserError(`apt-get installed no ${name} that can be found; ${advice}`);
  return installed;
}
