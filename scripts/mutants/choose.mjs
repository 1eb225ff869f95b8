// Which mutants are tried: those of a package, a folder, a file, or of the lines that have changed, all or a sample.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Instrumenter } from "@stryker-mutator/instrumenter";
import { root } from "../workspace.mjs";

const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 });

/** What only browsers run: components, workers and hosts. Tests in a browser reach them, and know of no mutant. */
const ONLY_BROWSERS =
  /^packages\/web\/src\/(.*\.tsx|.*\.worker\.ts|(service-worker|host)\.ts)$|\/host\/web\.ts$|^bench\/(page|browser)\//;
/**
 * What runs in threads and processes of its own: where the command begins and its maker of batches; of the bench, contenders,
 * most of them of packages that are not installed, and what measures.
 */
const ONLY_PROCESSES =
  /^packages\/cli\/src\/(main|batch-worker)\.ts$|^bench\/(contenders\/.*|session-(process|worker)|main)\.ts$/;

const isSource = (file) =>
  /^(packages\/[^/]+\/src|bench)\/.*\.tsx?$/.test(file) &&
  !/\.test\.ts$|\.d\.ts$|\/testing[^/]*(\/|\.ts$)/.test(file) &&
  !ONLY_BROWSERS.test(file) &&
  !ONLY_PROCESSES.test(file);

/** Tests of a package that lie elsewhere. */
const MORE_TESTS = { data: ["scripts/picture-types.test.ts"] };

/** The package that a source belongs to, and its tests. */
export function packageOf(file) {
  const [folder, name] = file.split("/");
  if (folder === "bench") return { name: "bench", tests: "bench/**/*.test.ts" };
  return { name, tests: [`packages/${name}/src/**/*.test.ts`, ...(MORE_TESTS[name] ?? [])].join(",") };
}

/** Tests of wasm that take half a minute and more; the tests of each folder notice what these would. */
const SLOW = /^(concurrency|edges|parity|program|random-programs|sweep)\.test\.ts$/;

/**
 * What one run of Stryker tries, and by which tests: a package by all of its tests. Those of wasm take minutes, and most of them
 * reach everything, so each of its folders is tried by the fast tests in that folder.
 */
export function partOf(file) {
  const whole = packageOf(file);
  if (whole.name !== "wasm") return whole;
  const folder = dirname(file);
  const tests = readdirSync(join(root, folder)).filter(
    (name) => /\.test\.ts$/.test(name) && !SLOW.test(name),
  );
  return {
    name: folder.replace("packages/wasm/src", "wasm"),
    tests: tests.map((name) => `${folder}/${name}`).join(","),
  };
}

/** The sources of a package by its name, of a folder, of a file, or all. */
export function sourcesOf(target) {
  const sources = git("ls-files", "packages", "bench").split("\n").filter(isSource);
  if (target === undefined) return sources;
  const path = target.replace(/\/$/, "");
  return sources.filter(
    (file) => packageOf(file).name === path || file === path || file.startsWith(`${path}/`),
  );
}

/** The numbers of the lines that differ from a revision, by file. */
export function changedLines(revision) {
  const lines = new Map();
  let current;
  for (const line of git("diff", "--unified=0", "--no-renames", revision, "--", "*.ts", "*.tsx").split(
    "\n",
  )) {
    const file = /^\+\+\+ b\/(.*)$/.exec(line)?.[1];
    if (file !== undefined) {
      current = new Set();
      lines.set(file, current);
    }
    const [, start, count = "1"] = /^@@ \S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
    for (let at = 0; start !== undefined && at < Number(count); at++) current.add(Number(start) + at);
  }
  return lines;
}

/**
 * All mutants of some files, as Stryker describes them: lines and columns from 0.
 *
 * @typedef {{ line: number, column: number }} Position
 * @typedef {{ fileName: string, location: { start: Position, end: Position }, replacement: string }} Mutant
 * @param {readonly string[]} files
 * @returns {Promise<readonly Mutant[]>}
 */
export async function findMutants(files) {
  const silent = { debug() {}, info() {}, warn() {}, isDebugEnabled: () => false };
  const sources = files.map((name) => ({
    name,
    mutate: true,
    content: readFileSync(join(root, name), "utf8"),
  }));
  const options = { ignorers: [], excludedMutations: [], noHeader: false, plugins: null };
  return (await new Instrumenter(silent).instrument(sources, options)).mutants;
}

const linesOf = (file) => readFileSync(join(root, file), "utf8").split("\n");

/** The line that a mutant begins on. */
export const lineOf = (file, { start }) => linesOf(file)[start.line].trim();

/** The code that a mutant replaces. */
export function textOf(file, { start, end }) {
  const some = linesOf(file).slice(start.line, end.line + 1);
  some[some.length - 1] = some.at(-1).slice(0, end.column);
  some[0] = some[0].slice(start.column);
  return some.join("\n");
}

/** So many of some things, without replacement, drawn by a seed, in their order. */
export function draw(things, count, seed) {
  if (count >= things.length) return things;
  let state = seed >>> 0;
  // Mulberry32: one integer of state, enough to shuffle by.
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const ranks = things.map((_, at) => [random(), at]).sort(([a], [b]) => a - b);
  const drawn = ranks.slice(0, count).map(([, at]) => at);
  return drawn.sort((a, b) => a - b).map((at) => things[at]);
}
