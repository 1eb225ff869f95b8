// Two plugins of Stryker. It takes ranges of lines but no list of mutants: the checker lets only the chosen ones through. The
// reporter writes down each result when it is there, so that a run that is ended by the clock leaves those it has.

import { appendFileSync, readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { keyOf } from "./key.mjs";

const pathOf = (file) => relative(process.cwd(), file).replaceAll(sep, "/");

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

export const strykerPlugins = [
  { kind: "Checker", name: "chosen", value: checker },
  { kind: "Reporter", name: "each", value: reporter },
];
