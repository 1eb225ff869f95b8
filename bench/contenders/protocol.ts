// What the bench and a contender's process say to each other.

import type { ConvolutionSpec, KernelName } from "../convolutions/convolution.ts";
import type { Discipline } from "./contender.ts";

/** To the process. */
export type Request =
  | {
      readonly kind: "load";
      readonly contender: string;
      readonly discipline: Discipline;
      readonly threads: number;
      /** The files of inputs.ts. */
      readonly inputs: string;
      readonly onnx: string;
    }
  | {
      readonly kind: "load product";
      readonly contender: string;
      readonly threads: number;
      /** A file of products/product.ts. */
      readonly inputs: string;
      /** How many times a run multiplies. */
      readonly calls: number;
    }
  | {
      readonly kind: "load convolution";
      readonly contender: string;
      readonly threads: number;
      readonly convolution: ConvolutionSpec;
      readonly kernel: KernelName;
      /** How many times a run convolves. */
      readonly calls: number;
      /** For those that cannot make them: a safetensors file of `x` and `w`, zeros around the image, and what comes out. */
      readonly operands?: string;
      /** Top, left, bottom, right. */
      readonly pads?: readonly number[];
      /** Rows and columns of the result. */
      readonly result?: readonly number[];
    }
  | { readonly kind: "run"; readonly wantsOutput: false; readonly runs: number }
  | { readonly kind: "run"; readonly wantsOutput: true }
  | { readonly kind: "moments" }
  | { readonly kind: "memory" };

/** From the process: one answer a request. */
export type Answer =
  | { readonly kind: "loaded"; readonly version?: string }
  | { readonly kind: "ran"; readonly ms: readonly number[]; readonly output?: Float32Array }
  | { readonly kind: "moments"; readonly moments: readonly Float32Array[] }
  | { readonly kind: "memory"; readonly peakRssMb: number }
  | { readonly kind: "failed"; readonly reason: string; readonly notInstalled: boolean };
