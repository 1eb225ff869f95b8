// Where a contender's process runs: Node, by its own messages; or Python, by a line of JSON each way, with arrays in base64.

import { type ChildProcess, fork, spawn } from "node:child_process";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PEERS } from "../paths.ts";
import type { Answer, Request } from "./protocol.ts";

/** The command, beside this file in its built or its written form. */
const MAIN = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url));

export type HostName = "node" | "python";

/** A process that answers requests, one at a time. */
export interface Host {
  readonly isAlive: boolean;
  send(request: Request): void;
  kill(): void;
}

/** Whom a host tells of answers, and of its end. */
export interface HostListener {
  onAnswer(answer: Answer): void;
  onEnd(reason: string, notInstalled: boolean): void;
}

/** Starts a process; nothing is loaded yet. Whatever a library prints goes to stderr: stdout belongs to the results. */
export function startHost(name: HostName, listener: HostListener): Host {
  return name === "node" ? startNode(listener) : startPython(listener);
}

function startNode({ onAnswer, onEnd }: HostListener): Host {
  const child = fork(MAIN, ["contender"], { serialization: "advanced", stdio: ["ignore", 2, 2, "ipc"] });
  child.on("message", onAnswer);
  return hostOf(child, onEnd, (request) => child.send(request));
}

function startPython({ onAnswer, onEnd }: HostListener): Host {
  const python = process.env.PYTHON ?? (process.platform === "win32" ? "python" : "python3");
  const child = spawn(python, [join(PEERS, "python", "serve.py")], { stdio: ["pipe", "pipe", "inherit"] });
  createInterface({ input: child.stdout }).on("line", (line) => onAnswer(readAnswer(line)));
  // A process that ended has closed its input: that it ended is what is told.
  child.stdin.on("error", () => {});
  return hostOf(child, onEnd, (request) => child.stdin.write(`${JSON.stringify(request)}\n`));
}

function hostOf(child: ChildProcess, onEnd: HostListener["onEnd"], send: (request: Request) => void): Host {
  let end: (() => void) | undefined;
  const endWith = (reason: string, notInstalled = false) => {
    end = () => onEnd(reason, notInstalled);
    end();
  };
  child.on("exit", (code, signal) => endWith(`its process ended with ${signal ?? `exit code ${code}`}`));
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") endWith(`there is no ${child.spawnfile}; PYTHON names another`, true);
    else endWith(error.message);
  });
  return {
    get isAlive() {
      return end === undefined;
    },
    send: (request) => {
      if (end === undefined) send(request);
      else end();
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

/** A line from Python. */
function readAnswer(line: string): Answer {
  const answer = JSON.parse(line) as Answer;
  const decoded = (text: unknown): Float32Array => {
    const bytes = Buffer.from(text as string, "base64");
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  };
  if (answer.kind === "ran" && answer.output !== undefined)
    return { ...answer, output: decoded(answer.output) };
  if (answer.kind === "moments") return { ...answer, moments: answer.moments.map(decoded) };
  return answer;
}
