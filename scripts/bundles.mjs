// A program that segments a small picture with the weights that come along as a module, and what it must print: used to
// try bundlers and hosts over packed tarballs (pack-check.mjs, bundlers.mjs).

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Logs the mean probability of a synthetic photograph, the threads at work and whether kernels were accelerated. */
export const useSource = `import { syntheticFundus } from "@saunet/data";
import { loadSegmenter } from "@saunet/model";
import { accelerate, restore } from "@saunet/wasm";

async function main() {
  const { image } = syntheticFundus({ seed: 1, width: 96, height: 80 });
  const { kernels, threads } = await accelerate({ threads: 2 });
  const weights = async () => ({ weights: (await import("@saunet/model/weights")).default });
  // Browsers load the module by themselves.
  const segmenter = await loadSegmenter(globalThis.document ? {} : await weights());
  const { probability } = await segmenter.segment(image);
  const mean = probability.reduce((sum, p) => sum + p) / probability.length;
  await restore();
  const result = JSON.stringify({ mean, threads, accelerated: kernels.length > 0 });
  if (globalThis.document) globalThis.document.title = result;
  else console.log(result);
}
main();
`;

/** What {@link useSource} gives in this checkout, run from its sources with the same weights: within rounding of kernels. */
const MEAN = 0.0640527;
const TOLERANCE = 1e-5;

/** Whether a result is the one that is wanted. */
export function isSame(result) {
  return result.accelerated && Math.abs(result.mean - MEAN) <= TOLERANCE;
}

/** Runs a program and gives what it printed as a result, or undefined. */
export function resultOf(folder, program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1));
  } catch {
    console.error(`${program} ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    return undefined;
  }
}

/** Runs a program and answers whether it printed what is wanted. */
export function expectSame(folder, program, args) {
  const result = resultOf(folder, program, args);
  if (result !== undefined && !isSame(result)) console.error("the result is another:", result);
  return result !== undefined && isSame(result);
}

/** A package of a folder of tools. */
export const load = (tools, name) =>
  import(pathToFileURL(createRequire(join(tools, "package.json")).resolve(name)).href);

/** Bundles `segment.js` of a folder with esbuild; returns the folder of the bundle. */
export async function bundleWithEsbuild(tools, folder, { platform, format }) {
  const { build } = await load(tools, "esbuild");
  const outdir = join(folder, `esbuild-${platform}-${format}`);
  await build({
    entryPoints: [join(folder, "segment.js")],
    bundle: true,
    minify: true,
    splitting: format === "esm",
    platform,
    format,
    outdir,
    outExtension: { ".js": format === "cjs" ? ".cjs" : ".js" },
    external: ["sharp", "dcmjs", "dcmjs-codecs"],
    logLevel: "error",
  });
  return outdir;
}
