#!/usr/bin/env node
// The process around the command: arguments in, exit code out.

import { setFlagsFromString } from "node:v8";
import { FAILED } from "./errors.ts";
import { run } from "./program.ts";

// Node 20 has the fused multiply-add behind a flag, and this process is ours: it makes a segmentation a tenth faster.
// Newer ones have it always, and know no such flag.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read our output has heard enough (`saunet inspect | head`).
    if (error.code === "EPIPE") process.exit();
    if (stream === process.stdout) process.stderr.write(`saunet: writing the output: ${error.message}\n`);
    process.exit(FAILED);
  });
}

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  debug: process.env.SAUNET_DEBUG === "1",
  // Heard once: a second Ctrl-C ends the process at once.
  onInterrupt: (listener) => {
    process.once("SIGINT", listener);
    return () => process.off("SIGINT", listener);
  },
});
