// 9. The winner in TypeScript, which is what @saunet/core runs: Winograd F(6x6, 3x3) where it pays, direct register
// tiles where it does not.
//
// 64 products where 324 were, 5 times fewer. The code is packages/core/src/portable; it also transforms its filter
// inside the clock, as an operator has to that knows nothing of the call before.
//
// Measured (`pnpm bench lab`, Node 20.20, AMD EPYC): 1.07 to 1.23 times faster than attempt 8, and 31 to 42
// times faster than attempt 1.

import { conv2dForward } from "@saunet/core/kernels";
import { inTypeScript } from "./attempt.ts";

export const portable = inTypeScript(
  9,
  "core's portable form",
  (w) => w,
  (y, x, w, b, d) => conv2dForward.portable({ y, x, w, b }, d),
);
