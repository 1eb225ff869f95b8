// The files for Docker and Kubernetes against their schemas: `node scripts/lint-deploy.mjs`.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tools } from "./packed.mjs";
import { root, run } from "./workspace.mjs";

const folder = tools("deploy");
const require = createRequire(join(folder, "package.json"));
const { parseAllDocuments } = require("yaml");
const deploy = join(root, "packages/screening/deploy");

/** The class of kubernetes-models, or of its models of KEDA, that an object must be. */
async function modelOf({ apiVersion, kind }) {
  const library = apiVersion.startsWith("keda.sh/") ? "@kubernetes-models/keda" : "kubernetes-models";
  return (await import(pathToFileURL(join(folder, "node_modules", library, apiVersion, `${kind}.js`)).href))[
    kind
  ];
}

const faults = [];
let objects = 0;
for (const name of readdirSync(join(deploy, "kubernetes"))) {
  for (const document of parseAllDocuments(readFileSync(join(deploy, "kubernetes", name), "utf8"))) {
    faults.push(...document.errors.map(({ message }) => `${name}: ${message}`));
    const object = document.toJS();
    const where = `${name}: ${object.kind} ${object.metadata?.name}`;
    objects++;
    try {
      new (await modelOf(object))(object).validate();
    } catch (error) {
      faults.push(`${where}: ${error.message}`);
    }
  }
}
for (const fault of faults) console.error(fault);
const dclint = join(folder, "node_modules/.bin/dclint");
const compose = existsSync(dclint)
  ? run(dclint, [
      "--max-warnings",
      "0",
      "--config",
      join(deploy, ".dclintrc.json"),
      join(deploy, "compose.yaml"),
    ])
  : 1;
console.log(
  `${objects} objects of Kubernetes, ${faults.length} faults; compose.yaml ${compose === 0 ? "passed" : "FAILED"}`,
);
process.exit(faults.length === 0 && compose === 0 ? 0 : 1);
