// A copy of the checkout in which sources may be changed: a run that is killed leaves the checkout as it was. What
// tests of mutants write or delete by mistake lies there, too.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { install, root } from "../workspace.mjs";

export const scratch = join(root, ".mutants");
/** What belongs to the copy itself: packages, builds, results of earlier runs. */
const ITS_OWN = /^(node_modules|dist|\.mutants.*|.*\.tsbuildinfo)$/;

/** The files of the checkout that are tracked, or new and not ignored. */
function filesOfCheckout() {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const paths = execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0");
  return new Set(paths.filter((path) => path !== "" && existsSync(join(root, path))));
}

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (ITS_OWN.test(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield relative(scratch, path);
  }
}

/** Copies one file of the checkout, where the copy differs. */
export function restore(path) {
  const [from, to] = [join(root, path), join(scratch, path)];
  if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** Makes the copy equal to the checkout. */
export function refresh() {
  mkdirSync(scratch, { recursive: true });
  const files = filesOfCheckout();
  for (const path of filesBelow(scratch)) if (!files.has(path)) rmSync(join(scratch, path));
  for (const path of files) restore(path);
  install(scratch);
}
