// 16. Winograd F(4x4, 3x3) with SIMD.
//
// 4 times fewer products. In floats the error grows to some 1e-6 of the largest output, a few times that of the direct
// form.
//
// Measured (`pnpm bench lab`, Node 20.20, AMD EPYC): 1.5 to 1.6 times faster than attempt 15, and 220 to 320
// times faster than attempt 1.

import { f4 } from "./08-winograd-4.ts";
import { wasmWinograd } from "./wasm-winograd.ts";

// biome-ignore format: a matrix
export const wasmWinograd4 = wasmWinograd(16, "wasm Winograd F(4,3)", {
  m: 4,
  G: f4.G,
  Bt: [
    [4,  0, -5,  0, 1, 0],
    [0, -4, -4,  1, 1, 0],
    [0,  4, -4, -1, 1, 0],
    [0, -2, -1,  2, 1, 0],
    [0,  2, -1, -2, 1, 0],
    [0,  4,  0, -5, 0, 1],
  ],
  At: [
    [1, 1,  1, 1,  1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1,  1, 4,  4, 0],
    [0, 1, -1, 8, -8, 1],
  ],
});
