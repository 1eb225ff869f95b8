// Who takes part, and what a contender has to do. Each runs in a process of its own, so that memory and threads are
// its own too; worker.ts is that process, process.ts talks to it.

import type { Tensor } from "@saunet/core";
import type { NetworkConfig, Parameters } from "@saunet/model";

/** What a contender computes on. */
export interface Job {
  readonly config: NetworkConfig;
  readonly parameters: Parameters;
  /** One photograph `[1,H,W,3]`, 0 … 1. */
  readonly image: Tensor;
  /** Its vessels `[1,H,W,1]`, 0 or 1. */
  readonly target: Tensor;
  /** The network as an ONNX file. */
  readonly onnx: string;
  readonly threads: number;
}

/**
 * One run: for the model from photograph to probabilities `[H·W]`, for training one step that gives its loss `[1]`.
 * What is timed begins with the photograph as floats in the contender's own layout and ends with floats that
 * JavaScript can read.
 */
export type Run = () => Float32Array | Promise<Float32Array>;

/** Everything that is done once: loading the library and the weights, compiling. */
export type Prepare = (job: Job) => Promise<Run>;

/** Steps of training, and what they made of the weights' gradients. */
export interface Training {
  readonly step: Run;
  /**
   * Adam's first moments, in the order and layout of the job's parameters: after the first step they are a tenth of the
   * gradients that it was made with. Losses alone would not do, for Adam's first step is blind to their scale.
   */
  readonly moments: () => readonly Float32Array[] | Promise<readonly Float32Array[]>;
}

/** The same as {@link Prepare} for training. */
export type PrepareTraining = (job: Job) => Promise<Training>;

/** The benches that processes of their own take part in. */
export type Discipline = "model" | "train";

/** A library, or a way to run ours. */
export interface Contender {
  readonly name: string;
  /** The numbers of threads it is measured with. */
  readonly threads: readonly number[];
  /** Whether it takes part in the short run. */
  readonly quick: boolean;
  readonly model?: Prepare;
  readonly train?: PrepareTraining;
  /** What it takes part in, where it is a module of bench/peers/python. */
  readonly python?: readonly Discipline[];
}

/** Whether a contender takes part in something. */
export const takesPart = ({ python, ...contender }: Contender, discipline: Discipline): boolean =>
  python?.includes(discipline) ?? contender[discipline] !== undefined;

/** A library that is not there. */
export class NotInstalledError extends Error {
  override readonly name = "NotInstalledError";
}
