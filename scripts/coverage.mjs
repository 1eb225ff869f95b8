// What no test runs: `npm run coverage`, or `npm run coverage -- core data` for the tests and sources of some packages. It is a
// map, not a target: what a test runs it need not check (`npm run mutants` tells), and what runs in threads and processes of
// its own, or in browsers, is not seen. The whole report is coverage/index.html.

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { bin, install, root } from "./workspace.mjs";

/** Files that are listed. */
const SHOWN = 25;

const names = process.argv.slice(2);
const folders = names.length === 0 ? ["packages", "bench"] : names.map(folderOf);

function folderOf(name) {
  return name === "bench" ? name : `packages/${name}`;
}

install();
const sources = folders.flatMap((folder) => [`${folder}/**/*.ts`, `${folder}/**/*.tsx`]);
const code = bin("vitest", [
  "run",
  ...(names.length === 0 ? [] : folders.map((folder) => `${folder}/`)),
  ...["--coverage.enabled", "--coverage.provider=v8", "--coverage.reportOnFailure"],
  ...["--coverage.reporter=html", "--coverage.reporter=json-summary"],
  ...sources.map((pattern) => `--coverage.include=${pattern}`),
  ...["**/*.test.ts", "**/testing*", "**/testing/**", "**/*.d.ts", "**/dist/**"].map(
    (pattern) => `--coverage.exclude=${pattern}`,
  ),
]);

const { total, ...files } = JSON.parse(readFileSync(join(root, "coverage/coverage-summary.json"), "utf8"));
const rows = Object.entries(files)
  .map(([path, { lines, branches }]) => ({ path: relative(root, path), lines, branches }))
  .sort((a, b) => b.lines.total - b.lines.covered - (a.lines.total - a.lines.covered));
console.log(`\nlines that no test runs, of ${rows.length} files:\n`);
for (const { path, lines, branches } of rows.slice(0, SHOWN))
  console.log(
    `${String(lines.total - lines.covered).padStart(5)} of ${String(lines.total).padEnd(4)} lines, ${String(branches.total - branches.covered).padStart(3)} branches  ${path}`,
  );
console.log(
  `\nall: ${total.lines.pct} % of ${total.lines.total} lines, ${total.branches.pct} % of ${total.branches.total} branches -> coverage/index.html`,
);
process.exit(code);
