// The commands: what each is called, which options it takes, what it does.

import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { comparison, exitCode, formatComparison, readResults } from "./comparison.ts";
import { inMemory, openJournal } from "./journal.ts";
import type { CommandEntry, OptionName, Options } from "./options.ts";
import { settingsOf } from "./options.ts";
import { hasFailures, run } from "./run.ts";
import type { Results } from "./schema.ts";
import type { BenchName } from "./session.ts";
import { HERE } from "./session-process.ts";
import { formatMachine, toCsv, toTable } from "./tables.ts";
import { UsageError } from "./usage.ts";

/** What every bench takes. */
const OUTPUT = ["json", "csv", "out", "resume"] as const;
const MEASURING: readonly OptionName[] = ["repeat", "over", "quick", "seconds", "timeout"];

const show = (results: Results, format: Options["format"]): void => {
  const texts = {
    json: () => `${JSON.stringify(results, undefined, 1)}\n`,
    csv: () => toCsv(results),
    table: () => toTable(results),
  };
  process.stdout.write(texts[format]());
};

/** Measures a bench in this build, or in a browser; gives the exit code. */
async function measured(bench: BenchName, options: Options): Promise<number> {
  const settings = settingsOf(options);
  const { out, resume, repeat, over, browser, command } = options;
  const hosts = browser.length === 0 ? [undefined] : browser;
  if (hosts.length > 1 && out !== undefined && !out.includes("%"))
    throw new UsageError("--out: wants a % where the name of each browser goes");
  let code = 0;
  for (const host of hosts) {
    const file = out?.replace("%", host ?? "");
    const task = { bench, settings, repeat, arm: host ?? HERE.label };
    const journal = file === undefined ? inMemory() : openJournal(file, task, resume);
    const start =
      host === undefined ? undefined : await (await import("./browser/host.ts")).browserHost(host, settings);
    const arms = [{ arm: HERE, journal }];
    try {
      const [results] = await run({
        bench,
        settings,
        command,
        repeat,
        over,
        arms,
        ...(start && { start: start.open }),
      });
      show(results, options.format);
      if (results.interrupted) {
        if (journal.path !== undefined)
          process.stderr.write(`bench: kept in ${journal.path}; the same command with --resume goes on\n`);
        return 130;
      }
      journal.finish(`${JSON.stringify(results, undefined, 1)}\n`);
      if (hasFailures(results, options.peers)) code = 1;
    } finally {
      await start?.close();
    }
  }
  return code;
}

function bench(
  name: BenchName,
  about: string,
  options: readonly OptionName[],
  operands?: string,
): CommandEntry {
  return {
    name,
    about,
    options: [...options, ...MEASURING, ...OUTPUT],
    ...(operands !== undefined && { operands }),
    run: (typed) => measured(name, typed),
  };
}

/** The benches, which {@link commands} and `ab` both run. */
export const benches: readonly CommandEntry[] = [
  bench("model", "the whole network, ours and the peers, same weights, same photograph", ["peers", "size"]),
  bench("sizes", "the whole network at several sizes: time and memory", ["peers"]),
  bench("train", "a step of training, ours and the peers that can", ["peers", "size"]),
  bench("kernels", "the kernels of convolutions, forward and backward, ours, the peers' and your own", [
    ...(["shapes", "shape", "kernels", "algorithms", "peers", "attempt", "threads"] as const),
    ...(["cold", "counters", "browser"] as const),
  ]),
  bench("matmul", "products of matrices, ours and the peers, small to large, odd and in batches", ["peers"]),
  bench(
    "operators",
    "the kernels of single operators, forward and backward",
    ["size", "oneThreads", "cold", "counters"],
    "[operators...] those to time; all where none is named",
  ),
  bench("layers", "every kernel call of one forward pass", ["size", "oneThreads", "cold", "counters"]),
  bench(
    "winograd",
    "what Winograd's rounding does to the trained network on CHASE_DB1",
    ["oneThreads"],
    "<folder> that of CHASE_DB1",
  ),
  bench("lab", "numbered attempts at conv2d, from seven loops to the winner, and your own", [
    ...(["shapes", "shape", "attempts", "attempt", "browser"] as const),
  ]),
];

export const commands: readonly CommandEntry[] = [
  ...benches,
  {
    name: "ab",
    about: "two builds, Nodes or sets of flags against each other in one run, taking turns",
    operands: "[revisions...] the earlier and the later one; this build where only one, or none, is named",
    behind: "<bench> [options of it]",
    options: ["nodeA", "nodeB", "flagsA", "flagsB", "pairs", "bound", "pair", "resume"],
    run: async (options) => (await import("./ab.ts")).compareInTurns(benches, options),
  },
  {
    name: "machine",
    about: "the peak of this machine's arithmetic and the bandwidth of its memory",
    options: ["json"],
    run: async ({ format }) => {
      const { allowRelaxedSimd } = await import("./relaxed.ts");
      allowRelaxedSimd();
      const { machineRecord } = await import("./machine.ts");
      const record = machineRecord();
      process.stdout.write(
        format === "json" ? `${JSON.stringify(record, undefined, 1)}\n` : `${formatMachine(record)}\n`,
      );
      return 0;
    },
  },
  {
    name: "compare",
    about: "two result files: what got faster or slower, and what else is different",
    operands: "<files...> the earlier and the later one",
    options: ["bound"],
    run: async ({ operands, bound }) => {
      if (operands.length !== 2) throw new UsageError("compare: wants two result files");
      const [before, after] = operands.map(readResults);
      const found = comparison(before, after);
      process.stdout.write(formatComparison(found));
      return exitCode(found, bound);
    },
  },
  {
    name: "page",
    about: "one HTML document of result files: sort, filter, roofline, compare two",
    operands: "<files...> result files",
    options: ["page"],
    run: async ({ operands, out = "bench.html" }) => {
      const { resultPage } = await import("./page/page.ts");
      const files = operands.map((path) => ({ name: basename(path, ".json"), results: readResults(path) }));
      const document = resultPage(files);
      try {
        writeFileSync(out, document);
      } catch (error) {
        throw new UsageError(`page: ${(error as Error).message}`);
      }
      process.stdout.write(`${out}\n`);
      return 0;
    },
  },
  {
    name: "report",
    about: "docs/performance.md from bench/results",
    options: ["measure"],
    run: async ({ measure }) => {
      const { MEASURED, resultFile, writeReport } = await import("./report/report.ts");
      for (const line of measure ? MEASURED : []) {
        const [name, ...options] = line.split(" ");
        process.stderr.write(`bench: ${line}\n`);
        const { runCommand } = await import("./options.ts");
        const code = await runCommand(benches, [name, ...options, "--out", resultFile(name)]);
        if (code !== 0) return code;
      }
      process.stdout.write(await writeReport());
      return 0;
    },
  },
];
