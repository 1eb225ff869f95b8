// A process that measures, as the command sees it.

import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { MachineRecord, Row } from "./schema.ts";
import type { BenchName, SessionAnswer, SessionRequest } from "./session.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage.ts";

/** How such a process is started: another build or another Node makes another arm of a comparison. */
export interface Arm {
  readonly label: string;
  /** Node's program. */
  readonly node: string;
  readonly flags: readonly string[];
  /** The built main.js. */
  readonly main: string;
}

/** This build, this Node, its flags. */
export const HERE: Arm = {
  label: "here",
  node: process.execPath,
  flags: process.execArgv,
  main: fileURLToPath(new URL(`main${extname(import.meta.url)}`, import.meta.url)),
};

/** One that gave no sign of life, and what it was about to do. */
export class HangError extends Error {
  override readonly name = "HangError";
  readonly doing: string;

  constructor(doing: string, seconds: number) {
    super(`no sign of life for ${seconds} s, so it was ended`);
    this.doing = doing;
  }
}

/** What a process says when it has opened a bench. */
export interface Opened {
  readonly units: readonly string[];
  readonly machine: MachineRecord;
  readonly input?: readonly number[];
  readonly about?: string;
}

/** Whatever measures: a process of Node, or a page in a browser. */
export interface Measurer {
  open(bench: BenchName, settings: Settings): Promise<Opened>;
  measure(
    unit: number,
    without: readonly string[],
  ): Promise<{ readonly rows: readonly Row[]; readonly stopped: boolean }>;
  /** Has what is being measured end soon. */
  stop(): void;
  end(): void;
}

/** A process that measures. */
export class SessionProcess implements Measurer {
  readonly #child: ChildProcess;
  readonly #seconds: number;
  #doing = "start";

  /** @param seconds after so long without a sign it is ended */
  constructor({ node, flags, main }: Arm, seconds: number) {
    this.#seconds = seconds;
    this.#child = fork(main, ["session"], {
      execPath: node,
      execArgv: [...flags],
      serialization: "advanced",
      stdio: ["ignore", 2, 2, "ipc"],
    });
    this.#child.on("error", () => {});
  }

  async open(bench: BenchName, settings: Settings): Promise<Opened> {
    return this.#ask("opened", { kind: "open", bench, settings });
  }

  async measure(unit: number, without: readonly string[]) {
    return this.#ask("measured", { kind: "measure", unit, without });
  }

  stop(): void {
    if (this.#child.connected) this.#child.send({ kind: "stop" } satisfies SessionRequest);
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
    // One that hangs does not notice that it is let go.
    setTimeout(() => this.#child.kill("SIGKILL"), 500).unref();
  }

  #ask<K extends SessionAnswer["kind"]>(
    kind: K,
    request: SessionRequest,
  ): Promise<Extract<SessionAnswer, { kind: K }>> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout;
      const settle = (body: () => void) => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
        body();
      };
      const wait = () => {
        timer = setTimeout(() => {
          const error = new HangError(this.#doing, this.#seconds);
          settle(() => reject(error));
          child.kill("SIGKILL");
        }, this.#seconds * 1000);
      };
      const onMessage = (answer: SessionAnswer) => {
        if (answer.kind === "sign") {
          this.#doing = answer.doing;
          clearTimeout(timer);
          wait();
        } else if (answer.kind === kind) settle(() => resolve(answer as Extract<SessionAnswer, { kind: K }>));
        else if (answer.kind === "failed")
          settle(() => reject(answer.usage ? new UsageError(answer.reason) : new Error(answer.reason)));
      };
      const onExit = (code: number | null, signal: string | null) =>
        settle(() =>
          reject(
            new Error(`the measuring process ended with ${signal ?? `exit code ${code}`} (${this.#doing})`),
          ),
        );
      wait();
      child.on("message", onMessage);
      child.on("exit", onExit);
      if (!child.connected) onExit(child.exitCode, child.signalCode);
      else child.send(request);
    });
  }
}
