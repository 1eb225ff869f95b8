// The tests of one package alone, which scripts/mutants.mjs names.

import type { ViteUserConfig } from "vitest/config";
import base from "../../vitest.config.ts";

const config: ViteUserConfig = {
  ...base,
  test: {
    ...base.test,
    // Loops full of mutants take some ten times as long, on a machine that others use, too; Stryker has limits of its own.
    testTimeout: 1_800_000,
    include: (process.env.SAUNET_MUTANTS_TESTS ?? "").split(","),
    exclude: [
      ...(base.test?.exclude ?? []),
      // What runs in a process of its own knows of no mutant.
      "packages/cli/src/commands/train-{crash,ends}.test.ts",
      "packages/screening/src/{serve,queue/queue}.test.ts",
      // A minute, and it looks for reads and writes beyond an array alone.
      "packages/wasm/src/edges.test.ts",
    ],
  },
};

export default config;
