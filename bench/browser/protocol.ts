// What the command and the page say to each other.

import type { ConvolutionSpec } from "../convolutions/convolution.ts";
import type { Bandwidth, Peak, Row } from "../schema.ts";
import type { Settings } from "../settings.ts";

/** The benches that run in a browser. */
export type PageBench = "kernels" | "lab";

/** To the page, and from it to its worker. */
export type PageRequest =
  | {
      readonly kind: "open";
      readonly bench: PageBench;
      readonly specs: readonly ConvolutionSpec[];
      readonly settings: Settings;
    }
  | { readonly kind: "measure"; readonly unit: number; readonly without: readonly string[] };

/** Has what is being measured end soon; it gets no answer of its own. */
export interface PageStop {
  readonly kind: "stop";
}

/** Back. */
export type PageAnswer =
  | {
      readonly kind: "opened";
      readonly units: readonly string[];
      readonly peak: Peak;
      readonly bandwidth: Bandwidth;
      readonly cores: number;
    }
  | { readonly kind: "measured"; readonly rows: readonly Row[]; readonly stopped: boolean }
  | { readonly kind: "failed"; readonly reason: string };

/** What the worker says unasked: what it is about to do. */
export interface PageSign {
  readonly kind: "sign";
  readonly doing: string;
}
