// 14. Fused multiply-add: attempt 12 with the instruction of relaxed SIMD.
//
// One instruction in place of two. The peak is the same on a core that adds and multiplies in different units, but there
// is less to fetch and to schedule. Results may differ from host to host in their last bit; hosts without it (Node 20
// without --experimental-wasm-relaxed-simd) fall out here.

import { hasRelaxedSimd } from "../peak.ts";
import { directTile } from "./12-wasm-tile.ts";

export const wasmRelaxed = directTile(
  14,
  "wasm 2x16 tile, fused",
  { pixels: 2, vectors: 4, unroll: 1, relaxed: true },
  hasRelaxedSimd,
);
