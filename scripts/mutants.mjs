// Do the tests notice faults? Stryker changes the sources in small ways (mutants) and runs the tests that reach each change:
//   npm run mutants -- core --sample 60 --seed 1          60 mutants of a package, drawn by a seed
//   npm run mutants -- packages/core/src/batches.ts       all of a file; several files, folders or packages may be named
//   npm run mutants -- cli --tests "packages/cli/src/*.test.ts"    by these tests alone
//   npm run mutants -- cli --timeout 60                   on a busy machine, where what is slow would count as noticed
//   npm run mutants -- --since HEAD~20 --minutes 3        of the lines changed since a revision
//   npm run mutants -- --faults winograd                  our own faults (mutants/faults.mjs) whose name or file says so
// A package's mutants are tried by its own tests, those of wasm folder by folder by the fast tests there; those of changed lines,
// for want of time, by the tests in the same folders where there are any. It prints what survived; mutants/argued.mjs holds those that change nothing.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { argued } from "./mutants/argued.mjs";
import {
  changedLines,
  draw,
  findMutants,
  lineOf,
  packageOf,
  partOf,
  sourcesOf,
  textOf,
} from "./mutants/choose.mjs";
import { faults } from "./mutants/faults.mjs";
import { keyOf } from "./mutants/key.mjs";
import { notices } from "./mutants/notice.mjs";
import { refresh, scratch } from "./mutants/scratch.mjs";
import { install } from "./workspace.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    since: { type: "string" },
    minutes: { type: "string", default: "60" },
    faults: { type: "boolean", default: false },
    tests: { type: "string" },
    timeout: { type: "string", default: "10" },
    fresh: { type: "boolean", default: false },
  },
});

function fail(message) {
  console.error(`mutants: ${message}`);
  process.exit(2);
}

function numberOf(name, least) {
  const value = Number(values[name]);
  if (!(value >= least)) fail(`--${name} must be a number of at least ${least} but it is ${values[name]}`);
  return value;
}

const sample = values.sample === undefined ? Number.POSITIVE_INFINITY : numberOf("sample", 1);
const seed = numberOf("seed", 0);
/** How much longer than usual the tests of a mutant may take before it counts as one that hangs. */
const timeout = 1000 * numberOf("timeout", 1);
const end = Date.now() + numberOf("minutes", 0) * 60_000;
/** When the next of so many parts must be over: each has a minute at least, the last ones may have none. */
const endOfPart = (parts) => {
  const left = end - Date.now();
  return Date.now() + left / Math.max(1, Math.min(parts, Math.floor(left / 60_000)));
};
const results = join(scratch, ".mutants-results.jsonl");
const chosenFile = join(scratch, ".mutants-chosen.json");

const key = ({ fileName, location, replacement }) => keyOf(fileName, location, replacement);

/** Stryker takes earlier results from its file. Mutants that were not chosen then have none. */
function forgetUnchosen(incrementalFile) {
  if (!existsSync(incrementalFile)) return;
  const report = JSON.parse(readFileSync(incrementalFile, "utf8"));
  for (const file of Object.values(report.files))
    file.mutants = file.mutants.filter(({ status }) => status !== "CompileError");
  writeFileSync(incrementalFile, JSON.stringify(report));
}

function testsOf(chosen) {
  const folders = new Set(chosen.map(({ fileName }) => dirname(fileName)));
  const beside = [...folders].filter((folder) =>
    readdirSync(join(scratch, folder)).some((name) => name.endsWith(".test.ts")),
  );
  const isFolder = partOf(chosen[0].fileName).name !== packageOf(chosen[0].fileName).name;
  return values.since === undefined || isFolder || beside.length === 0
    ? partOf(chosen[0].fileName).tests
    : beside.map((folder) => `${folder}/*.test.ts`).join(",");
}

/** Runs Stryker on the chosen mutants of one part; returns its exit code, or undefined where it came to the deadline. */
function stryker(name, chosen, deadline) {
  rmSync(results, { force: true });
  writeFileSync(chosenFile, JSON.stringify(chosen.map(key)));
  const incrementalFile = join(scratch, `.mutants-${name.replaceAll("/", "-")}.json`);
  if (values.fresh) rmSync(incrementalFile, { force: true });
  forgetUnchosen(incrementalFile);
  const lines = new Set(
    chosen.map(({ fileName, location: { start, end } }) => `${fileName}:${start.line + 1}-${end.line + 1}`),
  );
  const args = ["run", "scripts/mutants/stryker.config.json", "--mutate", [...lines].join(",")];
  const child = spawn(
    join(scratch, "node_modules/.bin/stryker"),
    [...args, "--incrementalFile", incrementalFile, "--timeoutMS", String(timeout)],
    {
      cwd: scratch,
      stdio: "inherit",
      detached: true,
      env: {
        ...process.env,
        // Where nobody asks for more: 30 random programs of the engine instead of 80.
        SAUNET_PROGRAMS: process.env.SAUNET_PROGRAMS ?? "30 1",
        SAUNET_MUTANTS_TESTS: values.tests ?? testsOf(chosen),
        SAUNET_MUTANTS_CHOSEN: chosenFile,
        SAUNET_MUTANTS_RESULTS: results,
      },
    },
  );
  // Its own processes too: they form a group.
  const stop = () => process.kill(-child.pid, "SIGKILL");
  const stopAndEnd = () => {
    stop();
    process.exit(1);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stopAndEnd);
  return new Promise((resolve) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      stop();
    }, deadline - Date.now());
    child.on("close", (code) => {
      clearTimeout(timer);
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, stopAndEnd);
      resolve(isLate ? undefined : code);
    });
  });
}

/** Tries the chosen mutants of one part and prints what became of them; returns whether the tool did its work. */
async function tryMutants(name, chosen, all, deadline) {
  const code = await stryker(name, chosen, deadline);
  const wanted = new Map(chosen.map((mutant) => [key(mutant), mutant]));
  const statuses = new Map();
  if (existsSync(results))
    for (const line of readFileSync(results, "utf8").trim().split("\n")) {
      const { key: at, status } = JSON.parse(line);
      if (wanted.has(at)) statuses.set(at, status);
    }
  const count = Object.fromEntries(
    ["Killed", "Timeout", "Survived", "NoCoverage", "argued", "RuntimeError"].map((status) => [status, 0]),
  );
  for (const [at, status] of statuses) {
    const { fileName, location, replacement } = wanted.get(at);
    const [original, line] = [textOf(fileName, location), lineOf(fileName, location)];
    const isMissed = status === "Survived" || status === "NoCoverage";
    const isArgued =
      isMissed &&
      argued.some(
        (one) =>
          one.file === fileName &&
          one.line === line &&
          one.from === short(original) &&
          one.to === short(replacement),
      );
    count[isArgued ? "argued" : status]++;
    if (isMissed && !isArgued)
      console.log(
        `${status === "Survived" ? "survived" : "no coverage"}  ${fileName}:${location.start.line + 1}:${location.start.column + 1}  ${short(original)}  →  ${short(replacement)}`,
      );
  }
  const noticed = count.Killed + count.Timeout;
  const valid = noticed + count.Survived + count.NoCoverage;
  console.log(
    `${name}: ${statuses.size} of ${all} mutants: ${count.Killed} killed, ${count.Timeout} timed out, ${count.Survived} survived, ${count.NoCoverage} without coverage, ${count.argued} argued to change nothing, ${count.RuntimeError} errors${statuses.size < chosen.length ? `; ${chosen.length - statuses.size} not tried within the time` : ""}; score ${valid === 0 ? "–" : `${((100 * noticed) / valid).toFixed(1)} % of ${valid}`}`,
  );
  return code === 0 || code === undefined;
}

/** A piece of code on one line, its middle left out where it is long. */
function short(code) {
  const line = code.replace(/\s+/g, " ").trim();
  return line.length <= 120 ? line : `${line.slice(0, 80)} … ${line.slice(-37)}`;
}

/** Applies each fault by itself and runs the test that must notice it; returns whether all were noticed. */
function tryFaults(some, deadline) {
  if (some.length === 0) return true;
  let [tried, noticed] = [0, 0];
  for (const fault of some) {
    if (Date.now() > deadline) break;
    const isNoticed = notices(fault);
    tried++;
    if (isNoticed) noticed++;
    console.log(`${isNoticed ? "noticed" : "MISSED"}  ${fault.name}  (${fault.file}; ${fault.test[0]})`);
  }
  const late = tried < some.length ? `; ${some.length - tried} not tried within the time` : "";
  console.log(`faults: ${noticed} of ${tried} noticed${late}`);
  return noticed === tried;
}

install();
refresh();
const targets = positionals.length === 0 ? [undefined] : positionals;
if (values.faults) {
  const some = faults.filter(({ name, file }) =>
    targets.some((target) => target === undefined || name.includes(target) || file.includes(target)),
  );
  if (some.length === 0) fail(`no fault's name or file has ${targets.join(" or ")} in it`);
  process.exit(tryFaults(some, end) ? 0 : 1);
}

const lines = values.since === undefined ? undefined : changedLines(values.since);
if (lines === undefined && positionals.length === 0) fail("a package, a file, --since or --faults is wanted");
const sources = targets.map((target) => {
  const found = sourcesOf(target);
  if (found.length === 0) fail(`${target} is no package, folder or file with sources`);
  return found;
});
const files = [...new Set(sources.flat())].filter((file) => lines === undefined || lines.has(file));
const touched = lines === undefined ? [] : faults.filter(({ file }) => lines.has(file));
let isWell = tryFaults(touched, endOfPart(2));
const mutants = (await findMutants(files)).filter(
  ({ fileName, location }) => lines?.get(fileName).has(location.start.line + 1) ?? true,
);
if (mutants.length === 0) console.log("mutants: no line with a mutant has changed");
const chosen = draw(mutants, sample, seed);
const ofPart = (some, name) => some.filter(({ fileName }) => partOf(fileName).name === name);
const names = [...new Set(chosen.map(({ fileName }) => partOf(fileName).name))].sort(
  (a, b) => ofPart(chosen, b).length - ofPart(chosen, a).length,
);
for (const [at, name] of names.entries()) {
  const own = ofPart(chosen, name);
  if (Date.now() > end) console.log(`${name}: ${own.length} mutants not tried within the time`);
  else if (!(await tryMutants(name, own, ofPart(mutants, name).length, endOfPart(names.length - at)))) {
    console.log(`${name}: Stryker failed`);
    // Mutants of changed lines are for reading: no change is held back by a tool that did not start.
    if (lines === undefined) isWell = false;
  }
}
process.exit(isWell ? 0 : 1);
