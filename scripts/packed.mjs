// The packages as they are published: packed, installed in an empty folder, and what is needed to try them there.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, pnpm, root, run } from "./workspace.mjs";

export const PACKAGES = ["core", "wasm", "data", "model", "interop", "cli", "screening"];

/** saunet-core-0.1.0.tgz → @saunet/core, saunet-0.1.0.tgz → saunet */
const nameOf = (file) => file.replace(/-\d.*$/, "").replace("saunet-", "@saunet/");

/** Builds from nothing and packs all packages into a folder; returns the tarballs by name, or undefined where that fails. */
export function pack(folder) {
  for (const name of PACKAGES) rmSync(join(root, "packages", name, "dist"), { recursive: true, force: true });
  build();
  for (const name of PACKAGES) {
    const cwd = join(root, "packages", name);
    if (pnpm(["pack", "--pack-destination", folder], { quiet: true, cwd }) !== 0) return undefined;
  }
  const files = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  return Object.fromEntries(files.map((file) => [nameOf(file), join(folder, file)]));
}

/** Installs tarballs, and nothing else of this checkout, in a folder; false where that fails. */
export function installTarballs(folder, tarballs) {
  const dependencies = Object.fromEntries(
    Object.entries(tarballs).map(([name, path]) => [name, `file:${path}`]),
  );
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies, overrides: dependencies }),
  );
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
  return run("npm", args, { quiet: true, cwd: folder }) === 0;
}

/**
 * The folder with the programs of scripts/tools/`name`, which are kept apart from the build: installed, by its own
 * lockfile, when they are first needed.
 */
export function tools(name) {
  const folder = join(root, "scripts/tools", name);
  const stamp = join(folder, "node_modules", ".lockfile-hash");
  const lockfile = readFileSync(join(folder, "package-lock.json"));
  const hash = createHash("sha256").update(lockfile).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return folder;
  console.log(`Installing scripts/tools/${name} (once) …`);
  const code = run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    quiet: true,
    cwd: folder,
  });
  if (code !== 0) process.exit(code);
  writeFileSync(stamp, hash);
  return folder;
}
