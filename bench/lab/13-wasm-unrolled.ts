// 13. Four k a round: what would help a C compiler.
//
// It saves three of four branches, and depends on the engine: V8 11 (Node 20) moves the sixteen weights and eight
// inputs of a round to its front and runs out of registers for them.
//
// Measured (`pnpm bench lab`, AMD EPYC): 1.6 to 1.8 times slower than attempt 12 on Node 20.20; the same on Node 26.10,
// which keeps the order of the code, and unrolls the short loop by itself.

import { directTile } from "./12-wasm-tile.ts";

export const wasmUnrolled = directTile(
  13,
  "wasm 2x16 tile, 4 steps a round",
  { pixels: 2, vectors: 4, unroll: 4, relaxed: false },
  ({ KW, C }) => (KW * C) % 4 === 0,
);
