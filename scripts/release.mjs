// `npm run release`: checks what a release needs, packs the packages into release/, and writes its notes from
// CHANGELOG.md. It publishes nothing: the last line says how. `--dry-run` says what is missing and shows the notes, and
// leaves no file.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { PACKAGES, pack } from "./packed.mjs";
import { root, run } from "./workspace.mjs";

const isDry = process.argv.includes("--dry-run");
const manifests = PACKAGES.map((name) =>
  JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")),
);
const { version } = manifests[0];
const changes = readFileSync(join(root, "CHANGELOG.md"), "utf8");

/** What CHANGELOG.md says under a heading. */
function section(heading) {
  const [, text] = changes.split(new RegExp(`^## ${heading.replaceAll(".", "\\.")}\\b.*\n`, "m"));
  return text?.split(/^## /m)[0].trim();
}

/** What keeps this state of the checkout from being released. */
function faults() {
  const found = manifests.flatMap((manifest) => [
    ...["description", "keywords", "license", "engines"].flatMap((field) =>
      manifest[field] === undefined ? [`${manifest.name}: package.json has no ${field}`] : [],
    ),
    ...(manifest.version === version
      ? []
      : [`${manifest.name} is ${manifest.version}, @saunet/core is ${version}`]),
  ]);
  if (manifests.some(({ repository }) => repository === undefined))
    found.push(
      'no "repository" in package.json: set it in every package, { "type": "git", "url": …, "directory": "packages/…" }, and repository-code in CITATION.cff, once the sources have a public address',
    );
  if (section(version) === undefined) found.push(`CHANGELOG.md has no section ${version}`);
  if (section("Unreleased"))
    found.push(
      `CHANGELOG.md has changes under Unreleased: name them after the new version, which is ${version} yet in every package.json and in packages/core/src/shared.ts`,
    );
  const { stdout } = spawnSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  if (stdout.trim() !== "") found.push("the checkout has changes that are not committed");
  return found;
}

const missing = faults();
for (const fault of missing) console.error(`release: ${fault}`);
if (missing.length > 0 && !isDry) process.exit(1);
if (run(process.execPath, [join(root, "scripts/pack-check.mjs"), "--types"]) !== 0) process.exit(1);

const notes = `# saunet ${version}\n\n${section("Unreleased") || section(version)}\n`;
if (isDry) {
  console.log(
    `\n${notes}\n${missing.length} things to do before a release of ${version}; nothing was written`,
  );
  process.exit(0);
}
const folder = join(root, "release", version);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const tarballs = pack(folder);
if (tarballs === undefined) process.exit(1);
writeFileSync(join(folder, "notes.md"), notes);
const files = manifests.map(({ name }) => basename(tarballs[name]));
console.log(
  `release/${version}: ${files.length} tarballs and notes.md; to publish, in this order, in that folder:`,
);
for (const file of files) console.log(`npm publish --access public ${file}`);
