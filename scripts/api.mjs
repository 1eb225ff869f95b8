// The public API of every package, read from its compiled declarations: each name with its signature, and whether it
// has a docstring and an example. `npm run api` writes the snapshots in scripts/api/, which api.test.ts compares.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";
import { build, root } from "./workspace.mjs";

export const SNAPSHOTS = join(root, "scripts/api");

/** The packages that are published as libraries; the command has no API. */
const LIBRARIES = ["core", "wasm", "data", "model", "interop"];

/**
 * @typedef {object} PublicName
 * @property {string} name
 * @property {"function" | "class" | "const" | "type"} kind
 * @property {string} signature the declaration without comments, on one line
 * @property {string} doc the docstring, empty where there is none
 * @property {string} file the declaration's file
 */

/** Everything that the manifests export: `@saunet/core/kernels` → the declarations it points to. */
export function entryPoints() {
  return LIBRARIES.flatMap((folder) => {
    const packageRoot = join(root, "packages", folder);
    const { name, exports } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
    return Object.entries(exports).flatMap(([path, { types }]) =>
      types === undefined ? [] : [{ entry: join(name, path), declarations: join(packageRoot, types) }],
    );
  });
}

const KINDS = {
  TSDeclareFunction: "function",
  FunctionDeclaration: "function",
  ClassDeclaration: "class",
  TSInterfaceDeclaration: "type",
  TSTypeAliasDeclaration: "type",
};

/** @type {Map<string, { text: string, body: object[], comments: object[] }>} */
const parsed = new Map();

function parse(file) {
  if (!parsed.has(file)) {
    const text = readFileSync(file, "utf8");
    const { program, comments, errors } = parseSync(file, text);
    if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
    parsed.set(file, { text, body: program.body, comments });
  }
  return parsed.get(file);
}

/** A piece of a file without its comments, on one line. */
function signatureOf({ text, comments }, { start, end }) {
  let [code, from] = ["", start];
  for (const comment of comments) {
    if (comment.start < start || comment.end > end) continue;
    code += text.slice(from, comment.start);
    from = comment.end;
  }
  return (code + text.slice(from, end))
    .replace(/\s+/g, " ")
    .replace(/^(export )?(declare )?/, "")
    .replace(/;$/, "");
}

/** The docstring right before a statement. */
function docOf({ text, comments }, { start }) {
  const last = comments.findLast(({ end }) => end <= start);
  const isDoc =
    last?.type === "Block" && last.value.startsWith("*") && text.slice(last.end, start).trim() === "";
  return isDoc ? last.value : "";
}

/** What one statement declares. */
function declared(file, statement) {
  const source = parse(file);
  const declaration = statement.declaration ?? statement;
  const about = { doc: docOf(source, statement), file };
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.map((each) => ({
      name: each.id.name,
      kind: "const",
      signature: `const ${signatureOf(source, each)}`,
      ...about,
    }));
  }
  const kind = KINDS[declaration.type];
  if (kind === undefined) return [];
  return [{ name: declaration.id.name, kind, signature: signatureOf(source, declaration), ...about }];
}

/** The name under which a module keeps what it exports as `name`, found in it or where it has it from. */
function find(file, name) {
  for (const statement of parse(file).body) {
    const specifier = statement.specifiers?.find(({ exported, local }) => (exported ?? local).name === name);
    if (specifier !== undefined) {
      const original = (specifier.imported ?? specifier.local).name;
      if (statement.source) return elsewhere(file, statement.source.value, original);
      if (statement.type === "ExportNamedDeclaration" && original !== name) return find(file, original);
      continue;
    }
    const found = declared(file, statement).filter((each) => each.name === name);
    if (found.length > 0) return found;
  }
  throw new Error(`${file} exports ${name} but declares it nowhere`);
}

function elsewhere(file, from, name) {
  return from.startsWith(".")
    ? find(resolveFrom(file, from), name)
    : [{ name, kind: "type", signature: `type ${name} from ${from}`, doc: "*", file }];
}

const resolveFrom = (file, from) => resolve(dirname(file), from.replace(/\.(ts|js)$/, ".d.ts"));

/**
 * What a module exports, in order of names.
 *
 * @returns {PublicName[]}
 */
export function publicNames(file) {
  const names = parse(file).body.flatMap((statement) => {
    if (statement.type === "ExportAllDeclaration")
      return publicNames(resolveFrom(file, statement.source.value));
    if (statement.type === "ExportDefaultDeclaration")
      return find(file, statement.declaration.name).map((found) => ({ ...found, name: "default" }));
    if (statement.type !== "ExportNamedDeclaration") return [];
    if (statement.declaration) return declared(file, statement);
    return statement.specifiers.flatMap(({ local, exported }) =>
      (statement.source ? elsewhere(file, statement.source.value, local.name) : find(file, local.name)).map(
        (found) => ({
          ...found,
          name: exported.name,
        }),
      ),
    );
  });
  return names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The snapshot of one entry: a line per name. */
export const snapshotOf = (names) => `${names.map(({ signature }) => signature).join("\n")}\n`;

/** Where the snapshot of an entry is kept. */
export const snapshotFile = (entry) =>
  join(SNAPSHOTS, `${entry.replace("@saunet/", "").replaceAll("/", "-")}.txt`);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  build();
  mkdirSync(SNAPSHOTS, { recursive: true });
  for (const { entry, declarations } of entryPoints()) {
    const names = publicNames(declarations);
    writeFileSync(snapshotFile(entry), snapshotOf(names));
    console.log(`${entry}: ${names.length} names`);
  }
}
