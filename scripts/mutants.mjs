// Do the tests notice faults? Stryker changes the sources in small ways (mutants) and runs the tests that reach each change:
//   npm run mutants -- core --sample 60 --seed 1          60 mutants of a package, drawn by a seed
//   npm run mutants -- packages/core/src/batches.ts       all of a file
//   npm run mutants -- --since HEAD~20 --minutes 3        of the lines changed since a revision
//   npm run mutants -- --faults winograd                  our own faults (mutants/faults.mjs) whose name or file says so
// A package's mutants are tried by its own tests. It prints what survived; mutants/argued.mjs holds those that change nothing.

import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { argued } from "./mutants/argued.mjs";
import { changedLines, draw, findMutants, packageOf, sourcesOf, textOf } from "./mutants/choose.mjs";
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
const deadline = Date.now() + numberOf("minutes", 0) * 60_000;
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

/** Runs Stryker on the chosen mutants of one package until the deadline; returns its exit code, or undefined at the deadline. */
function stryker(name, chosen) {
  rmSync(results, { force: true });
  writeFileSync(chosenFile, JSON.stringify(chosen.map(key)));
  const incrementalFile = join(scratch, `.mutants-${name}.json`);
  if (values.fresh) rmSync(incrementalFile, { force: true });
  forgetUnchosen(incrementalFile);
  const lines = new Set(
    chosen.map(({ fileName, location: { start, end } }) => `${fileName}:${start.line + 1}-${end.line + 1}`),
  );
  const args = ["run", "scripts/mutants/stryker.config.json", "--mutate", [...lines].join(",")];
  const child = spawn(
    join(scratch, "node_modules/.bin/stryker"),
    [...args, "--incrementalFile", incrementalFile],
    {
      cwd: scratch,
      stdio: "inherit",
      detached: true,
      env: {
        ...process.env,
        // Where nobody asks for more: 30 random programs of the engine instead of 200.
        SAUNET_PROGRAMS: process.env.SAUNET_PROGRAMS ?? "30 1",
        SAUNET_MUTANTS_TESTS: packageOf(chosen[0].fileName).tests,
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

/** Tries the chosen mutants of one package and prints what became of them; returns whether the tool did its work. */
async function tryMutants(name, chosen, all) {
  const code = await stryker(name, chosen);
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
    const original = textOf(fileName, location);
    const isMissed = status === "Survived" || status === "NoCoverage";
    const isArgued =
      isMissed &&
      argued.some(
        ({ file, from, to }) => file === fileName && from === short(original) && to === short(replacement),
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
function tryFaults(some) {
  let missed = 0;
  for (const fault of some) {
    if (Date.now() > deadline) {
      console.log("faults: the others are not tried within the time");
      break;
    }
    const isNoticed = notices(fault);
    if (!isNoticed) missed++;
    console.log(`${isNoticed ? "noticed" : "MISSED"}  ${fault.name}  (${fault.file}; ${fault.test[0]})`);
  }
  console.log(`faults: ${some.length - missed} of ${some.length} noticed`);
  return missed === 0;
}

install();
refresh();
const [target] = positionals;
if (values.faults) {
  const some = faults.filter(
    ({ name, file }) => target === undefined || name.includes(target) || file.includes(target),
  );
  if (some.length === 0) fail(`no fault's name or file has ${target} in it`);
  process.exit(tryFaults(some) ? 0 : 1);
}

const lines = values.since === undefined ? undefined : changedLines(values.since);
const files = sourcesOf(target).filter((file) => lines === undefined || lines.has(file));
if (lines === undefined && target === undefined) fail("a package, a file, --since or --faults is wanted");
if (lines === undefined && files.length === 0) fail(`${target} is no package, folder or file with sources`);
let isWell = tryFaults(lines === undefined ? [] : faults.filter(({ file }) => lines.has(file)));
const mutants = (await findMutants(files)).filter(
  ({ fileName, location }) => lines?.get(fileName).has(location.start.line + 1) ?? true,
);
if (mutants.length === 0) console.log("mutants: no line with a mutant has changed");
const chosen = draw(mutants, sample, seed);
const names = [...new Set(chosen.map(({ fileName }) => packageOf(fileName).name))];
for (const name of names) {
  const isOf = ({ fileName }) => packageOf(fileName).name === name;
  if (Date.now() > deadline) console.log(`${name}: not tried within the time`);
  else if (!(await tryMutants(name, chosen.filter(isOf), mutants.filter(isOf).length))) isWell = false;
}
process.exit(isWell ? 0 : 1);
