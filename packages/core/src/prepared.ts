// What whoever runs programs makes of one, and how core itself does it: call by call, with its kernels.

import { type Program, type ProgramTensor, planProgram, shareInPlace } from "./capture.ts";
import { expectShape } from "./errors.ts";
import type { Arrays } from "./kernel.ts";
import { Tensor } from "./tensor.ts";

/** Work that goes on elsewhere while the caller is free. */
export interface Pending {
  /** Resolves when it has ended, well or not. */
  readonly ended: Promise<void>;
  /** Waits for it here and now. */
  readonly wait: () => void;
  /** Has it end early; what it computes is of no use then. */
  readonly stop: () => void;
}

/** Work that yields whenever it goes on elsewhere; to be taken up when that has ended. */
export type Work<T> = Generator<Pending, T>;

/** A program that somebody can run. Whoever calls it sees to it that runs never overlap. */
export interface Prepared {
  readonly program: Program;
  readonly memory: Readonly<Record<string, number>>;
  /** A run that yields whenever it waits for others, and changes nothing outside until it returns. */
  start(inputs: readonly Tensor[]): Work<Tensor[]>;
  runSync(inputs: readonly Tensor[]): Tensor[];
  /** Gives its memory back; it is not called again. */
  free(): void;
}

/** Makes a program ready to run. */
export type Preparer = (program: Program) => Prepared;

/**
 * Throws unless there are as many inputs as a program takes, of its shapes.
 *
 * @throws RangeError on another number of inputs; ShapeError on another shape
 * @example
 * const program = capture(([x]) => [mul(x, x)], [zeros([2])]);
 * try { expectInputs(program.inputs, [zeros([3])]); }
 * catch (error) { console.log(error.message); } // run: input 0 must be [2] but is [3]
 */
export function expectInputs(wanted: readonly ProgramTensor[], inputs: readonly Tensor[]): void {
  if (inputs.length !== wanted.length)
    throw new RangeError(`run: wants ${wanted.length} inputs but got ${inputs.length}`);
  wanted.forEach(({ shape }, i) => {
    expectShape("run", `input ${i}`, inputs[i].shape, shape);
  });
}

const VIEWS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;

/**
 * Prepares a program with core's kernels, in whatever form they are installed.
 *
 * @example
 * const prepared = prepareWithKernels(capture(([x]) => [relu(x)], [zeros([2])]));
 * console.log(String(prepared.runSync([tensor([-1, 1])])[0])); // Tensor [2] [0, 1]
 */
export function prepareWithKernels(captured: Program): Prepared {
  const program = shareInPlace(captured);
  const { buffers, calls, inputs, outputs } = program;
  const plan = planProgram(program);
  const block = new ArrayBuffer(plan.bytes);
  const arrays = buffers.map(({ external }) => external);
  plan.temporaries.forEach((buffer, i) => {
    const { type, length } = buffers[buffer];
    arrays[buffer] = new VIEWS[type](block, plan.offsets[i], length);
  });
  const bound = calls.map(({ kernel, buffers: used, dims }) => {
    const named = Object.entries(used).map(([name, buffer]) => [
      name,
      buffer === undefined ? buffer : arrays[buffer],
    ]);
    return { kernel, arrays: Object.fromEntries(named) as Arrays, dims };
  });
  const runSync = (values: readonly Tensor[]): Tensor[] => {
    expectInputs(inputs, values);
    inputs.forEach(({ buffer }, i) => {
      (arrays[buffer] as Float32Array).set(values[i].data);
    });
    for (const { kernel, arrays: named, dims } of bound) kernel(named as never, dims as never);
    return outputs.map(({ buffer, shape }) => new Tensor((arrays[buffer] as Float32Array).slice(), shape));
  };
  return {
    program,
    memory: { temporaries: plan.bytes },
    // biome-ignore lint/correctness/useYield: it never waits for others
    *start(values) {
      return runSync(values);
    },
    runSync,
    free: () => {},
  };
}
