// The budgets of docs/design.md: how large core may grow, how long a file, and what a package may depend on.

import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { root } from "./workspace.mjs";

/**
 * The engine a newcomer reads: what every operator stands on, and each operator's file by itself, so that another
 * operator is always welcome. The tuned TypeScript forms beside it have a budget of their own.
 */
const CORE_LINES = 1900;
const OPERATOR_LINES = 200;
/** 1,000 for the convolutions; 200 for matrix products, convolutions in groups and the error function. */
const PORTABLE_LINES = 1200;
/** The assembler, the generators of all kernels and what runs them: more kernels should need no more ideas. */
const WASM_LINES = 8300;
/** Without the examples in docstrings, so that none is left out for want of room. */
const FILE_LINES = 400;
/** What each package may need at run time; core needs nothing. */
const DEPENDENCIES = {
  core: [],
  wasm: ["@saunet/core"],
  data: ["@saunet/core", "dcmjs", "dcmjs-codecs", "sharp"],
  model: ["@saunet/core", "@saunet/data"],
  interop: ["@saunet/core", "@saunet/model", "@zip.js/zip.js", "h5wasm", "protobufjs"],
};

/** Lines that hold code: neither blank nor comment alone, nor an import or re-export. */
function codeLines(text) {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^(import|export \*|export (type )?\{[^;{}]*\} from) [^;]*;$/gm, "")
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

const within = (folder) => (path) => path.includes(`${sep}${folder}${sep}`);
const isTesting = (path) => within("testing")(path) || /[\\/]testing[^\\/]*\.ts$/.test(path);
const shipped = (name) =>
  sources(join(root, "packages", name, "src")).filter((path) => !isTest(path) && !isTesting(path));
const core = shipped("core");
const [isOperator, isPortable] = [within("ops"), within("portable")];
const linesOf = (path) => codeLines(readFileSync(path, "utf8"));
const sum = (paths) => paths.reduce((lines, path) => lines + linesOf(path), 0);
const engine = sum(core.filter((path) => !isPortable(path) && !isOperator(path)));
const portable = sum(core.filter(isPortable));
const operators = core.filter(isOperator);
const wasm = sum(shipped("wasm"));
if (wasm > WASM_LINES) faults.push(`wasm has ${wasm} lines of code; the budget is ${WASM_LINES}`);
if (engine > CORE_LINES)
  faults.push(`core without its operators has ${engine} lines of code; the budget is ${CORE_LINES}`);
if (portable > PORTABLE_LINES)
  faults.push(`core/portable has ${portable} lines; the budget is ${PORTABLE_LINES}`);
for (const path of operators.filter((path) => linesOf(path) > OPERATOR_LINES))
  faults.push(
    `${path.slice(root.length + 1)} has ${linesOf(path)} lines of code; the budget of an operator is ${OPERATOR_LINES}`,
  );

for (const path of ["packages", "bench"].flatMap((folder) => sources(join(root, folder)))) {
  const text = readFileSync(path, "utf8").replace(/^( \*\n)? \* @example\n( \*( .*)?\n)+/gm, "");
  const lines = text.split("\n").length - 1;
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
  `core: ${engine} of ${CORE_LINES} lines of code; ${operators.length} operator files, the largest ${Math.max(...operators.map(linesOf))} of ${OPERATOR_LINES}; portable forms: ${portable} of ${PORTABLE_LINES}; wasm: ${wasm} of ${WASM_LINES}`,
);
process.exit(faults.length === 0 ? 0 : 1);
