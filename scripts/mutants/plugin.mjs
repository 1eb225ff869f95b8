// Three plugins of Stryker. It takes ranges of lines but no list of mutants: the checker lets only the chosen ones through. The
// reporter writes down each result when it is there, so that a run that is ended by the clock leaves those it has. Stryker's
// runner of Vitest knows of tests alone: a test file that a mutant keeps from loading has none, and the mutant would survive.

import { appendFileSync, readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { strykerPlugins as ofVitest } from "@stryker-mutator/vitest-runner";
import { keyOf } from "./key.mjs";

const pathOf = (file) => relative(process.cwd(), file).replaceAll(sep, "/");

/** How Stryker's interface of test runners calls it. */
const FAILED = 1;

let chosen;
const checker = {
  init() {
    chosen = new Set(JSON.parse(readFileSync(process.env.SAUNET_MUTANTS_CHOSEN, "utf8")));
  },
  group: (mutants) => [mutants.map(({ id }) => id)],
  check: (mutants) =>
    Object.fromEntries(
      mutants.map(({ id, fileName, location, replacement }) => [
        id,
        chosen.has(keyOf(pathOf(fileName), location, replacement))
          ? { status: "passed" }
          : { status: "compileError", reason: "not chosen" },
      ]),
    ),
};

/** Reports count lines and columns from 1. */
const fromZero = ({ line, column }) => ({ line: line - 1, column: column - 1 });
const reporter = {
  onMutantTested({ fileName, location, replacement, status }) {
    const at = { start: fromZero(location.start), end: fromZero(location.end) };
    const result = { key: keyOf(pathOf(fileName), at, replacement), status };
    appendFileSync(process.env.SAUNET_MUTANTS_RESULTS, `${JSON.stringify(result)}\n`);
  },
};

const [{ factory }] = ofVitest;
function vitestRunner(injector) {
  const runner = injector.injectFunction(factory);
  const run = runner.run.bind(runner);
  runner.run = async (options) => {
    const result = await run(options);
    const unloaded = runner.ctx.state.getFiles().filter(({ tasks, result }) => {
      return tasks.length === 0 && result?.state === "fail";
    });
    for (const { filepath, result: own } of unloaded) {
      const name = `${pathOf(filepath)} loads`;
      const failureMessage = own.errors?.[0]?.message ?? "";
      result.tests?.push({
        id: name,
        name,
        fileName: filepath,
        timeSpentMs: 0,
        status: FAILED,
        failureMessage,
      });
    }
    return result;
  };
  return runner;
}
vitestRunner.inject = factory.inject;

export const strykerPlugins = [
  { kind: "TestRunner", name: "vitest-files", factory: vitestRunner },
  { kind: "Checker", name: "chosen", value: checker },
  { kind: "Reporter", name: "each", value: reporter },
];
