// Do the tests notice faults? Stryker's instrumenter says how the sources may change in small ways (mutants); each is tried by the
// tests of its package that run its code, those beside it first, until one fails:
//   npm run mutants -- core --sample 300 --seed 1         300 mutants of a package, drawn by a seed
//   npm run mutants -- packages/core/src/batches.ts       all of a file; several files, folders or packages may be named
//   npm run mutants -- cli --patience 300                 five minutes of tests for each instead of one
//   npm run mutants -- --since HEAD~20 --minutes 3        of the lines changed since a revision
//   npm run mutants -- --faults winograd                  our own faults (mutants/faults.mjs) whose name or file says so
// Results are kept as long as the mutant's file and its package's tests stay as they are, unless --fresh is given. It prints
// what survived; mutants/argued.mjs holds those that change nothing.

import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { argued } from "./mutants/argued.mjs";
import {
  changedLines,
  draw,
  findMutants,
  lineOf,
  packageOf,
  sourcesOf,
  testsOf,
  textOf,
} from "./mutants/choose.mjs";
import { faults } from "./mutants/faults.mjs";
import { notices } from "./mutants/notice.mjs";
import { refresh, scratch } from "./mutants/scratch.mjs";
import { tryMutants } from "./mutants/trials.mjs";
import { install, root } from "./workspace.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    since: { type: "string" },
    minutes: { type: "string", default: "60" },
    patience: { type: "string", default: "60" },
    workers: { type: "string", default: String(availableParallelism()) },
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
const end = Date.now() + numberOf("minutes", 0) * 60_000;
const [patience, workers] = [1000 * numberOf("patience", 0), numberOf("workers", 1)];

/** What a result stands on: the mutant, its file and the tests of its package. */
function keysOf(mutants) {
  const hashes = new Map();
  const hashOf = (name, files) => {
    if (!hashes.has(name)) {
      const hash = createHash("sha256");
      for (const file of files()) hash.update(readFileSync(join(root, file)));
      hashes.set(name, hash.digest("hex"));
    }
    return hashes.get(name);
  };
  return new Map(
    mutants.map((mutant) => {
      const { fileName, location, replacement } = mutant;
      const source = hashOf(fileName, () => [fileName]);
      const tests = hashOf(packageOf(fileName), () => testsOf(packageOf(fileName)));
      const what = JSON.stringify([fileName, location, replacement, source, tests]);
      return [mutant, createHash("sha256").update(what).digest("hex")];
    }),
  );
}

/** A piece of code on one line, its middle left out where it is long. */
function short(code) {
  const line = code.replace(/\s+/g, " ").trim();
  return line.length <= 120 ? line : `${line.slice(0, 80)} … ${line.slice(-37)}`;
}

const isArgued = ({ fileName, location, replacement }) =>
  argued.some(
    ({ file, line, from, to }) =>
      file === fileName &&
      line === lineOf(fileName, location) &&
      from === short(textOf(fileName, location)) &&
      to === short(replacement),
  );

/** Tries mutants, those with an earlier result apart, and prints what survived and the score of each package. */
async function tryAll(mutants) {
  const kept = join(scratch, ".mutants-results.jsonl");
  if (values.fresh) rmSync(kept, { force: true });
  const lines = existsSync(kept) ? readFileSync(kept, "utf8").split("\n").slice(0, -1) : [];
  const earlier = new Map();
  for (const { key, result, patience: spent } of lines.map((line) => JSON.parse(line))) {
    // Of what survived, more tests may notice it.
    if (result.status !== "survived" || result.tried === result.of || spent >= patience)
      earlier.set(key, result);
  }
  const keys = keysOf(mutants);
  const results = new Map();
  const tell = (mutant, result) => {
    const { status, tried, of } = result;
    const isMissed = status === "survived" || status === "no tests";
    const isSaid = isMissed && isArgued(mutant);
    results.set(mutant, isSaid ? { status: "argued" } : result);
    if (!isMissed || isSaid) return;
    const { fileName, location, replacement } = mutant;
    console.log(
      `${status}  ${fileName}:${location.start.line + 1}:${location.start.column + 1}  ${short(textOf(fileName, location))}  →  ${short(replacement)}${tried < of ? `  (${tried} of ${of} test files)` : ""}`,
    );
  };
  for (const mutant of mutants)
    if (earlier.has(keys.get(mutant))) tell(mutant, earlier.get(keys.get(mutant)));
  await tryMutants(
    mutants.filter((mutant) => !results.has(mutant)),
    {
      workers,
      patience,
      end,
      tell: (mutant, result) => {
        appendFileSync(kept, `${JSON.stringify({ key: keys.get(mutant), result, patience })}\n`);
        tell(mutant, result);
      },
    },
  );
  const names = [...new Set(mutants.map(({ fileName }) => packageOf(fileName)))].sort();
  for (const name of names) {
    const own = mutants.filter(({ fileName }) => packageOf(fileName) === name);
    const tried = own.filter((mutant) => results.has(mutant));
    const count = (status) => tried.filter((mutant) => results.get(mutant).status === status).length;
    const noticed = count("noticed") + count("hung");
    const valid = noticed + count("survived") + count("no tests");
    console.log(
      `${name}: ${tried.length} of ${own.length} mutants tried: ${count("noticed")} noticed, ${count("hung")} hung, ${count("survived")} survived, ${count("no tests")} without tests, ${count("argued")} argued to change nothing, ${count("invalid")} no code; score ${valid === 0 ? "–" : `${((100 * noticed) / valid).toFixed(1)} % of ${valid}`}`,
    );
  }
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
const isWell = tryFaults(touched, Date.now() + (end - Date.now()) / 2);
const mutants = (await findMutants(files)).filter(
  ({ fileName, location }) => lines?.get(fileName).has(location.start.line + 1) ?? true,
);
if (mutants.length === 0) console.log("mutants: no line with a mutant has changed");
else await tryAll(draw(mutants, sample, seed));
process.exit(isWell ? 0 : 1);
