// What asks the process to end, played here: in a process of its own the same is tried by commands/train-ends.slow.test.ts.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { EndRequest } from "./ending.ts";
import { processEndRequests } from "./process-ending.ts";

const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const STREAMS = ["stdout", "stderr"] as const;
const interrupted: EndRequest = { exitCode: 130, reason: "SIGINT", isSignal: true };

class Exit extends Error {}
let exits: (number | string | null | undefined)[];
let complaints: string[];
let works: (() => void)[];
let before: Map<(typeof STREAMS)[number], readonly unknown[]>;
let listeners: number[];
const counts = () => SIGNALS.map((name) => process.listenerCount(name));

beforeEach(() => {
  [exits, complaints, works] = [[], [], []];
  vi.useFakeTimers();
  vi.stubEnv("npm_lifecycle_event", undefined);
  vi.spyOn(process, "exit").mockImplementation((code) => {
    exits.push(code);
    throw new Exit();
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => complaints.push(String(text)) > 0);
  before = new Map(STREAMS.map((stream) => [stream, process[stream].listeners("error")]));
  listeners = counts();
});
afterEach(() => {
  for (const stop of works) stop();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.useRealTimers();
  for (const stream of STREAMS)
    for (const listener of process[stream].listeners("error"))
      if (!before.get(stream)?.includes(listener)) process[stream].off("error", listener as () => void);
});

/** Sends a signal, or has a stream fail, as far as our listeners go. */
function emit(what: (typeof SIGNALS)[number] | Error): void {
  try {
    if (typeof what === "string") process.emit(what, what);
    else process.stdout.emit("error", what);
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  }
}

const failure = (code: string) => Object.assign(new Error(`${code} by write`), { code });

/** Work that listens; what it is asked. */
function listening(onEndRequest: ReturnType<typeof processEndRequests>) {
  const asked: EndRequest[] = [];
  const stop = onEndRequest((request) => asked.push(request));
  works.push(stop);
  return { asked, stop };
}

it.each([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s asks with %d, and is left to the system while no work listens", (reason, exitCode) => {
  const onEndRequest = processEndRequests();
  expect(counts()).toEqual(listeners);
  const [first, second] = [listening(onEndRequest), listening(onEndRequest)];
  expect(counts()).toEqual(listeners.map((count) => count + 1));
  emit(reason);
  const request = { exitCode, reason, isSignal: true };
  expect([first.asked, second.asked]).toEqual([[request], [request]]);
  first.stop();
  expect(counts()).toEqual(listeners.map((count) => count + 1));
  second.stop();
  expect(counts()).toEqual(listeners);
  expect(exits).toEqual([]);
});

it("is one request within a second, whatever comes by other ways; after that a signal ends the process at once", () => {
  const { asked } = listening(processEndRequests());
  // The process has run for a while by then.
  vi.advanceTimersByTime(5000);
  emit("SIGINT");
  vi.advanceTimersByTime(1000);
  emit("SIGTERM");
  expect([asked, exits]).toEqual([[interrupted, interrupted], []]);
  vi.advanceTimersByTime(1);
  emit("SIGTERM");
  expect([asked.length, exits]).toEqual([2, [143]]);
});

it("is heard by work that begins later", () => {
  const onEndRequest = processEndRequests();
  listening(onEndRequest);
  emit("SIGINT");
  expect(listening(onEndRequest).asked).toEqual([interrupted]);
});

it.each([
  ["EPIPE", 141, "standard output was closed", ""],
  [
    "ENOSPC",
    1,
    "standard output cannot be written: the disk is full",
    "saunet: standard output cannot be written: the disk is full\n",
  ],
  [
    "EODD",
    1,
    "standard output cannot be written: EODD by write",
    "saunet: standard output cannot be written: EODD by write\n",
  ],
])(
  "standard output that fails with %s asks with %d, and ends the process where no work listens",
  (code, exitCode, reason, line) => {
    const onEndRequest = processEndRequests();
    emit(failure(code));
    expect([exits, complaints.join("")]).toEqual([[exitCode], line]);
    const { asked } = listening(onEndRequest);
    emit(failure(code));
    // Each line that cannot be written fails anew.
    emit(failure(code));
    expect(asked).toEqual([{ exitCode, reason, isSignal: false }]);
    // No person has asked so far: the first signal is one.
    vi.advanceTimersByTime(5000);
    emit("SIGINT");
    expect([asked.length, exits]).toEqual([2, [exitCode]]);
  },
);

it("standard error that fails ends nothing", () => {
  const { asked } = listening(processEndRequests());
  process.stderr.emit("error", failure("EPIPE"));
  expect([asked, exits]).toEqual([[], []]);
});

it("a parent that npm's end has taken asks once; without npm nobody looks for it", () => {
  let parent = 4;
  vi.spyOn(process, "ppid", "get").mockImplementation(() => parent);
  const alone = listening(processEndRequests());
  vi.stubEnv("npm_lifecycle_event", "train");
  const { asked } = listening(processEndRequests());
  vi.advanceTimersByTime(3000);
  expect(asked).toEqual([]);
  parent = 1;
  vi.advanceTimersByTime(3000);
  expect(asked).toEqual([{ exitCode: 143, reason: "npm was ended", isSignal: true }]);
  expect([alone.asked, exits, vi.getTimerCount()]).toEqual([[], [], 0]);
});

it("a parent that is lost ends the process where no work listens", () => {
  let parent = 4;
  vi.spyOn(process, "ppid", "get").mockImplementation(() => parent);
  vi.stubEnv("npm_lifecycle_event", "segment");
  processEndRequests();
  parent = 1;
  expect(() => vi.advanceTimersByTime(300)).toThrow(Exit);
  expect(exits).toEqual([143]);
});
