// What publint and are-the-types-wrong say of tarballs. The packages are modules alone: CommonJS requires them as Node
// does since 20.19, so what are-the-types-wrong says of older resolution does not count (its profile "esm-only").

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const OLD_RESOLUTION = ["node10", "node16-cjs"];

/** Prints what is wrong with the tarballs, and answers whether nothing is. */
export async function lintTarballs(tools, tarballs) {
  const { resolve } = createRequire(join(tools, "package.json"));
  const load = (name) => import(pathToFileURL(resolve(name)).href);
  const { publint } = await load("publint");
  const { formatMessage } = await load("publint/utils");
  const { checkPackage, createPackageFromTarballData } = await load("@arethetypeswrong/core");
  const faults = [];
  for (const [name, path] of Object.entries(tarballs)) {
    const tarball = Uint8Array.from(readFileSync(path));
    const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
    faults.push(...messages.map((message) => `${name}: ${formatMessage(message, pkg, { color: false })}`));
    // The command is run, not imported.
    if (pkg.exports === undefined) continue;
    const { problems = [] } = await checkPackage(createPackageFromTarballData(tarball));
    const counted = problems.filter(({ resolutionKind }) => !OLD_RESOLUTION.includes(resolutionKind));
    faults.push(...counted.map((problem) => `${name}: ${JSON.stringify(problem)}`));
  }
  for (const fault of faults) console.error(fault);
  return faults.length === 0;
}
