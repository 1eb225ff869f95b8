// Which mutants are tried: those of a package, a folder, a file, or of the lines that have changed, all or a sample.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
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

/** The package that a file belongs to. */
export function packageOf(file) {
  const [folder, name] = file.split("/");
  return folder === "packages" ? name : folder;
}

/** Of reads and writes beyond an array alone, for half a minute. */
const KNOWS_NO_MUTANT = "packages/wasm/src/edges.test.ts";

/** Whether a test would hardly notice a mutant that no other one does. */
export const knowsNoMutant = (test) => test === KNOWS_NO_MUTANT;

/** The test files of a package. */
export const testsOf = (name) =>
  git("ls-files", `${name === "bench" ? "" : "packages/"}${name}/**.test.ts`)
    .trim()
    .split("\n");

/** The sources of a package by its name, of a folder, of a file, or all. */
export function sourcesOf(target) {
  const sources = git("ls-files", "packages", "bench").split("\n").filter(isSource);
  if (target === undefined) return sources;
  const path = target.replace(/\/$/, "");
  return sources.filter((file) => packageOf(file) === path || file === path || file.startsWith(`${path}/`));
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
 * @typedef {{ fileName: string, location: { start: Position, end: Position }, replacement: string, mutatorName: string }} Mutant
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
  const { mutants } = await new Instrumenter(silent).instrument(sources, options);
  return mutants.filter((mutant) => !isNameOfLocal(mutant));
}

/** What generated code calls its variables is for debuggers and the assembler's own errors. */
function isNameOfLocal({ fileName, location: { start }, mutatorName }) {
  if (mutatorName !== "StringLiteral") return false;
  const before = linesOf(fileName)[start.line].slice(0, start.column);
  return /\.(local|locals|let|constant)\($/.test(before);
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

/** Mutants that are no expression, or one of a single token: no brackets stand around them. */
const BARE = new Set(["BlockStatement", "StringLiteral", "ConditionalExpression", "OptionalChaining"]);

/** The code of a mutant's file with the mutant in its place. */
export function mutatedCode({ fileName, location: { start, end }, replacement, mutatorName }) {
  const lines = linesOf(fileName);
  const before = [...lines.slice(0, start.line), lines[start.line].slice(0, start.column)].join("\n");
  const after = [lines[end.line].slice(end.column), ...lines.slice(end.line + 1)].join("\n");
  return `${before}${BARE.has(mutatorName) ? replacement : `(${replacement})`}${after}`;
}

/** So many of some things, without replacement, drawn by a seed, in the order of the draw. */
export function draw(things, count, seed) {
  let state = seed >>> 0;
  // Mulberry32: one integer of state, enough to shuffle by.
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const ranked = things.map((thing) => [random(), thing]).sort(([a], [b]) => a - b);
  return ranked.slice(0, count).map(([, thing]) => thing);
}
