// Where the bench keeps its files, wherever its code runs from.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The folder that holds package.json. */
export const BENCH = dirname(createRequire(import.meta.url).resolve("@saunet/bench/package.json"));

/** Shape lists. */
export const SHAPES = join(BENCH, "shapes");

/** The peers that are installed when they are first needed, apart from the workspace. */
export const PEERS = join(BENCH, "peers");

/** Result files: those that docs/performance.md is made of; `local` holds what is not kept. */
export const RESULTS = join(BENCH, "results");

/** The docs of the whole project. */
export const DOCS = join(BENCH, "..", "docs");
