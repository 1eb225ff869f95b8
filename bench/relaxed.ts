// The fused multiply-add of relaxed SIMD.

import { setFlagsFromString } from "node:v8";

/** Switches it on as the command does: Node 20 has it behind a flag, which newer ones no longer know. */
export function allowRelaxedSimd(): void {
  if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");
}
