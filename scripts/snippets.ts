// Code in docstrings and documents, run and compared with what it says that it prints, and checked by the compiler.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { expect } from "vitest";
import { root, run } from "./workspace.mjs";

/** What a snippet with this title is called in a folder of its own. */
export const fileNameOf = (title: string): string => `${title.replace(/[^a-z0-9]+/gi, "-")}.ts`;

/** The text of a module. */
const moduleOf = (code: string): string => `${code}\nexport {};\n`;

/** Runs the lines of a program, and expects that each `console.log(…); // words` printed these words. */
export async function expectOutput(
  file: string,
  lines: readonly string[],
  prepare = (code: string): string => code,
): Promise<void> {
  const calls = lines.map((line, i) => line.replaceAll("console.log(", `globalThis.logOfSnippet(${i}, `));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, moduleOf(prepare(calls.join("\n"))));
  const output = lines.map((): string[] => []);
  Object.assign(globalThis, {
    logOfSnippet: (i: number, ...values: unknown[]) => output[i].push(format(...values)),
  });
  await import(/* @vite-ignore */ pathToFileURL(file).href);
  lines.forEach((line, i) => {
    const wanted = /console\.log\(.*\);(?: \})? \/\/ (.*)$/.exec(line)?.[1];
    if (wanted !== undefined) expect(output[i].join(", ")).toBe(wanted);
  });
}

/** Writes programs into a folder and expects that the compiler accepts them. */
export function expectTypes(
  folder: string,
  programs: readonly { readonly title: string; readonly code: string }[],
  options: object = {},
): void {
  mkdirSync(folder, { recursive: true });
  for (const { title, code } of programs) writeFileSync(join(folder, fileNameOf(title)), moduleOf(code));
  const compilerOptions = {
    ...{ composite: false, declaration: false, declarationMap: false, noEmit: true },
    ...{ lib: ["es2023", "dom"], types: ["node"] },
    ...options,
  };
  const base = relative(folder, join(root, "tsconfig.base.json"));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: base, compilerOptions, include: ["*.ts"] }),
  );
  expect(run(join(root, "node_modules/.bin/tsc"), ["-p", folder], { quiet: true })).toBe(0);
}
