// Writes docs/performance.md and its plots from the result files in bench/results.

import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readResults } from "../comparison.ts";
import { BENCH, DOCS, RESULTS } from "../paths.ts";
import { UsageError } from "../usage.ts";
import { section } from "./markdown.ts";

/** The benches on the page, in its order. */
const REPORTED = ["model", "sizes", "train", "layers", "matmul", "winograd", "lab"] as const;

const PEERS = "onnxruntime-node,onnxruntime-web,tfjs-wasm,openvino,pytorch";

/**
 * What `--measure` takes anew. The figures that README quotes are of several processes over an hour. Winograd's rounding needs
 * photographs that are not part of this project.
 */
export const MEASURED: readonly string[] = [
  `model --peers saunet-plain,saunet-eager,${PEERS} --seconds 3 --repeat 6 --over 60`,
  "train --peers pytorch --size 592 --seconds 6 --repeat 6 --over 60",
  "sizes --peers onnxruntime-node --seconds 2",
  "layers",
  "matmul",
  "lab",
];

/** Where the results of a bench are kept. */
export const resultFile = (bench: string): string => join(RESULTS, `${bench}.json`);

const INTRODUCTION = `# Performance

Written by \`pnpm bench report\` from the files in [bench/results](../bench/results); \`pnpm bench report --measure\` takes all of
them anew first. Times are medians: of the medians of several processes, with their 95 % interval, where each contender had
several; of the runs of one process, with their median absolute deviation (MAD), where it had one. Contenders take turns, so that
a slow minute of the machine falls on all of them. [bench/README.md](../bench/README.md) says how, and what is inside the clock.
`;

/** Writes the page; tells what it wrote. */
export async function writeReport(): Promise<string> {
  const files = REPORTED.map(resultFile).filter(existsSync);
  if (files.length === 0) throw new UsageError("report: no result files; use --measure to make them");
  const parts = [INTRODUCTION];
  for (const file of files) {
    const results = readResults(file);
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

/** What the figures are of; tests and what helps them change none. */
const ENGINE = [
  ...["core", "wasm", "model"].map((name) => `packages/${name}/src`),
  ...["*.test.ts", "*testing*"].map((name) => `:(exclude)packages/${name}`),
];

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
