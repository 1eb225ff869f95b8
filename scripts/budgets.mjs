// The budgets of docs/design.md: how large core may grow, how long a file, and what a package may depend on.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./workspace.mjs";

/** The engine a newcomer reads; the tuned TypeScript forms beside it have a budget of their own. */
const CORE_LINES = 2500;
const PORTABLE_LINES = 1000;
const FILE_LINES = 400;
/** What each package may need at run time; core needs nothing. */
const DEPENDENCIES = {
  core: [],
  wasm: ["@saunet/core"],
  data: ["@saunet/core", "pngjs", "sharp"],
  model: ["@saunet/core", "@saunet/data"],
  interop: ["@saunet/core", "@saunet/model", "@zip.js/zip.js", "h5wasm", "protobufjs"],
};

/** Lines that hold code: neither blank nor comment alone, nor an import or re-export. */
function codeLines(text) {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^(import|export \*) [^;]*;$/gm, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("//")).length;
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/node_modules|[\\/]dist[\\/]/.test(path));
}

const faults = [];
const isTest = (path) => path.endsWith(".test.ts");

const core = sources(join(root, "packages/core/src")).filter(
  (path) => !isTest(path) && !path.endsWith("testing.ts"),
);
const isPortable = (path) => /[\\/]portable[\\/]/.test(path);
const linesOf = (paths) => paths.reduce((sum, path) => sum + codeLines(readFileSync(path, "utf8")), 0);
const engine = linesOf(core.filter((path) => !isPortable(path)));
const portable = linesOf(core.filter(isPortable));
if (engine > CORE_LINES) faults.push(`core has ${engine} lines of code; the budget is ${CORE_LINES}`);
if (portable > PORTABLE_LINES)
  faults.push(`core/portable has ${portable} lines; the budget is ${PORTABLE_LINES}`);

for (const path of ["packages", "bench"].flatMap((folder) => sources(join(root, folder)))) {
  const lines = readFileSync(path, "utf8").split("\n").length - 1;
  if (lines > FILE_LINES)
    faults.push(`${path.slice(root.length + 1)} has ${lines} lines; the limit is ${FILE_LINES}`);
}

for (const [name, allowed] of Object.entries(DEPENDENCIES)) {
  let manifest;
  try {
    manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  } catch {
    continue;
  }
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (!allowed.includes(dependency)) faults.push(`packages/${name} must not depend on ${dependency}`);
  }
}

for (const fault of faults) console.error(fault);
console.log(
  `core: ${engine} of ${CORE_LINES} lines of code, portable forms: ${portable} of ${PORTABLE_LINES}`,
);
process.exit(faults.length === 0 ? 0 : 1);
