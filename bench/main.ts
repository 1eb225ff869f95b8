// The command: pnpm bench <bench> [options].

import { mkdirSync, writeFileSync } from "node:fs";
import { compareFiles } from "./compare.ts";
import { serve } from "./contenders/worker.ts";
import { OPTIONS_HELP, type Options, parseOptions, sizeOf } from "./options.ts";
import { RESULTS } from "./paths.ts";
import { type Results, toCsv, toTable } from "./results.ts";
import { oneOf, UsageError } from "./usage.ts";

interface BenchEntry {
  readonly about: string;
  /** Results to show, or text. */
  readonly run: (options: Options) => Promise<Results | string>;
}

const benches: Readonly<Record<string, BenchEntry>> = {
  model: {
    about: "the whole network, ours and the peers, same weights, same photograph",
    run: async (options) => (await import("./race.ts")).race("model", sizeOf(options, 592), options),
  },
  sizes: {
    about: "the whole network at several sizes: time and memory",
    run: async (options) => (await import("./sizes.ts")).sizes(options),
  },
  train: {
    about: "a step of training, ours and the peers that can",
    run: async (options) => (await import("./race.ts")).race("train", sizeOf(options, 128), options),
  },
  kernels: {
    about: "the kernels of a convolution, forward and backward, on a list of shapes",
    run: async (options) => (await import("./kernels.ts")).kernels(options),
  },
  matmul: {
    about: "products of matrices, ours and the peers, small to large, odd and in batches",
    run: async (options) => (await import("./matmul.ts")).products(options),
  },
  operators: {
    about: "the kernels of single operators, all or those that are named, forward and backward",
    run: async (options) => (await import("./operators.ts")).timeOperators(options),
  },
  layers: {
    about: "every kernel call of one forward pass",
    run: async (options) => (await import("./layers.ts")).layers(options),
  },
  winograd: {
    about: "what Winograd's rounding does to the trained network on CHASE_DB1, whose folder it is given",
    run: async (options) => (await import("./rounding.ts")).rounding(options),
  },
  lab: {
    about: "numbered attempts at conv2d, from seven loops to the winner",
    run: async (options) => (await import("./laboratory.ts")).laboratory(options),
  },
  report: {
    about: "docs/performance.md from bench/results",
    run: async (options) => {
      const { MEASURED, resultFile, writeReport } = await import("./report/report.ts");
      for (const bench of options.measure ? MEASURED : []) {
        process.stderr.write(`bench: ${bench}\n`);
        const results = await benches[bench].run({ ...options, command: `pnpm bench ${bench}` });
        mkdirSync(RESULTS, { recursive: true });
        writeFileSync(resultFile(bench), `${JSON.stringify(results, undefined, 2)}\n`);
      }
      return writeReport();
    },
  },
  compare: {
    about: "two result files: what got faster or slower",
    run: async (options) => compareFiles(options),
  },
};

/** Benches that take names: of files, folders or operators. */
const TAKES_NAMES: ReadonlySet<string> = new Set(["compare", "winograd", "operators"]);

function help(): string {
  const lines = Object.entries(benches).map(([name, { about }]) => `  ${name.padEnd(10)}${about}`);
  return `pnpm bench <bench> [options]\n\n${lines.join("\n")}\n\n${OPTIONS_HELP}\n`;
}

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === "contender") return serve();
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(help());
    return;
  }
  oneOf("bench", name, Object.keys(benches));
  const options = parseOptions(name, args);
  if (options.operands.length > 0 && !TAKES_NAMES.has(name)) {
    throw new UsageError(`unexpected argument "${options.operands[0]}"`);
  }
  const results = await benches[name].run(options);
  if (typeof results === "string") {
    process.stdout.write(results);
    return;
  }
  const json = `${JSON.stringify(results, undefined, 2)}\n`;
  if (options.out !== undefined) writeFileSync(options.out, json);
  const shown = { json: () => json, csv: () => toCsv(results), table: () => toTable(results) };
  process.stdout.write(shown[options.format]());
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
});
