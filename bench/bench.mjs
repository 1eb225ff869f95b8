#!/usr/bin/env node
// Builds what has changed and runs the bench from the built files: the code that is timed is the code that a user
// installs, and no loader stands between it and V8.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const typescript = createRequire(join(here, "..", "package.json")).resolve("typescript/package.json");
const tsc = join(dirname(typescript), "bin", "tsc");
const build = spawnSync(process.execPath, [tsc, "-b", here], { stdio: ["ignore", 2, 2] });
if (build.status !== 0) process.exit(1);
await import("./dist/main.js");
