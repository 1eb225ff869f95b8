// A chapter is a page of Markdown beside a module of the same name, which computes its numbers and draws its figures with
// the engine. Five things are put in when the site is built:
//
//   {{name}}                      a number of the module
//   @figure name: caption         a figure of the module
//   @figure name live part: …     the same, with a live part of packages/web/src/book in its place where the reader asks
//   @cut path name [from … to …]  code, cut from the sources
//   @exercise 3.2                 the words of an exercise, from the docstring of its answer
//   [[term]], [[term|as written]] a word of the glossary
//
// Every name that does not exist is an error. Pieces of TypeScript between ```ts and ``` are run by book.slow.test.ts.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workspace.mjs";
import { cut } from "./cut.ts";
import { exerciseOf } from "./exercise.ts";
import type { Figure } from "./svg.ts";

/** What the module of a chapter exports. */
export interface Facts {
  readonly numbers: Readonly<Record<string, string | number>>;
  readonly figures: Readonly<Record<string, Figure>>;
}

const BOOK = "docs/book";

/** The names of all chapters in reading order: `01-photograph`, … */
export function chapterNames(): string[] {
  return readdirSync(join(root, BOOK))
    .filter((file) => /^\d\d-.*\.md$/.test(file))
    .map((file) => file.slice(0, -".md".length))
    .sort();
}

/** The Markdown of a chapter, before anything is put in. */
export function chapterText(name: string): string {
  return readFileSync(join(root, BOOK, `${name}.md`), "utf8");
}

/** The words of the glossary: each is a heading of its page. */
export function glossaryTerms(): string[] {
  const text = readFileSync(join(root, BOOK, "glossary.md"), "utf8");
  return [...text.matchAll(/^### (.+)$/gm)].map(([, term]) => term);
}

/** The anchor of a heading, as the site gives it. */
export const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");

/** The words of the glossary that a text uses, in order of appearance. */
export function termsIn(text: string): string[] {
  return [...text.matchAll(/\[\[([^\]|]+)(?:\|[^\]]+)?\]\]/g)].map(([, term]) => term);
}

/** The glossary with, for each word, links to the chapters that use it: the index. */
export function withIndex(
  glossary: string,
  chapters: readonly { readonly name: string; readonly terms: readonly string[] }[],
): string {
  return glossary
    .split(/^(?=### )/m)
    .map((part) => {
      const term = /^### (.+)$/m.exec(part)?.[1];
      if (term === undefined) return part;
      const links = chapters
        .filter(({ terms }) => terms.includes(term))
        .map(({ name }) => `[${Number(name.slice(0, 2))}](${name}.md)`);
      return `${part.trimEnd()}\n\nChapter ${links.join(", ")}.\n\n`;
    })
    .join("");
}

const FIGURE = /^@figure (\S+?)(?: live (\w+))?: (.+(?:\n(?!\n).+)*)/gm;

/** The live parts that a text asks for. */
export function livePartsIn(text: string): string[] {
  return [...text.matchAll(FIGURE)].flatMap(([, , part]) => part ?? []);
}

const CUT = /^@cut (\S+) (\S+)(?: from "([^"]+)" to "([^"]+)")?$/gm;

/** Where a text has code cut from: path and name of each piece. */
export function cutsIn(text: string): { path: string; name: string }[] {
  return [...text.matchAll(CUT)].map(([, path, name]) => ({ path, name }));
}

/**
 * Puts numbers, figures, code, exercises and links to the glossary into the text of a chapter.
 *
 * @throws Error on a number, figure, piece of code, exercise or word that does not exist
 */
export function expand(name: string, text: string, facts: Facts, terms: ReadonlySet<string>): string {
  const fail = (what: string): never => {
    throw new Error(`${name}.md: there is no ${what}`);
  };
  return text
    .replace(/\{\{([\w.]+)\}\}/g, (_, number: string) =>
      String(facts.numbers[number] ?? fail(`number ${number}`)),
    )
    .replace(FIGURE, (_, id: string, part: string | undefined, caption: string) => {
      const { svg } = facts.figures[id] ?? fail(`figure ${id}`);
      const live = part === undefined ? "" : ` data-live="${part}"`;
      return `<figure id="${id}"${live}>\n${svg}\n<figcaption>\n\n${caption}\n\n</figcaption>\n</figure>`;
    })
    .replace(CUT, (_, path: string, id: string, from?: string, to?: string) => {
      const part = from === undefined || to === undefined ? undefined : { from, to };
      const { code, line } = cut(path, id, part);
      return `\`\`\`ts\n${code}\n\`\`\`\n\n<p class="from">from <a href="../../${path}">${path}</a>, line ${line}</p>`;
    })
    .replace(/^@exercise (\S+)$/gm, (_, id: string) => {
      const { words, signature } = exerciseOf(id);
      return `<div class="exercise">\n\n**Exercise ${id}.** ${words}\n\n\`\`\`ts\n${signature}\n\`\`\`\n\n\`npm run exercise -- ${id}\`\n\n</div>`;
    })
    .replace(/\[\[([^\]|]+)(?:\|([^\]]+))?\]\]/g, (_, term: string, written: string = term) => {
      if (!terms.has(term)) fail(`word "${term}" in the glossary`);
      return `<a class="term" href="glossary.md#${slug(term)}">${written}</a>`;
    });
}

/** One program of a chapter: pieces up to the next one that imports. */
export interface Piece {
  readonly line: number;
  readonly code: string;
}

/** The pieces of TypeScript of a text; one that begins with an import begins a program. */
export function programsIn(text: string): Piece[][] {
  const programs: Piece[][] = [];
  for (const match of text.matchAll(/^```ts\n(.*?)^```$/gms)) {
    const piece = { line: text.slice(0, match.index).split("\n").length, code: match[1].trimEnd() };
    if (/^import /.test(piece.code) || programs.length === 0) programs.push([piece]);
    else programs.at(-1)!.push(piece);
  }
  return programs;
}
