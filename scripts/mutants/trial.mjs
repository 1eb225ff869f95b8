// One Vitest that stays: it tries mutants one after the other. A mutant is never written down, Vite is given its code in place of
// the file's, so tests run as fast as ever. Each is tried by the tests of its package that run its code, those beside it
// first, until one of them fails. A test that hangs cannot be stopped from here: the parent (trials.mjs) is told when one starts
// and how long it may take, and ends this process.

import { basename, dirname, join, relative, sep } from "node:path";
import { createVitest } from "vitest/node";
import { knowsNoMutant, packageOf } from "./choose.mjs";
import { piecesOf, runs } from "./reach.mjs";
import { scratch } from "./scratch.mjs";

/** What stands in for a file: its path in the checkout, its code. */
let mutated;
const mutation = {
  name: "mutation",
  enforce: "pre",
  load: (id) => (id.split("?")[0] === mutated?.path ? mutated.code : undefined),
};

// Snapshots are never written.
process.env.CI = "1";
/** What the last run without a mutant has run, an istanbul CoverageMap. */
let covered;
const reporter = {
  onCoverage: (map) => {
    covered = map;
  },
};
const coverage = {
  provider: "v8",
  reporter: [],
  reportsDirectory: join(scratch, `.mutants-coverage-${process.pid}`),
};
const options = {
  ...{ watch: false, root: scratch, maxWorkers: 1, bail: 1, silent: true },
  ...{ reporters: [reporter], coverage },
};
process.env.SAUNET_ALONE = "1";
const vitest = await createVitest("test", options, { plugins: [mutation] });
const pathOf = (id) => relative(scratch, id).replaceAll(sep, "/");
const specifications = new Map();
for (const one of await vitest.globTestSpecifications()) {
  const path = pathOf(one.moduleId);
  if (!knowsNoMutant(path)) specifications.set(path, one);
}
const server = vitest.vite.environments.ssr;

/** @type {Map<string, Promise<readonly string[]>>} */
const imports = new Map();
function importsOf(path) {
  if (!imports.has(path))
    imports.set(
      path,
      server.transformRequest(join(scratch, path)).then(
        (found) =>
          [...(found?.deps ?? []), ...(found?.dynamicDeps ?? [])]
            .map((dep) => (dep.startsWith("/@fs/") ? pathOf(dep.slice(4)) : dep.slice(1)))
            .filter((dep) => /^(packages|bench|scripts|examples)\/.*\.[mt]sx?$/.test(dep)),
        () => [],
      ),
    );
  return imports.get(path);
}

/** All files that a test imports, and those that they import. */
async function reachOf(test) {
  const reach = new Set([test]);
  for (const path of reach) for (const next of await importsOf(path)) reach.add(next);
  return reach;
}
const reaches = new Map();
for (const test of specifications.keys()) reaches.set(test, await reachOf(test));

/**
 * The tests of its package that import a file: those that bear its name first, then those that noticed most of its other mutants,
 * those beside it, and the others, from the shortest to the longest.
 */
function testsInOrder(file, times, noticed) {
  const nameOf = (path) => basename(path).split(".")[0];
  const rank = (test) => {
    if (dirname(test) !== dirname(file)) return 3;
    const [one, other] = [nameOf(test), nameOf(file)];
    if (one === other) return 0;
    return other.startsWith(one) || one.startsWith(other) ? 1 : 2;
  };
  const order = (one, other) =>
    Math.min(rank(one), 2) - Math.min(rank(other), 2) ||
    (noticed[other] ?? 0) - (noticed[one] ?? 0) ||
    rank(one) - rank(other) ||
    (times[one] ?? 0) - (times[other] ?? 0);
  return [...specifications.keys()]
    .filter((test) => packageOf(test) === packageOf(file) && reaches.get(test).has(file))
    .sort(order);
}

/** Whether all tests of a file pass, and the milliseconds that they took. */
async function run(test) {
  // Failures of earlier runs would count towards `bail`.
  vitest.state.filesMap.clear();
  vitest.state.idMap.clear();
  const started = Date.now();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specifications.get(test)]);
  const isOk = unhandledErrors.length === 0 && testModules.every((one) => one.ok());
  return { isOk, time: Date.now() - started };
}

/** Runs a test without a mutant, and finds what it runs. */
async function runControl(test) {
  await vitest.enableCoverage();
  covered = undefined;
  try {
    const result = await run(test);
    return { ...result, pieces: covered === undefined ? {} : piecesOf(covered, scratch) };
  } finally {
    vitest.disableCoverage();
  }
}

/** Puts code in the place of a file's, or nothing. */
function put(file, code) {
  const earlier = mutated?.path;
  const path = join(scratch, file);
  mutated = code === undefined ? undefined : { path, code };
  for (const changed of new Set([earlier ?? path, path])) vitest.invalidateFile(changed);
}

const say = (message) => process.send(message);

/** How long a test may take without a mutant, in milliseconds. */
const LONGEST = 600_000;

/** How long a test may take before it counts as one that hangs, in milliseconds, when it took so long without the mutant. */
const limitOf = (time) => 20_000 + 8 * time;

/**
 * `times` are those of this run, less than 0 where a test fails without a mutant, `before` of earlier ones; `noticed` says how many
 * mutants of the file each test has noticed, `pieces` what each runs of the file.
 */
async function tryMutant({ file, location, code, times, before, noticed, pieces, patience }) {
  put(file, code);
  try {
    await server.transformRequest(join(scratch, file));
  } catch {
    return { status: "invalid" };
  }
  const tests = testsInOrder(file, { ...before, ...times }, noticed);
  let spent = 0;
  let tried = 0;
  let leftOut = 0;
  for (const test of tests) {
    if (spent > patience) break;
    if (times[test] === undefined) {
      put(file, undefined);
      say({ starts: test, limit: LONGEST, isControl: true });
      const control = await runControl(test);
      say({ ends: test });
      times[test] = control.isOk ? control.time : -1;
      pieces[test] = control.pieces[file];
      say({ test, time: times[test], pieces: control.pieces });
      put(file, code);
    }
    // It fails without the mutant, too, or does not run its code.
    if (times[test] < 0 || pieces[test] === undefined || !runs(pieces[test], location)) {
      leftOut++;
      continue;
    }
    tried++;
    say({ starts: test, limit: limitOf(times[test]) });
    const { isOk, time } = await run(test);
    say({ ends: test });
    spent += time;
    if (!isOk) return { status: "noticed", by: test };
  }
  return { status: tried === 0 ? "no tests" : "survived", tried, of: tests.length - leftOut };
}

process.on("message", async (message) => say({ result: await tryMutant(message) }));
process.on("disconnect", () => process.exit());
say({ ready: true });
