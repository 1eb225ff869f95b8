// Two builds, two Nodes or two sets of flags against each other in one run: their processes take turns unit by unit, in the
// opposite order every other time, so that a slow minute of the machine falls on both.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { comparison, exitCode, formatComparison } from "./comparison.ts";
import { inMemory, openJournal } from "./journal.ts";
import { type CommandEntry, type Options, runCommand, settingsOf } from "./options.ts";
import { BENCH } from "./paths.ts";
import { hasFailures, run } from "./run.ts";
import type { BenchName } from "./session.ts";
import { type Arm, HERE } from "./session-process.ts";
import { UsageError } from "./usage.ts";

const ROOT = join(BENCH, "..");
/** Revisions that were built, by their commits. Here no other tool of the project looks at them. */
const BUILDS = join(BENCH, "node_modules", ".cache", "builds");
/** What `ab` says itself, or has no use for. */
const OWN: readonly string[] = ["json", "csv", "out", "resume", "repeat", "browser"];

/** Measures the bench after `--` with both, and compares them; gives the exit code. */
export async function compareInTurns(benches: readonly CommandEntry[], options: Options): Promise<number> {
  const { out, resume, repeat, command, bound } = options;
  if (out !== undefined && !out.includes("%"))
    throw new UsageError("--out: wants a % where a or b goes, as in out-%.json");
  const { bench, settings } = await benchBehind(benches, options.behind);
  if (bench === undefined) return 0;
  const pair = armsOf(options);
  const arms = pair.map((arm, i) => {
    const file = out?.replace("%", i === 0 ? "a" : "b");
    const task = { bench, settings, repeat, arm: arm.label };
    return { arm, journal: file === undefined ? inMemory() : openJournal(file, task, resume) };
  });
  const results = await run({ bench, settings, command, repeat, arms });
  if (results.some(({ interrupted }) => interrupted)) return 130;
  arms.forEach(({ journal }, i) => {
    journal.finish(`${JSON.stringify(results[i], undefined, 1)}\n`);
  });
  const found = comparison(results[0], results[1]);
  process.stdout.write(formatComparison(found));
  return results.some((each) => hasFailures(each)) ? 1 : exitCode(found, bound);
}

/** Reads the command line of what is measured; no bench where it asked for help. */
async function benchBehind(benches: readonly CommandEntry[], words: readonly string[]) {
  if (words.length === 0) throw new UsageError("ab: wants a bench behind --, as in -- kernels --quick");
  const found: { bench?: BenchName; typed?: Options } = {};
  const entries = benches.map(
    (entry): CommandEntry => ({
      ...entry,
      options: entry.options.filter((name) => !OWN.includes(name)),
      run: async (typed) => {
        Object.assign(found, { bench: entry.name, typed });
        return 0;
      },
    }),
  );
  await runCommand(entries, words);
  return { bench: found.bench, settings: settingsOf(found.typed ?? ({} as Options)) };
}

/**
 * The two that are compared: of one revision and this build the revision is the first.
 *
 * @throws UsageError where nothing was said that could differ, or a revision or a Node cannot be had
 */
function armsOf({ operands, nodeA, nodeB, flagsA = [], flagsB = [] }: Options): readonly [Arm, Arm] {
  if (operands.length > 2) throw new UsageError("ab: wants two revisions at most");
  const given = [...operands, nodeA, nodeB, ...flagsA, ...flagsB];
  if (given.every((each) => each === undefined))
    throw new UsageError("ab: wants a revision or two, or --node-b, or --flags-b");
  const arm = (revision: string | undefined, node: string | undefined, flags: readonly string[]): Arm => {
    const program = node === undefined ? HERE.node : nodeOf(node);
    const build = revision === undefined ? { label: HERE.label, main: HERE.main } : buildOf(revision);
    return {
      label: [build.label, program, ...flags].join(" "),
      node: program,
      flags: [...HERE.flags, ...flags],
      main: build.main,
    };
  };
  return [arm(operands[0], nodeA, flagsA), arm(operands[1], nodeB, flagsB)];
}

/** A program of Node by its path, or by a version, which npm brings. */
function nodeOf(text: string): string {
  try {
    if (existsSync(text)) {
      execFileSync(resolve(text), ["--version"], { stdio: "ignore" });
      return resolve(text);
    }
    if (!/^\d+(\.\d+){0,2}$/.test(text))
      throw new Error("is neither a path nor a version such as 22 or 22.11.0");
    const show = ["--package", `node@${text}`, "--", "node", "-p", "process.execPath"];
    return answer("npm", ["exec", "--yes", ...show]);
  } catch (error) {
    throw new UsageError(`ab: no Node "${text}": ${(error as Error).message.split("\n")[0]}`);
  }
}

/** Builds a revision, once, in a clone of its own. */
function buildOf(revision: string): Pick<Arm, "label" | "main"> {
  const commit = commitOf(revision);
  const folder = join(BUILDS, commit.slice(0, 12));
  const main = join(folder, "bench", "dist", "main.js");
  if (!existsSync(main)) {
    process.stderr.write(`bench: building ${revision} in ${folder} (once)\n`);
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(dirname(unfinished), { recursive: true });
    try {
      work("git", ["clone", "--quiet", "--shared", "--no-checkout", ROOT, unfinished], ROOT);
      work("git", ["checkout", "--quiet", "--detach", commit], unfinished);
      if (!existsSync(join(unfinished, "bench", "session-worker.ts")))
        throw new Error("its bench is older than ab, and cannot take turns");
      const { packageManager } = JSON.parse(readFileSync(join(unfinished, "package.json"), "utf8"));
      work("npx", ["--yes", packageManager, "install", "--frozen-lockfile", "--prefer-offline"], unfinished);
      // Revisions before this script bundled nothing.
      const build = existsSync(join(unfinished, "scripts", "build.mjs"))
        ? [join("scripts", "build.mjs")]
        : [join("node_modules", "typescript", "bin", "tsc"), "-b"];
      work(process.execPath, [...build, "bench"], unfinished);
      renameSync(unfinished, folder);
    } catch (error) {
      throw new UsageError(`ab: cannot build ${revision}: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  return { label: commit, main };
}

function commitOf(revision: string): string {
  try {
    return answer("git", ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]);
  } catch {
    throw new UsageError(`ab: there is no revision "${revision}"`);
  }
}

/** What a program prints. */
const answer = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** Runs a program; stdout belongs to the results. */
const work = (program: string, args: readonly string[], cwd: string): void =>
  void execFileSync(program, args, { cwd, stdio: ["ignore", 2, 2] });
