// Code that the book shows is cut from the sources by name, so it is always the code that runs. A name that no longer
// exists is an error.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";
import { root } from "../workspace.mjs";

/** A piece of a source file. */
export interface Cut {
  readonly code: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

interface Declaration extends Piece {
  readonly type: string;
  readonly id?: { readonly name?: string } | null;
  readonly declaration?: Declaration | null;
  readonly declarations?: readonly Declaration[];
}

/** The name for the comment that a file begins with. */
const HEADER = "header";

/**
 * Cuts a declaration out of a source file, without its docstring.
 *
 * @param path from the root of the repository
 * @param name of a declaration at the top level, or `header` for the comment that the file begins with
 * @param part words that the wanted lines contain, where only a part is shown: `from` the first line with the one up to
 *   the next line with the other
 * @throws Error where the file or the name is missing
 */
export function cut(path: string, name: string, part?: { readonly from: string; readonly to: string }): Cut {
  let text: string;
  try {
    text = readFileSync(join(root, path), "utf8");
  } catch {
    throw new Error(`cut: there is no file ${path}`);
  }
  const whole = name === HEADER ? headerOf(path, text) : declarationOf(path, text, name);
  return part === undefined ? whole : partOf(whole, `${path} ${name}`, part);
}

function headerOf(path: string, text: string): Cut {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  if (end < 1) throw new Error(`cut: ${path} does not begin with a comment`);
  return { code: lines.slice(0, end).join("\n"), line: 1 };
}

function declarationOf(path: string, text: string, name: string): Cut {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`cut: ${path} does not parse: ${errors[0].message}`);
  const found = (program.body as unknown as readonly Declaration[]).find((statement) =>
    namesOf(statement).includes(name),
  );
  if (found === undefined) throw new Error(`cut: ${path} declares no ${name}`);
  return { code: text.slice(found.start, found.end), line: lineOf(text, found.start) };
}

function namesOf(statement: Declaration): string[] {
  const declaration = statement.declaration ?? statement;
  const named = declaration.declarations ?? [declaration];
  return named.flatMap(({ id }) => id?.name ?? []);
}

function partOf({ code, line }: Cut, where: string, { from, to }: { from: string; to: string }): Cut {
  const lines = code.split("\n");
  const first = lines.findIndex((each) => each.includes(from));
  const last = lines.findIndex((each, i) => i >= first && each.includes(to));
  if (first < 0 || last < 0) throw new Error(`cut: ${where} has no lines from "${from}" to "${to}"`);
  const chosen = lines.slice(first, last + 1);
  const indent = Math.min(...chosen.filter((each) => each !== "").map((each) => each.search(/\S/)));
  return { code: chosen.map((each) => each.slice(indent)).join("\n"), line: line + first };
}

const lineOf = (text: string, at: number): number => text.slice(0, at).split("\n").length;
