// Packs the packages as they would be published, installs the tarballs in an empty folder and uses them there: what a
// linter of packages says, types under the oldest, a middle and the newest TypeScript (`--types all`: under each), the
// command, and a bundle that carries the weights along.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWithEsbuild, expectSame, useSource } from "./bundles.mjs";
import { lintTarballs } from "./lint-tarballs.mjs";
import { installTarballs, pack, tools } from "./packed.mjs";
import { checkTypes, TYPESCRIPTS } from "./type-matrix.mjs";
import { root, run } from "./workspace.mjs";

const folder = mkdtempSync(join(tmpdir(), "saunet-pack-"));
function must(ok, what) {
  if (ok) return;
  console.error(`pack-check: ${what} failed`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
mkdirSync(join(folder, "tarballs"));
const tarballs = pack(join(folder, "tarballs"));
must(tarballs !== undefined, "packing");
must(installTarballs(folder, tarballs), "npm install");

const check = tools("check");
must(await lintTarballs(check, tarballs), "publint or are-the-types-wrong");
const all = process.argv.includes("--types");
const versions = all ? TYPESCRIPTS : [TYPESCRIPTS[0], TYPESCRIPTS.at(-2), TYPESCRIPTS.at(-1)];
must(checkTypes(check, folder, versions), "type checking");

copyFileSync(join(root, "fixtures/files/keras2/sa-unet.h5"), join(folder, "model.h5"));
writeFileSync(
  join(folder, "use.js"),
  `import { loadSegmenter } from "@saunet/model";
import { syntheticFundus } from "@saunet/data";
import { conv2d, ones } from "@saunet/core";
import { accelerate } from "@saunet/wasm";
import { exportOnnx, importKeras } from "@saunet/interop";
import { readFileSync } from "node:fs";
const report = await accelerate({ threads: 2 });
const segmenter = await loadSegmenter();
const imported = await importKeras(readFileSync("model.h5"));
const { mask } = await segmenter.segment(syntheticFundus({ seed: 1, width: 48, height: 40 }).image);
if (report.kernels.length === 0 || exportOnnx(imported).length === 0 || mask.data.length !== 48 * 40 || conv2d(ones([1, 3, 3, 1]), ones([3, 3, 1, 1])).data[4] !== 9) process.exit(1);
`,
);
must(run(process.execPath, ["use.js"], { cwd: folder }) === 0, "importing the packages");
must(
  run("npx", ["--no-install", "saunet", "inspect", "--json"], { quiet: true, cwd: folder }) === 0,
  "the command",
);

writeFileSync(join(folder, "segment.js"), useSource);
for (const format of ["esm", "cjs"]) {
  const out = await bundleWithEsbuild(check, folder, { platform: "node", format });
  must(
    expectSame(folder, process.execPath, [join(out, format === "esm" ? "segment.js" : "segment.cjs")]),
    `the ${format} bundle`,
  );
}
rmSync(folder, { recursive: true, force: true });
console.log(
  `${Object.keys(tarballs).length} tarballs install, run and bundle in an empty folder; types under TypeScript ${versions.join(", ")}`,
);
