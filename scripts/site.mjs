// `npm run site` builds the site and serves it on this machine: the book, the pages of the API, the page, the report of the
// benches, and the documents and sources that they link to. `npm run site:build` leaves the folder, site/, for any host; all
// links are relative. `--book` builds the pages of text alone and leaves API and page as they are.

import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tools } from "./packed.mjs";
import { configure } from "./site/configure.mjs";
import { faultsOfLinks } from "./site/links.mjs";
import { writeSearchIndex } from "./site/search-index.mjs";
import { install, root, run } from "./workspace.mjs";

const out = join(root, "site");
const [mode, ...flags] = process.argv.slice(2);
const unknown = flags.filter((flag) => flag !== "--book");
if (!["build", "serve"].includes(mode) || unknown.length > 0) {
  console.error("usage: node scripts/site.mjs build|serve [--book]");
  process.exit(2);
}

install();
if (!flags.includes("--book")) {
  rmSync(out, { recursive: true, force: true });
  for (const [script, ...args] of [["web.mjs", "build"], ["api-docs.mjs"]]) {
    const code = run(process.execPath, [join(root, "scripts", script), ...args]);
    if (code !== 0) process.exit(code);
  }
  cpSync(join(root, "packages/web/dist"), join(out, "page"), { recursive: true });
  cpSync(join(root, "docs/api"), join(out, "api"), { recursive: true });
}

const folder = tools("site");
const { Eleventy, MiniSearch, ...libraries } = await import("./tools/site/index.js");
process.chdir(root);
const config = await configure(libraries, join(folder, "node_modules"));
await new Eleventy("scripts/site", "site", { quietMode: true, config }).write();
writeSearchIndex(MiniSearch, out);

const resultFiles = readdirSync(join(root, "bench/results")).filter((name) => name.endsWith(".json"));
const bench = [
  join(root, "bench/bench.mjs"),
  "page",
  ...resultFiles.map((name) => join(root, "bench/results", name)),
];
const benchCode = run(process.execPath, [...bench, "--out", join(out, "bench/results.html")]);
if (benchCode !== 0) process.exit(benchCode);

const faults = faultsOfLinks(
  out,
  ["api", "page"].filter((part) => !existsSync(join(out, part))),
);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log("The site is in site/: static files, to be served from any path, or opened as they are.");
if (mode === "serve") {
  const { preview } = await import("vite");
  // The page shares memory between threads only where it is served with these.
  const headers = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
  };
  const server = await preview({ root, configFile: false, build: { outDir: "site" }, preview: { headers } });
  server.printUrls();
}
