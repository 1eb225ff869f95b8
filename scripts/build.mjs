// `npm run build`: compiles all packages file by file into dist/, as bundlers and editors want them, and bundles into
// dist/node/ what Node imports, since it takes 0.8 ms for each file: from 150 files the engine and the network came in
// 150 ms, from 9 in 30. With a folder, such as `bench`, compiles that and what it needs.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { bin, root } from "./workspace.mjs";

/** The packages whose exports have a condition "node". */
const BUNDLED = ["core", "wasm", "data", "model"];

const code = bin("tsc", ["--build", ...process.argv.slice(2)]);
if (code !== 0) process.exit(code);
const stale = BUNDLED.filter(isStale);
if (stale.length > 0) {
  const { rolldown } = await import("rolldown");
  await Promise.all(stale.map((name) => bundle(rolldown, name)));
}

/** Whether a source is newer than the bundle. */
function isStale(name) {
  const folder = join(root, "packages", name);
  const made = join(folder, "dist/node/index.js");
  if (!existsSync(made)) return true;
  const { mtimeMs } = statSync(made);
  const files = readdirSync(join(folder, "src"), { recursive: true, withFileTypes: true });
  return files.some((file) => file.isFile() && statSync(join(file.parentPath, file.name)).mtimeMs > mtimeMs);
}

/** Bundles a package's entries, which share what they have in common; other packages stay outside. */
async function bundle(rolldown, name) {
  const folder = join(root, "packages", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entries = Object.values(exports).filter(({ node }) => node !== undefined);
  const bundled = await rolldown({
    input: Object.fromEntries(
      entries.map(({ node, "@saunet/source": source }) => [
        node.replace("./dist/node/", "").replace(/\.js$/, ""),
        join(folder, source),
      ]),
    ),
    external: /^(node:|@?[a-z])/,
    platform: "node",
    resolve: { conditionNames: ["@saunet/source", "node"] },
  });
  const { output } = await bundled.generate({
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
  });
  for (const file of output) put(join(folder, "dist/node", file.fileName), file.code ?? file.source);
}

/** Writes a file in one step: another process may be about to import it. */
function put(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, path);
}
