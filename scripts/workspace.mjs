// What every command of the checkout needs first: packages installed, sources compiled. Plain Node, since nothing is
// installed yet when this runs. pnpm comes through npx at the version that package.json pins.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Runs a program in the checkout and returns its exit code. Its output is shown unless it is to be quiet. */
export function run(program, args, { quiet = false, cwd = root } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    shell: process.platform === "win32",
  });
  const code = error ? 1 : (status ?? 1);
  if (quiet && code !== 0) process.stderr.write(`${stdout ?? ""}${stderr ?? ""}${error ?? ""}`);
  return code;
}

/** Runs the pinned pnpm. */
export function pnpm(args, options) {
  return run("npx", ["--yes", packageManager, ...args], options);
}

/** Runs a program that the checkout's packages bring. */
export function bin(name, args, options) {
  return run(join(root, "node_modules", ".bin", name), args, options);
}

/** Installs the packages that the lockfile names, unless that very lockfile has been installed before. */
export function install(cwd = root) {
  const stamp = join(cwd, "node_modules", ".lockfile-hash");
  const hash = createHash("sha256")
    .update(readFileSync(join(cwd, "pnpm-lock.yaml")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  process.stderr.write("Installing packages (once) …\n");
  const code = pnpm(["install", "--frozen-lockfile"], { quiet: true, cwd });
  if (code !== 0) process.exit(code);
  writeFileSync(stamp, hash);
}

/** Compiles what changed. */
export function build() {
  const code = run(process.execPath, [join(root, "scripts/build.mjs")], { quiet: true });
  if (code !== 0) process.exit(code);
}
