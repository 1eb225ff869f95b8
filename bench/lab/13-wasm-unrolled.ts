// 13. Four k a round: what would help a C compiler.
//
// It saves three of four branches, and depends on the engine. V8 11 (Node 20) moves the sixteen weights and eight inputs
// of a round to its front, spills most of them to the stack and runs at about half the speed; V8 13 keeps the order of
// the code and gains.

import { directTile } from "./12-wasm-tile.ts";

export const wasmUnrolled = directTile(
  13,
  "wasm 2x16 tile, 4 steps a round",
  { pixels: 2, vectors: 4, unroll: 4, relaxed: false },
  ({ KW, C }) => (KW * C) % 4 === 0,
);
