// Redis for the tests of the queue: found on this machine, or installed from Debian's packages. `node scripts/redis.mjs`
// says whether there is one.

import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const isThere = () => spawnSync("redis-server", ["--version"]).status === 0;

/** Debian starts a service as soon as it is installed, unless this program says no. */
const POLICY = "/usr/sbin/policy-rc.d";

/** @returns {boolean} whether there is a Redis now */
export function installRedis() {
  if (isThere()) return true;
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) return false;
  console.error("Installing redis-server (once) …");
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const install = () => spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "redis-server"]);
  if (install().status !== 0 && spawnSync("apt-get", ["update"]).status === 0) install();
  if (isOurs) rmSync(POLICY);
  return isThere();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  if (!installRedis()) {
    console.error("redis: there is no redis-server and none could be installed");
    process.exitCode = 2;
  }
}
