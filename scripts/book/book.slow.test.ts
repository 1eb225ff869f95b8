// The book says what is so: what it names exists, its snippets print what they say, and each of its exercises is solved by
// its answer and not by the file that a reader begins with.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectOutput, expectTypes, fileNameOf } from "../snippets.ts";
import { root } from "../workspace.mjs";
import {
  chapterNames,
  chapterText,
  expand,
  type Facts,
  glossaryTerms,
  livePartsIn,
  type Piece,
  programsIn,
  termsIn,
  withIndex,
} from "./chapter.ts";
import { cut } from "./cut.ts";
import { checkExercise, exerciseIds, exerciseOf } from "./exercise.ts";

const scratch = join(root, "scripts", ".book");
const terms = new Set(glossaryTerms());
const nothing: Facts = { numbers: {}, figures: {} };

beforeAll(() => mkdirSync(scratch, { recursive: true }));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const chapters = chapterNames().map((name) => ({ name, text: chapterText(name) }));
const programs = chapters.flatMap(({ name, text }) =>
  programsIn(text).map((pieces) => ({ title: `${name}.md:${pieces[0].line}`, pieces })),
);
const linesOf = (pieces: readonly Piece[]): string[] => pieces.flatMap(({ code }) => code.split("\n"));

describe("the chapters", () => {
  it.each(chapters)(
    "$name: every number, figure, piece of code, exercise and word exists",
    async ({ name, text }) => {
      const facts = (await import(join(root, "docs/book", `${name}.ts`))) as Facts;
      const expanded = expand(name, text, facts, terms);
      expect(expanded).not.toMatch(/^@\w|\{\{/m);
      for (const [id, { svg, title, description }] of Object.entries(facts.figures)) {
        expect(text, `figure ${id} is shown`).toMatch(new RegExp(`^@figure ${id}(?: live \\w+)?: `, "m"));
        expect(svg.replace(/base64,[^"]*/g, "")).not.toMatch(/NaN|undefined|\n/);
        expect(
          title.length > 5 && description.length > 20,
          `${id} has words for those who do not see it`,
        ).toBe(true);
        for (const [, size] of svg.matchAll(/font-size="([\d.]+)"/g))
          expect(Number(size)).toBeGreaterThanOrEqual(10);
      }
      for (const number of Object.keys(facts.numbers))
        expect(text, `number ${number} is used`).toContain(`{{${number}}}`);
    },
  );

  it("use every word of the glossary, whose order is the alphabet's", () => {
    const used = new Set(chapters.flatMap(({ text }) => termsIn(text)));
    expect([...terms].filter((term) => !used.has(term))).toEqual([]);
    expect([...terms]).toEqual([...terms].sort((a, b) => a.localeCompare(b)));
  });

  it("are indexed by the glossary: each word leads to the chapters that use it", () => {
    const glossary = "# Glossary\n\n### adjoint\nIts words.\n\n### batch\nMore.\n";
    const indexed = withIndex(glossary, [
      { name: "05-adjoint", terms: ["adjoint"] },
      { name: "09-learning", terms: ["batch", "adjoint"] },
    ]);
    expect(indexed).toContain("Its words.\n\nChapter [5](05-adjoint.md), [9](09-learning.md).\n");
    expect(indexed).toContain("More.\n\nChapter [9](09-learning.md).\n");
  });

  it("have the live parts that there are", () => {
    const source = readFileSync(join(root, "packages/web/src/book/islands.tsx"), "utf8");
    const parts = [...source.matchAll(/^ {2}(\w+): async \(\) =>/gm)].map(([, part]) => part);
    expect(chapters.flatMap(({ text }) => livePartsIn(text)).sort()).toEqual(parts.sort());
  });

  it.each(programs)("$title prints what it says", ({ title, pieces }) =>
    expectOutput(join(scratch, fileNameOf(title)), linesOf(pieces)),
  );

  it("have snippets of the right types", () => {
    const codes = programs.map(({ title, pieces }) => ({ title, code: linesOf(pieces).join("\n") }));
    expectTypes(join(scratch, "types"), codes);
  });
});

describe("the exercises", () => {
  it("each stand in their chapter", () => {
    const shown = chapters.flatMap(({ text }) =>
      [...text.matchAll(/^@exercise (\S+)$/gm)].map(([, id]) => id),
    );
    expect(shown).toEqual(exerciseIds());
    const checks = readdirSync(join(root, "docs/book/exercises")).filter((file) =>
      file.endsWith(".check.ts"),
    );
    expect(checks).toHaveLength(shown.length);
  });

  it.each(exerciseIds())("%s is solved by its answer", async (id) => {
    const answer = await import(join(root, "docs/book/exercises", `${id}.ts`));
    expect(await checkExercise(id, answer)).toBeUndefined();
  });

  it.each(exerciseIds())("%s is not solved by what a reader begins with", async (id) => {
    const file = join(scratch, `start-${id}.ts`);
    writeFileSync(file, exerciseOf(id).start.replaceAll("../../../", "../../"));
    const fault = await checkExercise(id, await import(/* @vite-ignore */ pathToFileURL(file).href));
    expect(fault).toContain(`Exercise ${id}`);
  });
});

describe("what does not exist fails the build", () => {
  const with1 = (text: string) => () => expand("x", text, nothing, terms);

  it.each([
    ["a number", "{{nowhere}}", /no number nowhere/],
    ["a figure", "@figure nowhere: caption", /no figure nowhere/],
    ["an exercise", "@exercise 99.9", /no 99\.9/],
    ["a word", "[[nowhere]]", /no word "nowhere"/],
    ["a name in a source", "@cut packages/core/src/plan.ts nowhere", /declares no nowhere/],
    ["a source", "@cut packages/core/src/nowhere.ts header", /no file packages/],
  ])("%s", (_, text, message) => expect(with1(text)).toThrow(message));

  it("cuts a declaration, a part of it, or the comment of a file", () => {
    const path = "packages/core/src/plan.ts";
    expect(cut(path, "overlap").code).toMatch(/^const overlap = .*;$/);
    const whole = readFileSync(join(root, path), "utf8").split("\n");
    const { code, line } = cut(path, "planArena", { from: "const neighbours", to: "sort" });
    expect(code.split("\n")[0]).toBe(whole[line - 1].trim());
    expect(cut(path, "header").code).toMatch(/^\/\/ Where the temporary/);
    expect(() => cut(path, "planArena", { from: "nowhere", to: "sort" })).toThrow(/no lines from/);
  });
});
