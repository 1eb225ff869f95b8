// Every @example in the packages' docstrings and every piece of TypeScript in their READMEs is type-checked and run, and
// what it logs is compared with the comment behind the call: `console.log(x); // what it prints`. An example that does not
// run, or prints something else, fails here.

import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join, relative } from "node:path";
import * as core from "@saunet/core";
import * as coreKernels from "@saunet/core/kernels";
import * as coreTesting from "@saunet/core/testing";
import * as data from "@saunet/data";
import * as dataDicom from "@saunet/data/dicom";
import * as dataFiles from "@saunet/data/files";
import * as dataMeasure from "@saunet/data/measure";
import * as interop from "@saunet/interop";
import * as model from "@saunet/model";
import * as wasm from "@saunet/wasm";
import * as asm from "@saunet/wasm/asm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectOutput, expectTypes, fileNameOf } from "./snippets.ts";
import { root } from "./workspace.mjs";

const scratch = join(root, "scripts", ".examples");
/** Examples run there: what they write stays there, and they find the fixtures. */
const folder = join(scratch, "files");
const modules = {
  "@saunet/core": core,
  "@saunet/core/kernels": coreKernels,
  "@saunet/core/testing": coreTesting,
  "@saunet/data": data,
  "@saunet/data/dicom": dataDicom,
  "@saunet/data/files": dataFiles,
  "@saunet/data/measure": dataMeasure,
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
/** Its two pieces: the segmenter, and the engine alone. */
const FRONT = join(root, "README.md");

const sources = readdirSync(join(root, "packages"), { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => /packages[\\/](core|data|interop|model|wasm)[\\/](src|weights)[\\/]/.test(path));

const declares = (code: string, name: string) =>
  new RegExp(`\\b(const|let|function) (\\{[^}]*\\b)?(\\[[^\\]]*\\b)?${name}\\b`).test(code);

/** Types that examples name, and where they come from. */
const TYPES: Readonly<Record<string, string>> = {
  Program: "@saunet/core",
  Floats: "@saunet/core/kernels",
  KernelCall: "@saunet/core/kernels",
  StepTiming: "@saunet/wasm",
};

/** An import for every exported name that the code mentions, from the first module that has it. */
function importsFor(code: string): string {
  const known = new Set<string>();
  const mentions = (name: string) =>
    new RegExp(`(?<![\\w"]|[^.]\\.)${name}\\b(?!:)`).test(code) && !declares(code, name) && !known.has(name);
  const values = Object.entries(modules).map(([module, exports]) => {
    const used = Object.keys(exports).filter(mentions);
    for (const name of used) known.add(name);
    return used.length === 0 ? "" : `import { ${used.join(", ")} } from "${module}";\n`;
  });
  const types = Object.entries(TYPES).map(([name, module]) =>
    mentions(name) ? `import type { ${name} } from "${module}";\n` : "",
  );
  return [...values, ...types].join("");
}

const withImports = (code: string) => (/^import /m.test(code) ? code : `${importsFor(code)}${code}`);

const expectExample = ({ title, lines }: Example): Promise<void> =>
  expectOutput(join(scratch, fileNameOf(title)), lines, withImports);

const examples = sources.flatMap(examplesOf);
const pieces = [FRONT, ...READMES].flatMap(piecesOf);

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(root, "fixtures"), join(folder, "fixtures"), "junction");
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(root);
  rmSync(scratch, { recursive: true, force: true });
});

describe("examples in docstrings", () => {
  it("are found", () => expect(examples.length).toBeGreaterThan(200));

  it.each(examples)("$title", expectExample);
});

describe("READMEs", () => {
  it("have an example each, the front page two", () => expect(pieces).toHaveLength(READMES.length + 2));

  it.each(pieces)("$title", expectExample);
});

it("all examples have the right types", () => {
  const programs = [...examples, ...pieces].map(({ title, lines }) => ({
    title,
    code: withImports(lines.join("\n")),
  }));
  expectTypes(join(scratch, "types"), programs, {
    allowJs: true,
    checkJs: false,
    noUnusedLocals: false,
    // Examples show an error's message in one line.
    useUnknownInCatchVariables: false,
  });
});
