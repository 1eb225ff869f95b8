// Every @example in the packages' docstrings and every piece of TypeScript in their READMEs is run, and what it logs is
// compared with the comment behind the call: `console.log(x); // what it prints`. An example that does not run, or prints
// something else, fails here.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format } from "node:util";
import * as core from "@saunet/core";
import * as coreKernels from "@saunet/core/kernels";
import * as coreTesting from "@saunet/core/testing";
import * as data from "@saunet/data";
import * as interop from "@saunet/interop";
import * as model from "@saunet/model";
import * as wasm from "@saunet/wasm";
import * as asm from "@saunet/wasm/asm";
import { afterAll, describe, expect, it } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = join(root, "scripts", ".examples");
const modules = {
  "@saunet/core": core,
  "@saunet/core/kernels": coreKernels,
  "@saunet/core/testing": coreTesting,
  "@saunet/data": data,
  "@saunet/interop": interop,
  "@saunet/model": model,
  "@saunet/wasm": wasm,
  "@saunet/wasm/asm": asm,
};

interface Example {
  readonly title: string;
  readonly lines: readonly string[];
}

function examplesOf(path: string): Example[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/^ \* @example\n((?: \*.*\n)+?) \*(?:\/| @)/gm)].map((match) => ({
    title: `${relative(root, path)}:${text.slice(0, match.index).split("\n").length}`,
    lines: match[1]
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/^ \* ?/, "")),
  }));
}

/** Pieces of a README, which import what they use: they must run as they are pasted. */
function piecesOf(path: string): Example[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    title: `${relative(root, path)}:${text.slice(0, match.index).split("\n").length}`,
    lines: match[1].trimEnd().split("\n"),
  }));
}

const READMES = ["core", "wasm", "model", "data", "interop"].map((name) =>
  join(root, "packages", name, "README.md"),
);

const sources = readdirSync(join(root, "packages"), { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter(
    (path) =>
      /packages[\\/](core|data|interop|model|wasm)[\\/]src[\\/]/.test(path) && !/[\\/]files[\\/]/.test(path),
  );

/** An import for every exported name that the code mentions. */
function importsFor(code: string): string {
  return Object.entries(modules)
    .map(([name, exports]) => {
      const used = Object.keys(exports).filter((exported) => new RegExp(`\\b${exported}\\b`).test(code));
      return used.length === 0 ? "" : `import { ${used.join(", ")} } from "${name}";`;
    })
    .join("\n");
}

/** Runs an example and returns, for each of its lines, what was logged there. */
async function logged({ title, lines }: Example): Promise<string[][]> {
  const file = join(scratch, `${title.replace(/[^a-z0-9]+/gi, "-")}.ts`);
  const calls = lines.map((line, i) => line.replaceAll("console.log(", `globalThis.logExample(${i}, `));
  mkdirSync(scratch, { recursive: true });
  const code = calls.join("\n");
  const imports = /^import /m.test(code) ? "" : importsFor(code);
  writeFileSync(file, `// @ts-nocheck\n${imports}\n${code}\nexport {};\n`);
  const output = lines.map((): string[] => []);
  Object.assign(globalThis, {
    logExample: (i: number, ...values: unknown[]) => output[i].push(format(...values)),
  });
  await import(/* @vite-ignore */ pathToFileURL(file).href);
  return output;
}

async function expectOutput(example: Example): Promise<void> {
  const output = await logged(example);
  example.lines.forEach((line, i) => {
    const wanted = /console\.log\(.*\);(?: \})? \/\/ (.*)$/.exec(line)?.[1];
    if (wanted !== undefined) expect(output[i].join(", ")).toBe(wanted);
  });
}

describe("examples in docstrings", () => {
  const examples = sources.flatMap(examplesOf);
  it("are found", () => expect(examples.length).toBeGreaterThan(20));

  it.each(examples)("$title", expectOutput);
});

describe("READMEs of packages", () => {
  const pieces = READMES.flatMap(piecesOf);
  it("have an example each", () => expect(pieces).toHaveLength(READMES.length));

  it.each(pieces)("$title", expectOutput);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));
