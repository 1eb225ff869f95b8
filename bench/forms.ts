// Ways to make one kernel call: in plain TypeScript, and as accelerate() runs it in a captured program.
//
// A captured program keeps what lies between its calls in its own memory. To see that and not the way in and out, the
// program that is timed makes the same call several times, and its time is divided by their number.

import { capture, prepare, type Runnable, type Tensor, tensor } from "@saunet/core";
import { type AnyKernel, type Arrays, allocate, allocateIndices, type FlatArray } from "@saunet/core/kernels";
import type { Part } from "./parts.ts";

/** Calls of one timed program. */
export const CALLS = 8;

/** A way to make the call. */
export interface Form {
  readonly name: string;
  readonly threads: number;
  readonly run: () => void;
  /** How many calls a run makes. */
  readonly calls: number;
  /** What the call writes; undefined where that cannot be had. */
  readonly outputs: () => readonly (FlatArray | undefined)[];
  readonly release: () => void;
}

/** The names of the arrays that a call writes. */
const written = ({ kernel, arrays }: Part): string[] =>
  Object.keys(kernel.roles).filter((name) => kernel.roles[name] === "write" && arrays[name] !== undefined);

/** What a form of the kernel writes, in arrays of their own. */
export function outputsOf(part: Part, form: AnyKernel["portable"]): readonly FlatArray[] {
  const names = written(part);
  const fresh = names.map((name) => [name, part.arrays[name]!.slice()]);
  const arrays = { ...part.arrays, ...Object.fromEntries(fresh) } as Arrays;
  form(arrays as never, part.dims as never);
  return names.map((name) => arrays[name]!);
}

/** The call in plain TypeScript. */
export function typescriptForm(part: Part): Form {
  const { kernel, arrays, dims } = part;
  return {
    name: "typescript",
    threads: 1,
    calls: 1,
    run: () => kernel.portable(arrays as never, dims as never),
    outputs: () => outputsOf(part, kernel.portable),
    release: () => {},
  };
}

/** As accelerate(), which must have been called, runs it in a captured program of so many calls. */
export function acceleratedForm(part: Part, threads: number, calls = CALLS, name = "accelerated"): Form {
  const inputs = floatsRead(part);
  const values = inputs.map((input) => tensor(part.arrays[input] as Float32Array));
  const often = program(part, inputs, values, calls, false);
  return {
    name,
    threads,
    calls,
    run: () => void often.runSync(values),
    outputs: () => {
      const once = program(part, inputs, values, 1, true);
      const outputs = once.runSync(values).map(({ data }) => data);
      once.release();
      // What a program gives are tensors, of floats: indices that it writes besides are compared by the tests of its kernels.
      return written(part).map((name, i) =>
        part.arrays[name] instanceof Float32Array ? outputs[i] : undefined,
      );
    },
    release: () => often.release(),
  };
}

/** What changes from run to run. A filter does not: a program arranges its weights once. */
const floatsRead = ({ kernel, arrays }: Part): string[] =>
  Object.keys(kernel.roles).filter(
    (name) => kernel.roles[name] === "read" && name !== "w" && arrays[name] instanceof Float32Array,
  );

/** A program of `calls` equal calls; it gives the outputs of the last one, or nothing. */
function program(
  part: Part,
  inputs: readonly string[],
  values: readonly Tensor[],
  calls: number,
  gives: boolean,
): Runnable {
  const { kernel, arrays, dims } = part;
  const call = kernel as unknown as (arrays: Arrays, dims: unknown) => void;
  return prepare(
    capture((placeholders) => {
      const read = inputs.map((name, i) => [name, placeholders[i].data]);
      let outputs: Tensor[] = [];
      for (let i = 0; i < calls; i++) {
        const fresh = written(part).map((name) => {
          const { length } = arrays[name]!;
          return [name, arrays[name] instanceof Float32Array ? allocate(length) : allocateIndices(length)];
        });
        call({ ...arrays, ...Object.fromEntries(read), ...Object.fromEntries(fresh) }, dims);
        outputs = fresh.map(([, array]) => tensor(array as Float32Array));
      }
      return gives ? outputs : [];
    }, values),
  );
}
