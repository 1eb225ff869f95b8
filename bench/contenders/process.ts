// A contender as the bench sees it: a process that answers requests, one at a time.

import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ConvolutionSpec, KernelName } from "../convolutions/convolution.ts";
import { sign } from "../watch.ts";
import type { Discipline } from "./contender.ts";
import type { Answer, Request } from "./protocol.ts";

/** The command, beside this file in its built or its written form. */
const MAIN = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));

/** What a contender has to say when it cannot. */
export class ContenderError extends Error {
  override readonly name = "ContenderError";
  readonly notInstalled: boolean;

  constructor(reason: string, notInstalled = false) {
    super(reason);
    this.notInstalled = notInstalled;
  }
}

/** The files that a contender reads. */
export interface ContenderFiles {
  /** Weights, photograph and target: a file of inputs.ts. */
  readonly inputs: string;
  readonly onnx: string;
}

/** A running contender. */
export class ContenderProcess {
  readonly #child: ChildProcess;
  readonly #seconds: number;
  /** Why it was ended, where that was before its time. */
  #reason: string | undefined;

  /**
   * Starts a process; nothing is loaded yet.
   *
   * @param seconds how long it may take over an answer before it is ended
   */
  constructor(seconds: number) {
    this.#seconds = seconds;
    // Whatever a library prints goes to stderr: stdout belongs to the results.
    this.#child = fork(MAIN, ["contender"], {
      serialization: "advanced",
      stdio: ["ignore", 2, 2, "ipc"],
    });
  }

  /** Loads a contender: its library, the weights, whatever it compiles. */
  async load(
    contender: string,
    threads: number,
    discipline: Discipline,
    files: ContenderFiles,
  ): Promise<void> {
    await this.#ask("loaded", { kind: "load", contender, discipline, threads, ...files });
  }

  /** Loads a contender of the matrix product; the file holds the factors, and a run multiplies them `calls` times. */
  async loadProduct(contender: string, threads: number, inputs: string, calls: number): Promise<void> {
    await this.#ask("loaded", { kind: "load product", contender, threads, inputs, calls });
  }

  /** Loads a contender of a single convolution; a run makes it `calls` times. */
  async loadConvolution(
    contender: string,
    threads: number,
    convolution: ConvolutionSpec,
    kernel: KernelName,
    calls: number,
  ): Promise<void> {
    await this.#ask("loaded", { kind: "load convolution", contender, threads, convolution, kernel, calls });
  }

  /** Runs so many times; gives the milliseconds of each run. */
  async run(runs: number): Promise<readonly number[]> {
    return (await this.#ask("ran", { kind: "run", wantsOutput: false, runs })).ms;
  }

  /** Runs once; gives what came out. */
  async output(): Promise<Float32Array> {
    return (await this.#ask("ran", { kind: "run", wantsOutput: true })).output!;
  }

  /** What `Training.moments` gives. */
  async moments(): Promise<readonly Float32Array[]> {
    return (await this.#ask("moments", { kind: "moments" })).moments;
  }

  /** The most memory that the process ever held, in MB. */
  async peakRssMb(): Promise<number> {
    return (await this.#ask("memory", { kind: "memory" })).peakRssMb;
  }

  /** Whether it was ended, or ended by itself. */
  get hasEnded(): boolean {
    return !this.#child.connected || this.#reason !== undefined;
  }

  /** Ends the process. */
  end(): void {
    this.#child.kill("SIGKILL");
  }

  #ask<K extends Answer["kind"]>(kind: K, request: Request): Promise<Extract<Answer, { kind: K }>> {
    return new Promise((resolve, reject) => {
      // Whoever waits for the bench sees it alive as long as a contender has time left.
      const heart = setInterval(() => sign(`a contender's ${request.kind}`), 1000);
      const timer = setTimeout(() => {
        this.#reason = `no answer for ${this.#seconds} s, so it was ended`;
        settle(() => reject(new ContenderError(this.#reason!)));
        this.end();
      }, this.#seconds * 1000);
      const settle = (body: () => void) => {
        clearInterval(heart);
        clearTimeout(timer);
        this.#child.off("message", onMessage);
        this.#child.off("exit", onExit);
        body();
      };
      const onMessage = (answer: Answer) =>
        settle(() => {
          if (answer.kind === kind) resolve(answer as Extract<Answer, { kind: K }>);
          else if (answer.kind === "failed") reject(new ContenderError(answer.reason, answer.notInstalled));
        });
      const onExit = (code: number | null, signal: string | null) =>
        settle(() =>
          reject(
            new ContenderError(this.#reason ?? `its process ended with ${signal ?? `exit code ${code}`}`),
          ),
        );
      this.#child.on("message", onMessage);
      this.#child.on("exit", onExit);
      if (!this.#child.connected) onExit(this.#child.exitCode, this.#child.signalCode);
      else this.#child.send(request);
    });
  }
}
