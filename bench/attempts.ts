// Attempts from outside this repository: a TypeScript or JavaScript module whose default export is a `GivenAttempt`, or a
// WebAssembly module that exports `memory` and `conv2d`. bench/README.md walks through both.

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { convolutionContenders } from "./convolutions/contenders.ts";
import { distinct } from "./distinct.ts";
import type { Attempt, GivenAttempt } from "./lab/attempt.ts";
import { attemptInWebAssembly } from "./lab/outside.ts";
import { RESULTS } from "./paths.ts";
import { UsageError } from "./usage.ts";

/**
 * Loads attempts by their paths.
 *
 * @throws UsageError where one is none
 */
export async function loadAttempts(paths: readonly string[]): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const [index, path] of paths.entries()) {
    if (!existsSync(path)) throw new UsageError(`--attempt: there is no file ${path}`);
    const name = basename(path);
    try {
      attempts.push(
        path.endsWith(".wasm")
          ? attemptInWebAssembly(name, readFileSync(path))
          : await fromModule(path, name, index),
      );
    } catch (error) {
      // A bundler says first that it failed, and then why.
      const lines = (error as Error).message.split("\n").filter((line) => line.trim() !== "");
      throw new UsageError(`--attempt ${path}: ${lines.slice(0, 2).join(" ")}`);
    }
  }
  const taken = ["typescript", ...convolutionContenders.map(({ name }) => name)];
  const names = distinct([...taken, ...attempts.map(({ name }) => name)]).slice(taken.length);
  return attempts.map((attempt, i) => ({ ...attempt, name: names[i] }));
}

/** Bundles the module with what it imports from beside itself; `@saunet/...` is this workspace's. */
async function fromModule(path: string, name: string, index: number): Promise<Attempt> {
  const { rolldown } = await import("rolldown");
  const folder = join(RESULTS, "local", "attempts");
  mkdirSync(folder, { recursive: true });
  // A module is loaded once a path; another run of this process wants what is written now.
  const file = join(folder, `${name}-${process.pid}-${index}-${Date.now()}.mjs`);
  const bundle = await rolldown({
    input: resolve(path),
    platform: "node",
    external: [/^@saunet\//, /^node:/],
    logLevel: "silent",
  });
  await bundle.write({ file, format: "esm" });
  await bundle.close();
  let given: GivenAttempt | undefined;
  try {
    given = ((await import(pathToFileURL(file).href)) as { default?: GivenAttempt }).default;
  } finally {
    rmSync(file);
  }
  if (typeof given?.prepare !== "function")
    throw new Error('wants a default export with "prepare": see bench/lab/attempt.ts');
  return { number: 0, code: "typescript", serves: () => true, name, ...given };
}
