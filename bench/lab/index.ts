// The attempts in the order in which they are to be read.

import { naive } from "./01-naive.ts";
import { loopOrder } from "./02-loop-order.ts";
import { blocked } from "./03-blocked.ts";
import { doubles } from "./04-doubles.ts";
import { im2col } from "./05-im2col.ts";
import { registerTile } from "./06-register-tile.ts";
import { winograd2 } from "./07-winograd-2.ts";
import { winograd4 } from "./08-winograd-4.ts";
import { portable } from "./09-portable.ts";
import { wasmNaive } from "./10-wasm-naive.ts";
import { wasmVectors } from "./11-wasm-vectors.ts";
import { wasmTile } from "./12-wasm-tile.ts";
import { wasmUnrolled } from "./13-wasm-unrolled.ts";
import { wasmRelaxed } from "./14-wasm-relaxed.ts";
import { wasmWinograd2 } from "./15-wasm-winograd-2.ts";
import { wasmWinograd4 } from "./16-wasm-winograd-4.ts";
import { accelerated } from "./17-accelerated.ts";
import type { Attempt } from "./attempt.ts";

export const attempts: readonly Attempt[] = [
  naive,
  loopOrder,
  blocked,
  doubles,
  im2col,
  registerTile,
  winograd2,
  winograd4,
  portable,
  wasmNaive,
  wasmVectors,
  wasmTile,
  wasmUnrolled,
  wasmRelaxed,
  wasmWinograd2,
  wasmWinograd4,
  accelerated,
];
