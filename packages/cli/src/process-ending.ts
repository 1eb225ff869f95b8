// What asks this process to end: signals, and standard output that cannot be written.

import { constants } from "node:os";
import { knownSystemReason } from "@saunet/data/files";
import type { EndRequest } from "./ending.ts";
import { FAILED, signalled } from "./errors.ts";
import type { Host } from "./output.ts";

/** Ctrl-C, a terminal that was closed, and what `kill` and service managers send. */
const SIGNALS = ["SIGINT", "SIGHUP", "SIGTERM"] as const;

/**
 * A signal this long after the first ends the process at once. Sooner ones are the same request on another way: a terminal
 * signals the whole group of processes, and npm passes on to its child what the child has received already.
 */
const SAME_REQUEST_MS = 1000;

/**
 * Listens to the process. While no work listens, a signal ends it as the system does, and a failure of standard output
 * ends it here. Standard error that cannot be written ends nothing: what matters is on the other stream or in files.
 */
export function processEndRequests(): NonNullable<Host["onEndRequest"]> {
  const listeners = new Set<(request: EndRequest) => void>();
  let first: { readonly request: EndRequest; readonly time: number } | undefined;
  const ask = (request: EndRequest) => {
    first ??= { request, time: performance.now() };
    for (const listener of listeners) listener(first.request);
  };
  const onSignal = (name: (typeof SIGNALS)[number]) => {
    const exitCode = signalled(constants.signals[name]);
    if (first?.request.isSignal && performance.now() - first.time > SAME_REQUEST_MS) process.exit(exitCode);
    ask({ exitCode, reason: name, isSignal: true });
  };
  onLostParent(() => {
    const exitCode = signalled(constants.signals.SIGTERM);
    if (listeners.size === 0) process.exit(exitCode);
    ask({ exitCode, reason: "npm was ended", isSignal: true });
  });
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (first !== undefined) return;
    const request = failureOf(error);
    if (listeners.size > 0) return ask(request);
    // Whoever read our output has heard enough (`saunet inspect | head`).
    if (error.code !== "EPIPE") process.stderr.write(`saunet: ${request.reason}\n`);
    process.exit(request.exitCode);
  });
  return (listener) => {
    if (listeners.size === 0) for (const name of SIGNALS) process.on(name, onSignal);
    listeners.add(listener);
    if (first !== undefined) listener(first.request);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) for (const name of SIGNALS) process.off(name, onSignal);
    };
  };
}

/** How often the parent is looked for. */
const LOOK_MS = 300;

/**
 * npm and npx start a command through a shell, and pass signals on to that shell alone, which ends and leaves the command
 * behind.
 */
function onLostParent(listener: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    listener();
  }, LOOK_MS);
  timer.unref();
}

function failureOf(error: NodeJS.ErrnoException): EndRequest {
  if (error.code === "EPIPE") {
    const exitCode = signalled(constants.signals.SIGPIPE);
    return { exitCode, reason: "standard output was closed", isSignal: false };
  }
  const why = knownSystemReason(error) ?? error.message;
  return { exitCode: FAILED, reason: `standard output cannot be written: ${why}`, isSignal: false };
}
