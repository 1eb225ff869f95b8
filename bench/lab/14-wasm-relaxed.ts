// 14. Fused multiply-add: attempt 12 with the instruction of relaxed SIMD.
//
// One instruction in place of two. The peak is the same on a core that adds and multiplies in different units, but there
// is less to fetch and to schedule. Results may differ from host to host in their last bit; hosts without it (Node 20
// without --experimental-wasm-relaxed-simd) fall out here.
//
// Measured (`pnpm bench lab`, AMD EPYC): 0.97 of attempt 12's speed on Node 20.20, the same on Node 26.10. That close
// to the peak there is nothing left to gain on this machine.

import { hasRelaxedSimd } from "../peak.ts";
import { directTile } from "./12-wasm-tile.ts";

export const wasmRelaxed = directTile(
  14,
  "wasm 2x16 tile, fused",
  { pixels: 2, vectors: 4, unroll: 1, relaxed: true },
  hasRelaxedSimd,
);
