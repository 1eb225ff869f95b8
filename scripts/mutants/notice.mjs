// Does a test notice a fault of our own?

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { restore, scratch } from "./scratch.mjs";

/** Puts a fault into the copy of the checkout, runs the test that must notice it, and takes it out. */
export function notices({ name, file, from, to, test: [testFile, testName] }) {
  const path = join(scratch, file);
  const source = readFileSync(path, "utf8");
  if (source.split(from).length !== 2) throw new Error(`faults: ${name}: ${file} must have ${from} once`);
  const report = join(scratch, ".mutants-notice.json");
  rmSync(report, { force: true });
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  const args = ["run", testFile, "--testNamePattern", testName.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")];
  const vitest = join(scratch, "node_modules/.bin/vitest");
  spawnSync(vitest, [...args, "--reporter=json", `--outputFile=${report}`], { cwd: scratch });
  restore(file);
  // A file that does not even load has no failed test: that is a fault of the list.
  return JSON.parse(readFileSync(report, "utf8")).numFailedTests > 0;
}
