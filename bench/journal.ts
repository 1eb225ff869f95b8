// What is measured is written down at once, a line a unit, beside the result file that is to be; the file itself appears when
// everything is there. So a key, a kill or a full disk costs the unit at hand and no more.

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type { MachineRecord, Row } from "./schema.ts";
import type { BenchName } from "./session.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage.ts";

/** What is to be measured: a journal can only be gone on with for the same. */
export interface Task {
  readonly bench: BenchName;
  readonly settings: Settings;
  readonly repeat: number;
  readonly arm: string;
}

/** A unit as one process measured it. */
export interface Entry {
  readonly repetition: number;
  readonly unit: string;
  readonly machine: MachineRecord;
  readonly input?: readonly number[];
  readonly about?: string;
  readonly rows: readonly Row[];
  /** Measured until someone stopped it: it is measured again. */
  readonly stopped: boolean;
}

/** Where entries go. */
export interface Journal {
  readonly entries: readonly Entry[];
  add(entry: Entry): void;
  /** Writes the result file, and takes the journal away. */
  finish(results: string): void;
  /** Where what there is can be found. */
  readonly path: string | undefined;
}

/** One that is not kept. */
export function inMemory(): Journal {
  const entries: Entry[] = [];
  return { entries, add: (entry) => void entries.push(entry), finish: () => {}, path: undefined };
}

/**
 * Opens the journal of a result file, before anything is measured.
 *
 * @throws UsageError where the file cannot be written, or a journal lies there that is not to be gone on with or is of
 *   something else
 */
export function openJournal(out: string, task: Task, resume: boolean): Journal {
  const path = `${out}.partial.jsonl`;
  if (existsSync(out) && statSync(out).isDirectory()) throw new UsageError(`--out: ${out} is a folder`);
  const header = JSON.stringify({ journal: 1, ...task });
  const entries: Entry[] = [];
  if (existsSync(path)) {
    if (!resume)
      throw new UsageError(
        `--out: ${path} holds a part of an earlier run: go on with --resume, or remove it`,
      );
    const [first, ...lines] = readFileSync(path, "utf8").split("\n");
    if (first !== header)
      throw new UsageError(`--resume: ${path} is of another command: it was ${describe(first)}`);
    entries.push(...lines.flatMap(readEntry));
  } else if (resume) throw new UsageError(`--resume: there is no ${path}`);
  let file: number;
  try {
    file = openSync(path, "w");
    // The last line may have been cut off when its process was killed: what is whole is written anew.
    for (const line of [header, ...entries.map((entry) => JSON.stringify(entry))])
      writeSync(file, `${line}\n`);
  } catch (error) {
    throw new UsageError(`--out: cannot write ${out}: ${(error as Error).message.split("\n")[0]}`);
  }
  return {
    entries,
    path,
    add: (entry) => {
      entries.push(entry);
      writeSync(file, `${JSON.stringify(entry)}\n`);
      fsyncSync(file);
    },
    finish: (results) => {
      closeSync(file);
      const whole = `${out}.tmp`;
      writeFileSync(whole, results);
      renameSync(whole, out);
      rmSync(path);
    },
  };
}

function readEntry(line: string): Entry[] {
  try {
    return [JSON.parse(line) as Entry];
  } catch {
    return [];
  }
}

function describe(header: string): string {
  try {
    const { bench, repeat, arm } = JSON.parse(header) as Task;
    return `${bench}, ${repeat} repetitions, ${arm}, with other options`;
  } catch {
    return "no journal";
  }
}
