// The convolutions.

import type { Generator } from "../../plan.ts";
import { forward, transposed } from "./correlate.ts";

/** What fills core's convolution kernels. */
export const convGenerators = [forward, transposed] as readonly unknown[] as readonly Generator[];
