// Brings the peers: they lie in bench/peers with a lockfile of their own, so that neither an ordinary install nor the
// tests carry their 300 MB. Install scripts stay off.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PEERS } from "../paths.ts";
import { NotInstalledError } from "./contender.ts";

/** Installs the peers unless they are there. Whoever cannot be installed is reported later, by name. */
export function installPeers(): void {
  if (existsSync(join(PEERS, "node_modules"))) return;
  process.stderr.write("bench: installing the peers into bench/peers (once)\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const flags = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  spawnSync(npm, flags, { cwd: PEERS, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
}

/**
 * Loads a peer. Its types are not known here, since it need not be installed: the caller says what it uses of it.
 *
 * @throws NotInstalledError where it is not there
 */
export async function loadPeer<T>(name: string): Promise<T> {
  let path: string;
  try {
    path = createRequire(join(PEERS, "package.json")).resolve(name);
  } catch {
    throw new NotInstalledError(`${name} is not installed in bench/peers`);
  }
  const module = (await import(pathToFileURL(path).href)) as { default?: T } & T;
  return module.default ?? module;
}
