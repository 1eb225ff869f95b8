// Packs the packages as they would be published, installs the tarballs in an empty folder and uses them there.

import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, pnpm, root, run } from "./workspace.mjs";

const PACKAGES = ["core", "wasm", "data", "model", "interop", "cli"];

build();
const folder = mkdtempSync(join(tmpdir(), "saunet-pack-"));
function must(code, what) {
  if (code === 0) return;
  console.error(`pack-check: ${what} failed`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(1);
}
for (const name of PACKAGES) {
  must(
    pnpm(["pack", "--pack-destination", folder], { quiet: true, cwd: join(root, "packages", name) }),
    `packing ${name}`,
  );
}
const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
/** saunet-core-0.1.0.tgz → @saunet/core, saunet-0.1.0.tgz → saunet */
const nameOf = (file) => file.replace(/-\d.*$/, "").replace("saunet-", "@saunet/");
const dependencies = Object.fromEntries(tarballs.map((file) => [nameOf(file), `file:${file}`]));
writeFileSync(
  join(folder, "package.json"),
  JSON.stringify({ private: true, type: "module", dependencies, overrides: dependencies }),
);
must(
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], { quiet: true, cwd: folder }),
  "npm install",
);
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
must(run(process.execPath, ["use.js"], { cwd: folder }), "importing the packages");
must(
  run("npx", ["--no-install", "saunet", "inspect", "--json"], { quiet: true, cwd: folder }),
  "the command",
);
rmSync(folder, { recursive: true, force: true });
console.log(`${tarballs.length} tarballs install and run in an empty folder`);
