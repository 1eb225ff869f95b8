// The comparison of two result files as text, and their reading.

import { readFileSync } from "node:fs";
import { type Comparison, compare, regressions } from "./compare.ts";
import { parseResults, type Results } from "./schema.ts";
import { formatTable } from "./tables.ts";
import { UsageError } from "./usage.ts";

/** How a comparison says what came of a row. */
export const VERDICTS = {
  faster: "faster",
  slower: "slower",
  same: "no difference seen",
  undecided: "too few processes",
};

/**
 * Compares two files of one bench.
 *
 * @throws UsageError where they have nothing in common
 */
export function comparison(before: Results, after: Results): Comparison {
  if (before.bench !== after.bench) {
    throw new UsageError(`compare: the files are of ${before.bench} and of ${after.bench}`);
  }
  const [one, other] = [before.input, after.input].map((input) => input?.join("x"));
  if (one !== undefined && other !== undefined && one !== other)
    throw new UsageError(`compare: the files are of photographs of ${one} and of ${other}`);
  const found = compare(before, after);
  if (found.changes.length === 0) throw new UsageError("compare: the files measured nothing in common");
  return found;
}

/** What there is to read of it. */
export function formatComparison({ changes, alone, differences, drift }: Comparison): string {
  const lines: string[] = [];
  if (differences.length > 0)
    lines.push("What else is different between the two:", ...differences.map(indented), "");
  const rows = changes.flatMap(({ shape, name, before, after, ratio, verdict }, i) => {
    const figures = [String(before), String(after), ratio.toFixed(3), VERDICTS[verdict]];
    if (shape === undefined) return [[name, ...figures]];
    const heading = shape === changes[i - 1]?.shape ? [] : [[shape]];
    return [...heading, [indented(name), ...figures]];
  });
  const table = formatTable(["", "before ms", "after ms", "ratio", "verdict"], rows);
  lines.push(table);
  if (typeof drift === "string") lines.push(`${drift}: its drift is not taken out.`);
  else {
    const { scalar, simd, memory } = drift;
    const by = `arithmetic ${percent(scalar)}, SIMD ${percent(simd)}, memory ${percent(memory)}`;
    lines.push(`The machine itself took longer by: ${by} (taken out of ratio and verdict).`);
  }
  if (changes.some(({ verdict }) => verdict === "undecided"))
    lines.push("To be judged a row wants at least 6 processes in both files: --repeat 6.");
  if (alone.length > 0) lines.push("", "Rows without a partner:", ...alone.map(indented));
  return `${lines.join("\n")}\n`;
}

const indented = (line: string): string => `  ${line}`;
const percent = (ratio: number): string =>
  `${ratio >= 1 ? "+" : "−"}${Math.abs(100 * (ratio - 1)).toFixed(1)}%`;

/**
 * The exit code of a comparison: 1 where a row is slower by more than `bound`.
 *
 * @throws UsageError where a bound was given and nothing could be judged
 */
export function exitCode(found: Comparison, bound: number | undefined): number {
  if (bound === undefined) return 0;
  if (found.changes.every(({ verdict }) => verdict === "undecided"))
    throw new UsageError("--bound: nothing can be judged with so few processes; measure with --repeat 6");
  return regressions(found, bound).length > 0 ? 1 : 0;
}

/** Reads a file that `--out` wrote. */
export function readResults(path: string): Results {
  try {
    return parseResults(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message.split("\n")[0]}`);
  }
}
