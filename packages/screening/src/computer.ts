// The parent's side of a process that segments: started when needed, made anew when it is lost.

import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Answer, PhotographError, type Request } from "./compute.ts";

/** What became of a request. */
export type Reply =
  | { readonly answer: Answer }
  | { readonly failure: { readonly isPhotographs: boolean; readonly message: string } };

/** What the process says: once that it is ready, with what makes it slower than it could be, and then replies. */
export type FromProcess = { readonly ready: readonly string[] } | { readonly reply: Reply };

/** Something that segments one photograph at a time. */
export interface Computer {
  /** Whether it can begin at once. */
  readonly isUp: boolean;
  /** How often its process was lost. */
  readonly losses: number;
  /**
   * @param signal ends the process, and the promise rejects with the signal's reason
   * @throws PhotographError where it is the photograph's fault; LostError where the process ended
   */
  segment(request: Request, signal?: AbortSignal): Promise<Answer>;
  close(): void;
}

/** The process ended before it answered. */
export class LostError extends Error {
  override readonly name = "LostError";
}

/** How long a process may take to start; it compiles a few hundred kernels. */
const START_MS = 60_000;

/** Pauses between starts that fail: 0.5 s, twice as long each time, at most 30 s. */
const pauseAfter = (failures: number): number => Math.min(30_000, 250 * 2 ** failures);

/** The compiled file; Node 20 runs no TypeScript. */
const ENTRY = fileURLToPath(new URL("./compute-process.js", import.meta.url));

/** How to start a process. */
export interface ComputerOptions {
  /** Threads that compute; default: one a core. */
  readonly threads?: number | undefined;
  /** Hears why a process was lost, and what makes it slower than it could be. */
  readonly onTrouble: (line: string) => void;
}

/** Starts a process that segments. It keeps one running until it is closed. */
export function startComputer({ threads = 0, onTrouble }: ComputerOptions): Computer {
  let isClosed = false;
  let failures = 0;
  let losses = 0;
  let child: ChildProcess | undefined;
  let isReady = false;
  let told = "";
  let starting: Promise<ChildProcess>;

  const start = (): Promise<ChildProcess> => {
    const started = fork(ENTRY, [String(threads)], {
      serialization: "advanced",
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child = started;
    const ready = new Promise<ChildProcess>((resolve, reject) => {
      const timer = setTimeout(() => started.kill("SIGKILL"), START_MS);
      started.once("message", (message: FromProcess) => {
        clearTimeout(timer);
        isReady = true;
        if ("ready" in message) tellOnce(message.ready);
        resolve(started);
      });
      // After this event nothing more arrives, unlike after "exit".
      started.once("close", (code, signal) => {
        clearTimeout(timer);
        isReady = false;
        child = undefined;
        const how = `the process that segments ended (${signal ?? `exit code ${code}`})`;
        reject(new LostError(how));
        if (isClosed) return;
        losses++;
        failures++;
        onTrouble(how);
        starting = pause(pauseAfter(failures), undefined, { ref: false }).then(() => {
          if (isClosed) throw new LostError("nothing is segmented any more");
          return start();
        });
        starting.catch(() => {});
      });
      started.on("error", () => started.kill("SIGKILL"));
    });
    // Whoever asks for it hears of it.
    ready.catch(() => {});
    return ready;
  };
  const tellOnce = (reasons: readonly string[]) => {
    const line = reasons.join("; ");
    if (line !== "" && line !== told) onTrouble(`slower than it could be: ${line}`);
    told = line;
  };
  starting = start();

  return {
    get isUp() {
      return isReady;
    },
    get losses() {
      return losses;
    },
    async segment(request, signal) {
      signal?.throwIfAborted();
      const process = await starting;
      signal?.throwIfAborted();
      const answer = await ask(process, request, signal);
      failures = 0;
      return answer;
    },
    close() {
      isClosed = true;
      child?.kill("SIGKILL");
    },
  };
}

function ask(process: ChildProcess, request: Request, signal: AbortSignal | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      process.off("message", onMessage);
      process.off("close", onClose);
      signal?.removeEventListener("abort", onAbort);
      end();
    };
    const onMessage = (message: FromProcess) =>
      settle(() => {
        if (!("reply" in message)) return reject(new LostError("the process that segments began anew"));
        const { reply } = message;
        if ("answer" in reply) return resolve(reply.answer);
        const { isPhotographs, message: why } = reply.failure;
        reject(isPhotographs ? new PhotographError(why) : new Error(why));
      });
    const onClose = (code: number | null, by: string | null) =>
      settle(() => reject(new LostError(`the process that segments ended (${by ?? `exit code ${code}`})`)));
    const onAbort = () => {
      process.kill("SIGKILL");
      settle(() => reject(signal?.reason));
    };
    if (!process.connected) return reject(new LostError("the process that segments has ended"));
    process.on("message", onMessage);
    process.on("close", onClose);
    signal?.addEventListener("abort", onAbort);
    process.send(request, (error) => {
      if (error !== null)
        settle(() => reject(new LostError(`the process that segments is lost: ${error.message}`)));
    });
  });
}
