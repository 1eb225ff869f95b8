// `npm run build`: compiles all packages file by file into dist/, as bundlers and editors want them, and bundles into
// dist/node/ what Node imports, since it takes 0.8 ms for each file: from 150 files the engine and the network came in
// 150 ms, from 9 in 50. With a folder, such as `bench`, compiles that and what it needs.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { bin, root } from "./workspace.mjs";

/** The packages whose exports have a condition "node". */
const BUNDLED = ["core", "wasm", "data", "model"];

/** Says that a package's bundles are whole. */
const LAST = "index.js";

const code = bin("tsc", ["--build", ...process.argv.slice(2)]);
if (code !== 0) process.exit(code);
const stale = BUNDLED.filter(isStale);
if (stale.length > 0) {
  const { rolldown } = await import("rolldown");
  await Promise.all(stale.map((name) => bundle(rolldown, name)));
}

/** The entries of a package that Node imports: their files under dist/node/, and their sources. */
function entriesOf(name) {
  const { exports } = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  return Object.values(exports).flatMap(({ node, "@saunet/source": source }) =>
    node === undefined ? [] : [{ file: node.replace("./dist/node/", ""), source }],
  );
}

/** Whether an entry is missing, or what it is made of is newer than index.js, which is written last. */
function isStale(name) {
  const folder = join(root, "packages", name);
  const made = entriesOf(name).map(({ file }) => join(folder, "dist/node", file));
  if (!made.every((path) => existsSync(path))) return true;
  const { mtimeMs } = statSync(join(folder, "dist/node", LAST));
  const files = readdirSync(join(folder, "src"), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
  return [...files, join(folder, "package.json"), import.meta.filename].some(
    (path) => statSync(path).mtimeMs > mtimeMs,
  );
}

/** Bundles a package's entries, which share what they have in common; other packages stay outside. */
async function bundle(rolldown, name) {
  const folder = join(root, "packages", name);
  const dir = join(folder, "dist/node");
  const bundled = await rolldown({
    input: Object.fromEntries(
      entriesOf(name).map(({ file, source }) => [file.replace(/\.js$/, ""), join(folder, source)]),
    ),
    external: /^(node:|@?[a-z])/,
    platform: "node",
    resolve: { conditionNames: ["@saunet/source", "node"] },
  });
  const { output } = await bundled.generate({
    dir,
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
  });
  const files = output.toSorted((a, b) => (a.fileName === LAST) - (b.fileName === LAST));
  for (const file of files) put(join(dir, file.fileName), file.code ?? file.source);
  const kept = new Set(files.map(({ fileName }) => join(dir, fileName)));
  for (const file of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    // Not what another build is writing.
    if (file.isFile() && /\.(js|map)$/.test(path) && !kept.has(path)) rmSync(path, { force: true });
  }
}

/** Writes a file in one step: another process may be about to import it. */
function put(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, path);
}
