// Hardware events of a run, as Linux counts them: `perf stat` is attached to this process while it runs.

import type { ChildProcess } from "node:child_process";

const EVENTS = ["instructions", "cycles", "cache-references", "cache-misses", "branch-misses"];
const RUNS = 20;
/** How long perf takes to attach, and to say that it cannot. */
const ATTACH_MS = 300;

/** Events of one call by name, or why there are none. */
export type Counted = Readonly<Record<string, number>>;

/** What `perf stat -x,` prints: a line an event, its count first. What the host does not count is left out. */
export function parsePerf(text: string, calls: number): Counted {
  const counts: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [count, , event] = line.split(",");
    // On processors with two kinds of cores an event is named with its kind.
    const name = EVENTS.find((each) => event?.includes(each));
    if (name !== undefined && /^\d+$/.test(count)) counts[name] = (counts[name] ?? 0) + Number(count) / calls;
  }
  return counts;
}

let unavailable: string | undefined;

/** Why events cannot be counted here; undefined where they can, or nobody has tried. */
export const whyNoCounters = (): string | undefined => unavailable;

/** Counts the events of a run that makes so many calls, or says once on stderr why it cannot. */
export async function countEvents(run: () => void, calls: number): Promise<Counted | undefined> {
  if (unavailable !== undefined) return undefined;
  try {
    const counts = await attach(run, calls);
    if (Object.keys(counts).length === 0) throw new Error("this host counts none (a virtual machine mostly)");
    return counts;
  } catch (error) {
    unavailable = (error as Error).message;
    process.stderr.write(`bench: no hardware counters: ${unavailable}\n`);
    return undefined;
  }
}

async function attach(run: () => void, calls: number): Promise<Counted> {
  if (typeof process === "undefined" || process.platform !== "linux")
    throw new Error("wants perf, which Linux has");
  const { spawn } = await import("node:child_process");
  const perf: ChildProcess = spawn("perf", ["stat", "-x,", "-e", EVENTS.join(","), "-p", `${process.pid}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  perf.stderr!.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  const ended = new Promise<void>((resolve, reject) => {
    perf.on("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(error.code === "ENOENT" ? "perf is not installed" : error.message)),
    );
    perf.on("close", () => resolve());
  });
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, ATTACH_MS))]);
  if (perf.exitCode !== null && perf.exitCode !== 0)
    throw new Error(text.split("\n").find((line) => line.trim() !== "") ?? "perf failed");
  for (let i = 0; i < RUNS; i++) run();
  perf.kill("SIGINT");
  await ended;
  return parsePerf(text, RUNS * calls);
}
