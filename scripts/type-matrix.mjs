// The types of the packages as strict users meet them: no library is skipped, the DOM is not there, and modules are
// resolved in each way that there is.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./workspace.mjs";

/** The TypeScripts that the packages' types are for. 5.6 does not know `Uint8Array<ArrayBuffer>`. */
export const TYPESCRIPTS = ["5.7", "5.8", "5.9", "6.0", "7.0"];

/** How modules are found: `module` and `moduleResolution`. */
const RESOLUTIONS = [
  ["node16", "node16"],
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
];

const SOURCE = `import { adam, backward, mean, mul, parameter, type Tensor, tensor } from "@saunet/core";
import { kernelNames } from "@saunet/core/kernels";
import { gradcheck } from "@saunet/core/testing";
import { type AccelerationReport, accelerate } from "@saunet/wasm";
import { ModuleBuilder } from "@saunet/wasm/asm";
import { syntheticFundus } from "@saunet/data";
import { readPhotograph } from "@saunet/data/files";
import { loadSegmenter, loadWeights, type Segmenter } from "@saunet/model";
import { importKeras } from "@saunet/interop";

const w: Tensor = parameter(tensor([1, 2]));
backward(mean(mul(w, w)));
adam({ w }).step();
const names: readonly string[] = kernelNames();
export const report: Promise<AccelerationReport> = accelerate({ threads: 1 });
export const segmenter: Promise<Segmenter> = import("@saunet/model/weights").then(({ default: weights }) =>
  loadSegmenter({ weights }),
);
// @ts-expect-error a misspelt option
void accelerate({ thread: 1 });
export const all = [names, gradcheck, ModuleBuilder, syntheticFundus, readPhotograph, loadWeights, importKeras];
`;

/** Checks a user's source against the packages installed in a folder; answers whether every run is without errors. */
export function checkTypes(tools, folder, versions = TYPESCRIPTS) {
  writeFileSync(join(folder, "types.ts"), SOURCE);
  const failures = versions.flatMap((version) =>
    RESOLUTIONS.filter(([module, moduleResolution]) => {
      const compilerOptions = {
        noEmit: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        target: "es2022",
        lib: ["es2022"],
        types: [],
        module,
        moduleResolution,
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["types.ts"] }));
      const tsc = join(tools, "node_modules", `typescript-${version}`, "bin/tsc");
      const ok = run(process.execPath, [tsc, "-p", folder], { quiet: true }) === 0;
      if (!ok) console.error(`types: TypeScript ${version} with ${moduleResolution} finds errors`);
      return !ok;
    }),
  );
  return failures.length === 0;
}
