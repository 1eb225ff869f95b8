// Everything that must hold before a change lands: tests, the slow ones too, types, lint (with import cycles), budgets, packed
// tarballs, the command on its built-in picture, the site with its links, mutants of recent lines, the tests in a real browser
// where one can be had, and the real photographs where they lie beside the checkout.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { installRedis } from "./redis.mjs";
import { bin, root, run } from "./workspace.mjs";

const scratch = mkdtempSync(join(tmpdir(), "saunet-ci-"));
const node = (...args) => run(process.execPath, args);

let passed = 0;
let failed = 0;
/** What failed, said once more at the end: a long log may be cut. */
const failures = [];
function step(name, execute) {
  console.log(`\n== ${name}`);
  const started = Date.now();
  const ok = execute() === 0;
  console.log(`== ${name}: ${ok ? "passed" : "FAILED"} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  if (ok) passed++;
  else {
    failed++;
    failures.push(name);
  }
}

// Without it, `npm test` says which tests it leaves out.
if (!installRedis())
  console.log("\n== redis-server: none, and none can be installed: the queue is NOT CHECKED");
/** Runs tests, and counts each of them. */
function tests(...args) {
  const name = ["npm", ...args].join(" ");
  const report = join(scratch, `${args.at(-1).replace(":", "-")}.json`);
  step(name, () =>
    run("npm", [...args, "--", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]),
  );
  if (!existsSync(report)) return;
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  passed += numPassedTests;
  failed += numFailedTests;
  for (const { name, message, assertionResults } of testResults) {
    const file = relative(root, name);
    if (message) failures.push(`${file}: ${message}`);
    for (const { status, fullName, failureMessages } of assertionResults)
      if (status === "failed") failures.push(`${file}: ${fullName}\n${failureMessages.join("\n")}`);
  }
}
tests("test");
tests("run", "check:slow");
step("types", () => bin("tsc", ["-p", "tsconfig.check.json"]));
step("lint and import cycles", () => bin("biome", ["ci", "--colors=off", "--error-on-warnings", "."]));
step("budgets", () => node("scripts/budgets.mjs"));
step("files for Docker and Kubernetes", () => node("scripts/lint-deploy.mjs"));
step("npm start", () => {
  const out = join(scratch, "out");
  const code = run("npm", ["start", "--", "-o", out]);
  const missing = ["probability", "mask", "overlay"].filter(
    (kind) => !existsSync(join(out, `synthetic-${kind}.png`)),
  );
  for (const kind of missing) console.error(`npm start wrote no ${kind}`);
  return code === 0 && missing.length === 0 ? 0 : 1;
});
step("site, with its links", () => node("scripts/site.mjs", "build"));
step("packed tarballs", () => node("scripts/pack-check.mjs"));
// Survivors are listed and fail nothing; a fault of our own list that goes unnoticed does.
const COMMITS = 20;
if (run("git", ["rev-parse", "--verify", "--quiet", `HEAD~${COMMITS}`], { quiet: true }) === 0)
  step(`mutants of the lines that the last ${COMMITS} commits touch`, () =>
    node("scripts/mutants.mjs", "--since", `HEAD~${COMMITS}`, "--sample", "60", "--minutes", "3"),
  );
else console.log(`\n== mutants: no ${COMMITS} commits in this checkout, not checked`);
// It says why where there is no browser and none can be installed.
if (node("scripts/chromium.mjs") === 0) step("browser", () => run("npm", ["run", "-s", "check:browser"]));
else console.log("\n== browser: NOT CHECKED");
if (existsSync(join(root, "../shared/data")))
  step("real photographs", () => run("npm", ["run", "check:photos"]));
else console.log("\n== real photographs: not beside this checkout, not checked");

rmSync(scratch, { recursive: true, force: true });
if (failures.length > 0) console.log(`\n== failed\n${failures.join("\n")}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
