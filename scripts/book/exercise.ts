// Exercises of the book. docs/book/exercises/3.2.ts is the answer, one exported function whose docstring is the task;
// 3.2.check.ts beside it says whether a function of that name does what is asked. What the reader starts from is the
// answer without its body.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workspace.mjs";

const FOLDER = join(root, "docs/book/exercises");

/** An exercise, read from its answer. */
export interface Exercise {
  readonly id: string;
  /** The name of the function. */
  readonly name: string;
  /** The task, in Markdown. */
  readonly words: string;
  /** The function's first lines, up to its body. */
  readonly signature: string;
  /** The file that a reader begins with. */
  readonly start: string;
}

/** The numbers of all exercises, in order. */
export function exerciseIds(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => /^\d+\.\d+\.ts$/.test(file))
    .map((file) => file.slice(0, -".ts".length))
    .sort((a, b) => Number(a.split(".")[0]) - Number(b.split(".")[0]) || a.localeCompare(b));
}

/** @throws Error where there is no such exercise */
export function exerciseOf(id: string): Exercise {
  const path = join(FOLDER, `${id}.ts`);
  if (!existsSync(path))
    throw new Error(`exercise: there is no ${id}; there are ${exerciseIds().join(", ")}`);
  const text = readFileSync(path, "utf8");
  const match =
    /^((?:import [^;]+;\n)*)\n?(\/\*\*\n(?: \*.*\n)+? \*\/)\n(export function (\w+)[\s\S]*? )\{\n[\s\S]*?^\}/m.exec(
      text,
    );
  if (match === null)
    throw new Error(`exercise: ${id}.ts must be imports, a docstring and an exported function`);
  const [, imports, docstring, signature, name] = match;
  const words = docstring
    .split("\n")
    .slice(1, -1)
    .map((line) => line.replace(/^ \* ?/, ""))
    .join("\n");
  const body = `{\n  throw new Error("Exercise ${id}: ${name} is not written yet");\n}\n`;
  const start = [imports, docstring + "\n" + signature + body].filter((part) => part !== "").join("\n");
  return { id, name, words, signature: signature.trimEnd(), start };
}

/**
 * Whether a module does what an exercise asks.
 *
 * @returns what is wrong, or undefined where all is right
 */
export async function checkExercise(
  id: string,
  module: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  const { name } = exerciseOf(id);
  const answer = module[name];
  if (typeof answer !== "function") return `the file must export the function ${name}`;
  const { check } = (await import(/* @vite-ignore */ join(FOLDER, `${id}.check.ts`))) as {
    check: (answer: never) => void | Promise<void>;
  };
  try {
    await check(answer as never);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
