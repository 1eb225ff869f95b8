// 17. The winner: what accelerate() of @saunet/wasm installs in core, in a captured program on one thread.
//
// Its code is packages/wasm/src/kernels; it chooses between direct tiles and Winograd by the shape, and knows borders and
// channels that no tile divides.
//
// Measured (`pnpm bench lab`, Node 20.20, AMD EPYC): 1.2 to 1.4 times faster than attempt 16, whose F(4,3) it exchanges
// for F(6,3), and 300 to 360 times faster than attempt 1.

import { type AnyKernel, conv2dForward } from "@saunet/core/kernels";
import { acceleratedForm } from "../forms.ts";
import type { Attempt } from "./attempt.ts";

export const accelerated: Attempt = {
  number: 17,
  name: "accelerate()",
  code: "fused",
  serves: () => true,
  prepare: (dims, { x, w, b }) => {
    const y = new Float32Array(dims.N * dims.OH * dims.OW * dims.O);
    const kernel = conv2dForward as unknown as AnyKernel;
    const { run, calls, outputs } = acceleratedForm({ shape: "", kernel, arrays: { y, x, w, b }, dims }, 1);
    return { y: () => outputs()[0] as Float32Array, run: () => void run(), calls };
  },
};
