// `npm run docs:api`: the docstrings of all packages as static pages in docs/api/, with a search that works offline.
// TypeDoc 0.28 reads declarations with TypeScript 6 or older, so it is kept apart from the build, in scripts/tools/docs.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { entryPoints } from "./api.mjs";
import { load } from "./bundles.mjs";
import { tools } from "./packed.mjs";
import { build, root } from "./workspace.mjs";

build();
const folder = tools("docs");
const out = join(root, "docs/api");
rmSync(out, { recursive: true, force: true });
const { Application } = await load(folder, "typedoc");
const entries = entryPoints();
const app = await Application.bootstrap({
  name: "saunet",
  entryPoints: entries.map(({ declarations }) => declarations),
  tsconfig: join(folder, "tsconfig.json"),
  // The list of modules is the first page; README is on the site already, and its links to folders lead nowhere from here.
  readme: "none",
  disableSources: true,
  githubPages: false,
  // Types of operators' arguments that have no name of their own in the public lists.
  validation: { notExported: false, invalidLink: true, notDocumented: false },
  sort: ["kind", "alphabetical"],
});
const project = await app.convert();
if (project === undefined) process.exit(1);
// Modules are named after the files; users know them by what they import.
const moduleName = (file) => file.slice(join(root, "packages/").length).replace(/(\/index)?\.d\.ts$/, "");
for (const { entry, declarations } of entries) {
  const module = project.children.find(({ name }) => name === moduleName(declarations) || name === entry);
  if (module === undefined) throw new Error(`TypeDoc has no page for ${entry}`);
  module.name = entry;
}
await app.generateDocs(project, out);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
console.log(`docs/api/index.html: ${entries.length} entries`);
