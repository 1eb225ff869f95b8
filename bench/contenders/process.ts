// A contender as the bench sees it: a process that answers requests, one at a time.

import type { ConvolutionSpec, KernelName } from "../convolutions/convolution.ts";
import { sign } from "../watch.ts";
import type { Discipline } from "./contender.ts";
import { type Host, type HostName, startHost } from "./host.ts";
import type { Answer, Request } from "./protocol.ts";

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

/** What a contender that cannot make the numbers of a convolution is given. */
export interface ConvolutionFiles {
  readonly operands: string;
  readonly pads: readonly number[];
  readonly result: readonly number[];
}

/** A running contender. */
export class ContenderProcess {
  readonly #host: Host;
  readonly #seconds: number;
  /** Whoever waits for an answer. */
  #waiting: { answer(answer: Answer): void; end(reason: string, notInstalled: boolean): void } | undefined;
  /** Why it was ended, where that was before its time. */
  #reason: string | undefined;

  /**
   * Starts a process; nothing is loaded yet.
   *
   * @param seconds how long it may take over an answer before it is ended
   */
  constructor(seconds: number, host: HostName = "node") {
    this.#seconds = seconds;
    this.#host = startHost(host, {
      onAnswer: (answer) => this.#waiting?.answer(answer),
      onEnd: (reason, notInstalled) => this.#waiting?.end(this.#reason ?? reason, notInstalled),
    });
  }

  /** Loads a contender: its library, the weights, whatever it compiles. Gives the library's version where it says one. */
  async load(
    contender: string,
    threads: number,
    discipline: Discipline,
    files: ContenderFiles,
  ): Promise<string | undefined> {
    return (await this.#ask("loaded", { kind: "load", contender, discipline, threads, ...files })).version;
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
    files?: ConvolutionFiles,
  ): Promise<void> {
    const request = { contender, threads, convolution, kernel, calls, ...files };
    await this.#ask("loaded", { kind: "load convolution", ...request });
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
    return !this.#host.isAlive || this.#reason !== undefined;
  }

  /** Ends the process. */
  end(): void {
    this.#host.kill();
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
        this.#waiting = undefined;
        body();
      };
      this.#waiting = {
        answer: (answer) => {
          if (answer.kind === "failed")
            settle(() => reject(new ContenderError(answer.reason, answer.notInstalled)));
          else if (answer.kind === kind) settle(() => resolve(answer as Extract<Answer, { kind: K }>));
        },
        end: (reason, notInstalled) => settle(() => reject(new ContenderError(reason, notInstalled))),
      };
      this.#host.send(request);
    });
  }
}
