#!/usr/bin/env node
// The process around the command: arguments in, exit code out.

import { writeSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { explain, FAILED } from "./errors.ts";
import { processEndRequests } from "./process-ending.ts";
import { run } from "./program.ts";
import { printable } from "./terminal.ts";

// Node 20 has the fused multiply-add behind a flag, and this process is ours: it makes a segmentation a tenth faster.
// Newer ones have it always, and know no such flag.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");

const debug = process.env.SAUNET_DEBUG === "1";

/** Ends the process with a line that does not wait for a stream. */
function fail(line: string): never {
  try {
    writeSync(2, `saunet: ${printable(line)}\n`);
  } catch {
    // Nobody can hear it.
  }
  process.exit(FAILED);
}

process.on("uncaughtException", (error) => {
  if (debug) console.error(error);
  fail(explain(error));
});
let hasEnded = false;
// Where nothing is left to wait for, Node would end with 13 and in silence.
process.on("exit", () => {
  if (!hasEnded && process.exitCode === 13) fail("the work stopped without an end; a thread of it was lost");
});

const exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  debug,
  onEndRequest: processEndRequests(),
});
hasEnded = true;
process.exitCode = exitCode;
