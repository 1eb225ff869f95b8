// Tries mutants in processes of their own (trial.mjs), and ends one whose test does not.

import { fork } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutatedCode } from "./choose.mjs";
import { scratch } from "./scratch.mjs";

/** How long each test file took without a mutant when it was last run, in milliseconds: which ones are short. */
const known = join(scratch, ".mutants-times.json");

/** How long one may take until it has read what every test imports. */
const START = 600_000;

/**
 * Starts a process of trials, which adds the times of tests and the pieces of code that they run. `limit` is how long it may stay
 * without a word.
 */
function start(times, pieces) {
  // A group of its own, so that the processes of Vitest end with it; in the copy, since a mutant may write to any name.
  const path = fileURLToPath(new URL("trial.mjs", import.meta.url));
  const child = fork(path, { detached: true, cwd: scratch });
  const kill = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  /** Sends a message, and waits for the one that has `name`: undefined where a test hangs or the process ends. */
  const ask = (message, name, limit) =>
    new Promise((resolve) => {
      let timer;
      const end = (value) => {
        clearTimeout(timer);
        child.off("message", hear);
        child.off("exit", lost);
        resolve(value);
      };
      const lost = () => end(undefined);
      const within = (milliseconds) => {
        clearTimeout(timer);
        if (milliseconds !== undefined) timer = setTimeout(kill, milliseconds);
      };
      const hear = (heard) => {
        if (heard.test !== undefined) {
          times[heard.test] = heard.time;
          pieces[heard.test] = heard.pieces;
        } else if (heard.starts !== undefined) {
          within(heard.limit);
          trial.control = heard.isControl ? heard.starts : undefined;
        } else if (heard.ends !== undefined) {
          within(undefined);
          trial.control = undefined;
        } else if (name in heard) end(heard[name]);
      };
      child.on("message", hear);
      child.once("exit", lost);
      within(limit);
      if (message !== undefined) child.send(message);
    });
  const trial = { kill, ask, /** The test that runs without a mutant, if one does. */ control: undefined };
  return trial;
}

/**
 * @typedef {object} Result
 * @property {"noticed" | "hung" | "survived" | "no tests" | "invalid"} status
 * @property {string} [by] the test file that noticed
 * @property {number} [tried] how many test files found nothing
 * @property {number} [of] how many import the mutant's file, without those that are known not to run its code
 */

/**
 * Tries each mutant by the tests that run its code until one fails, at most for so long (`patience`, milliseconds).
 *
 * @param {readonly import("./choose.mjs").Mutant[]} mutants
 * @param {{ workers: number, patience: number, end: number, tell: (mutant: import("./choose.mjs").Mutant, result: Result) => void }} options
 *   `end` is when no further mutant is begun
 */
export async function tryMutants(mutants, { workers, patience, end, tell }) {
  const left = [...mutants];
  const before = existsSync(known) ? JSON.parse(readFileSync(known, "utf8")) : {};
  const times = {};
  /** What each test runs of each file. */
  const pieces = {};
  /** How many mutants of each file each test has noticed. */
  const noticed = {};
  const running = new Set();
  const stop = () => {
    for (const { kill } of running) kill();
    process.exit(1);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
  async function work() {
    let trial;
    while (left.length > 0 && Date.now() < end) {
      if (trial === undefined) {
        trial = start(times, pieces);
        running.add(trial);
        if ((await trial.ask(undefined, "ready", START)) === undefined)
          throw new Error("mutants: the tests do not start");
      }
      const mutant = left.shift();
      if (mutant === undefined) break;
      const code = mutatedCode(mutant);
      const { fileName: file, location } = mutant;
      noticed[file] ??= {};
      const ofFile = Object.fromEntries(Object.entries(pieces).map(([test, all]) => [test, all[file]]));
      const question = {
        ...{ file, location, code, patience },
        ...{ times, before, noticed: noticed[file], pieces: ofFile },
      };
      const result = await trial.ask(question, "result");
      if (result !== undefined) {
        if (result.by !== undefined) noticed[file][result.by] = (noticed[file][result.by] ?? 0) + 1;
        tell(mutant, result);
        continue;
      }
      // A test that hangs without a mutant, too, tells nothing: it is left out from now on.
      if (trial.control === undefined) tell(mutant, { status: "hung" });
      else {
        times[trial.control] = -1;
        left.unshift(mutant);
      }
      running.delete(trial);
      trial = undefined;
    }
    trial?.kill();
    running.delete(trial);
  }
  await Promise.all(Array.from({ length: Math.min(workers, left.length) }, work));
  writeFileSync(known, JSON.stringify({ ...before, ...times }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, stop);
}
