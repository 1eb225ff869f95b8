// `node scripts/weights-module.mjs` writes the weights of packages/model as a module, which every bundler carries along:
// 16-bit floats in base64. Of the network's numbers nothing else changes.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors, writeSafetensors } from "@saunet/core";
import { root } from "./workspace.mjs";

const folder = join(root, "packages/model/weights");
export const MODULE = join(folder, "sa-unet-v2.js");

/** The module's text, from the exact weights. */
export function weightsModule() {
  const { tensors, metadata } = readSafetensors(readFileSync(join(folder, "sa-unet-v2.safetensors")));
  const halves = writeSafetensors(tensors, { ...metadata, stored: "16-bit floats" }, { half: true });
  return `// sa-unet-v2.safetensors in 16-bit floats, as base64. Written by scripts/weights-module.mjs.
const base64 = "${Buffer.from(halves).toString("base64")}";
export default /* @__PURE__ */ Uint8Array.from(/* @__PURE__ */ atob(base64), (character) => character.charCodeAt(0));
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(MODULE, weightsModule());
