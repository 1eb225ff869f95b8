// Two result files: what got faster or slower by more than the noise explains.

import { readFileSync } from "node:fs";
import type { Options } from "./options.ts";
import { formatTable, isMeasured, type Measured, type Results, type Row } from "./results.ts";
import { UsageError } from "./usage.ts";

/** For normal noise the deviation is 1.48 median absolute ones; three of them cover nearly all of it. */
const DEVIATIONS = 3 * 1.4826;
/** Less than this is not worth a word, however quiet the machine was. */
const SMALLEST_CHANGE = 0.02;

/** How one row fared. */
export interface Change {
  readonly label: string;
  readonly before: number;
  readonly after: number;
  /** `after / before`. */
  readonly ratio: number;
  readonly verdict: "faster" | "slower" | "same";
}

/** Compares the rows that both files measured. */
export function changes(before: Results, after: Results): Change[] {
  const old = new Map(before.results.filter(isMeasured).map((row) => [labelOf(row), row]));
  return after.results.filter(isMeasured).flatMap((row): Change[] => {
    const label = labelOf(row);
    const previous = old.get(label);
    return previous === undefined ? [] : [changeOf(label, previous, row)];
  });
}

function changeOf(label: string, before: Measured, after: Measured): Change {
  const difference = after.median_ms - before.median_ms;
  const noise = DEVIATIONS * Math.hypot(before.mad_ms, after.mad_ms);
  const counts = Math.abs(difference) > Math.max(noise, SMALLEST_CHANGE * before.median_ms);
  return {
    label,
    before: before.median_ms,
    after: after.median_ms,
    ratio: after.median_ms / before.median_ms,
    verdict: counts ? (difference < 0 ? "faster" : "slower") : "same",
  };
}

const labelOf = ({ shape, name, threads }: Row): string =>
  [...(shape === undefined ? [] : [shape]), `${name}/${threads}`].join(" ");

/** The comparison of the two files that the user named, as text. */
export function compareFiles({ operands }: Options): string {
  if (operands.length !== 2) throw new UsageError("compare: wants two result files");
  const [before, after] = operands.map(readResults);
  if (before.bench !== after.bench) {
    throw new UsageError(`compare: the files are of ${before.bench} and of ${after.bench}`);
  }
  const rows = changes(before, after);
  if (rows.length === 0) throw new UsageError("compare: the files measured nothing in common");
  const machines = new Set([before, after].map(({ machine }) => `${machine.cpu}, Node ${machine.node}`));
  const warning = machines.size > 1 ? `These are two machines: ${[...machines].join(" and ")}.\n\n` : "";
  const table = formatTable(
    ["", "before ms", "after ms", "after/before", "verdict"],
    rows.map(({ label, before: b, after: a, ratio, verdict }) => [
      label,
      String(b),
      String(a),
      ratio.toFixed(3),
      verdict === "same" ? "within the noise" : verdict,
    ]),
  );
  return warning + table;
}

/** Reads a file that `--out` wrote. */
export function readResults(path: string): Results {
  let results: Results;
  try {
    results = JSON.parse(readFileSync(path, "utf8")) as Results;
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message.split("\n")[0]}`);
  }
  if (typeof results?.bench !== "string" || !Array.isArray(results.results)) {
    throw new UsageError(`${path}: is no result file`);
  }
  return results;
}
