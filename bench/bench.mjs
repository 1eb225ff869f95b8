#!/usr/bin/env node
// Builds what has changed and runs the bench from the built files: the code that is timed is the code that a user
// installs, and no loader stands between it and V8.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../scripts/build.mjs", import.meta.url));
const build = spawnSync(process.execPath, [script, "bench"], { stdio: ["ignore", 2, 2] });
if (build.status !== 0) process.exit(1);
await import("./dist/main.js");
