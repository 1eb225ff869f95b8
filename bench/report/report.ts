// Writes docs/performance.md and its plots from the result files in bench/results.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readResults } from "../comparison.ts";
import { BENCH, DOCS, RESULTS } from "../paths.ts";
import { isMeasured } from "../rows.ts";
import type { Results, Row } from "../schema.ts";
import { UsageError } from "../usage.ts";
import { section } from "./markdown.ts";

/** The benches on the page, in its order. */
export const REPORTED = ["model", "sizes", "train", "layers", "winograd", "lab"] as const;

/** Those that `--measure` takes anew; the others need photographs that are not part of this project. */
export const MEASURED = REPORTED.filter((bench) => bench !== "winograd");

/** Where the results of a bench are kept. */
export const resultFile = (bench: string): string => join(RESULTS, `${bench}.json`);

const INTRODUCTION = `# Performance

Written by \`pnpm bench report\` from the files in [bench/results](../bench/results); \`pnpm bench report --measure\` takes all of
them anew first. Times are medians with the median absolute deviation (MAD); contenders take turns, so that a slow minute
of the machine falls on all of them. [bench/README.md](../bench/README.md) says how, and what is inside the clock.
`;

/** Writes the page; tells what it wrote. */
export async function writeReport(): Promise<string> {
  const files = REPORTED.map(resultFile).filter(existsSync);
  if (files.length === 0) throw new UsageError("report: no result files; use --measure to make them");
  const parts = [INTRODUCTION];
  for (const file of files) {
    const results = withRowsByHand(readResults(file));
    const { markdown, plots } = await section(results, changesSince(results.machine.commit));
    parts.push(markdown);
    for (const [name, svg] of Object.entries(plots)) writeFileSync(join(DOCS, name), svg);
  }
  const page = join(DOCS, "performance.md");
  writeFileSync(
    page,
    `${parts
      .join("\n")
      .replace(/\n{3,}/g, "\n\n")
      .trim()}\n`,
  );
  return `${page}\n`;
}

/** What the figures are of. */
const ENGINE = ["core", "wasm", "model"].map((name) => join("packages", name, "src"));

/** How many commits changed the engine since one; undefined where that one is not known here. */
export function changesSince(commit: string): number | undefined {
  const range = `${commit.replace("+", "")}..HEAD`;
  try {
    return Number(
      execFileSync("git", ["rev-list", "--count", range, "--", ...ENGINE], {
        cwd: join(BENCH, ".."),
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    );
  } catch {
    return undefined;
  }
}

/** A row says by itself what it belongs to. */
type RowByHand = Row & { readonly bench: string; readonly input: readonly number[] };

/** What the Python scripts printed into by-hand.jsonl, where it is of the same bench and the same input. */
function withRowsByHand(results: Results): Results {
  const path = join(RESULTS, "by-hand.jsonl");
  if (!existsSync(path)) return results;
  const lines = readFileSync(path, "utf8").split("\n");
  const found = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as RowByHand);
  const rows: readonly Row[] = found.filter(
    ({ bench, input }) => bench === results.bench && String(input) === String(results.input),
  );
  const ours = results.results.filter(isMeasured).filter(({ name }) => name === "saunet");
  const ratios = rows.filter(isMeasured).flatMap(({ name, threads, median_ms }) => {
    const same = ours.find((row) => row.threads === threads);
    return same === undefined
      ? []
      : [[`${name}/${threads}`, Number((median_ms / same.median_ms).toPrecision(4))]];
  });
  return {
    ...results,
    results: [...results.results, ...rows],
    ...(results.ratios && { ratios: { ...results.ratios, ...Object.fromEntries(ratios) } }),
  };
}
