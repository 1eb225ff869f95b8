// A process that segments: requests in, answers out, one at a time. It is a process and not a thread, so that a decoder
// that crashes, memory that runs out or a run that hangs ends with it and takes no connection along.

import { setFlagsFromString } from "node:v8";
import { accelerate } from "@saunet/wasm";
import { explain } from "saunet/internal";
import { computing, PhotographError, type Request } from "./compute.ts";
import type { FromProcess, Reply } from "./computer.ts";

// As the command itself, so that results are the same bit for bit.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");

// A terminal signals the whole group; whoever started this process ends it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => process.exit());

/** A parent that was killed could not let go: it shows when an answer cannot be written, and then nobody wants one. */
const send = (message: FromProcess) =>
  process.send?.(message, undefined, undefined, (error) => {
    if (error !== null) process.exit();
  });

const threads = Number(process.argv[2]);
const { reasons } = await accelerate(threads > 0 ? { threads } : {});
const compute = computing();

async function reply(request: Request): Promise<Reply> {
  try {
    return { answer: await compute(request) };
  } catch (error) {
    return { failure: { isPhotographs: error instanceof PhotographError, message: explainHere(error) } };
  }
}

const explainHere = (error: unknown): string =>
  error instanceof PhotographError ? error.message.replace(/\s*\n\s*/g, " ") : explain(error);

process.on("message", async (request: Request) => send({ reply: await reply(request) }));
send({ ready: reasons });
