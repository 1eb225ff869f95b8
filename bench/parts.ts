// Single kernel calls, each timed alone: in plain TypeScript, and as accelerate() runs them in a captured program.
//
// A captured program keeps what lies between its calls in its own memory. To see that and not the way in and out, the
// program that is timed makes the same call several times, and its time is divided by their number.

import { capture, prepare, type Runnable, type Tensor, tensor } from "@saunet/core";
import {
  type AnyKernel,
  type Arrays,
  allocate,
  allocateIndices,
  type Conv2dDims,
  type FlatArray,
} from "@saunet/core/kernels";
import { accelerate, type Convolutions, restore } from "@saunet/wasm";
import { type Effort, measure, type Task } from "./harness.ts";
import { machineRecord } from "./machine.ts";
import type { Options } from "./options.ts";
import { precise, type Results, type Row, rowOf } from "./results.ts";
import { maxAbsDiff, perCall } from "./statistics.ts";

/** One kernel call. */
export interface Part {
  /** Where it stands: a layer, or a line of a shape list. */
  readonly shape: string;
  readonly kernel: AnyKernel;
  readonly arrays: Arrays;
  readonly dims: unknown;
}

/** Outputs are of the order of 1. */
const TOLERANCE = 1e-3;
/** Calls of one timed program. */
const CALLS = 8;

/** What a 3x3 convolution could have run with instead. */
const ROADS: readonly Convolutions[] = ["direct", "winograd4", "winograd6"];
/** Enough for any part; as many as there are parts and roads exist at a time until they are collected. */
const MEMORY_OF_PART = 2 ** 30;

/**
 * Verifies and times every part.
 *
 * @param how.roads whether each 3x3 convolution is timed with the algorithms too that were not chosen; one thread alone,
 *   since a pool of threads ends where another begins
 */
export async function timeParts(
  bench: string,
  parts: readonly Part[],
  options: Options,
  { roads = false }: { readonly roads?: boolean } = {},
): Promise<Results> {
  const machine = machineRecord();
  const threads = options.threads ?? 1;
  const effort: Effort = {
    seconds: options.seconds ?? (options.quick ? 0.2 : 1),
    minRuns: 3,
    maxRuns: 100,
  };
  const simd = Math.max(machine.peak_gflops.simd, machine.peak_gflops.relaxedSimd ?? 0);
  const results: Row[] = [];
  for (const part of parts) {
    process.stderr.write(`bench: ${part.shape} ${part.kernel.name}\n`);
    const wanted = outputsOf(part, part.kernel.reference);
    const forms: Form[] = [];
    const tasks = new Map<Form, number>();
    const row = ({ code, threads: t }: Form) => ({
      shape: part.shape,
      name: `${part.kernel.name} ${code}`,
      threads: t,
    });
    const consider = (form: Form) => {
      forms.push(form);
      const diff = Math.max(0, ...form.outputs().map((output, i) => maxAbsDiff(output, wanted[i])));
      if (diff <= TOLERANCE) tasks.set(form, diff);
      else {
        const reason = `differs by ${diff.toExponential(1)} from the reference`;
        results.push({ ...row(form), status: "wrong", reason, max_abs_diff: diff });
      }
    };
    consider(typescriptForm(part));
    const report = await accelerate({ threads, memoryLimit: MEMORY_OF_PART });
    if (report.kernels.includes(part.kernel.name)) consider(acceleratedForm(part, report.threads));
    if (roads && report.threads === 1 && hasRoads(part))
      for (const convolutions of ROADS) {
        await accelerate({ threads, memoryLimit: MEMORY_OF_PART, convolutions });
        consider(acceleratedForm(part, 1, `accelerated ${convolutions}`));
      }
    const summaries = await measure([...tasks.keys()], effort);
    for (const [form, diff] of tasks) {
      const summary = summaries.get(form.name)!;
      if (summary instanceof Error) {
        results.push({ ...row(form), status: "failed", reason: summary.message });
        continue;
      }
      const one = perCall(summary, form.calls);
      const flops = flopsOf(part);
      const peak = form.code === "typescript" ? machine.peak_gflops.typescript : simd * form.threads;
      const gflops = flops === undefined ? undefined : flops / one.median_ms / 1e6;
      results.push(
        rowOf(row(form), one, {
          ...(gflops && { gflops: precise(gflops), share_of_peak: precise(gflops / peak) }),
          max_abs_diff: precise(diff),
        }),
      );
    }
    for (const form of forms) form.release();
  }
  restore();
  return { bench, command: options.command, machine, results };
}

/** A way to make the call. */
export interface Form extends Task {
  readonly code: "typescript" | "accelerated" | `accelerated ${Convolutions}`;
  readonly threads: number;
  /** How many calls a run makes. */
  readonly calls: number;
  /** What the call writes. */
  readonly outputs: () => readonly FlatArray[];
  readonly release: () => void;
}

/** Counted for convolutions alone: what the other kernels take is memory, not arithmetic. */
function flopsOf({ kernel, dims }: Part): number | undefined {
  return kernel.name.startsWith("conv2d.") ? (dims as Conv2dDims).flops : undefined;
}

/** Whether Winograd's algorithms suit a part, so that there was something to choose. */
function hasRoads({ kernel, dims }: Part): boolean {
  if (!kernel.name.startsWith("conv2d.")) return false;
  const { KH, KW, C, O } = dims as Conv2dDims;
  return KH === 3 && KW === 3 && Math.min(C, O) >= 4;
}

const written = ({ kernel, arrays }: Part): string[] =>
  Object.keys(kernel.roles).filter((name) => kernel.roles[name] === "write" && arrays[name] !== undefined);

function outputsOf(part: Part, form: AnyKernel["portable"]): readonly FlatArray[] {
  const names = written(part);
  const fresh = names.map((name) => [name, part.arrays[name]!.slice()]);
  const arrays = { ...part.arrays, ...Object.fromEntries(fresh) } as Arrays;
  form(arrays as never, part.dims as never);
  return names.map((name) => arrays[name]!);
}

function typescriptForm(part: Part): Form {
  const { kernel, arrays, dims } = part;
  return {
    name: "typescript",
    code: "typescript",
    threads: 1,
    calls: 1,
    run: () => kernel.portable(arrays as never, dims as never),
    outputs: () => outputsOf(part, kernel.portable),
    release: () => {},
  };
}

/** As accelerate(), which must have been called, runs it in a captured program. */
export function acceleratedForm(part: Part, threads: number, code: Form["code"] = "accelerated"): Form {
  const inputs = floatsRead(part);
  const values = inputs.map((name) => tensor(part.arrays[name] as Float32Array));
  const often = program(part, inputs, values, CALLS);
  return {
    name: code,
    code,
    threads,
    calls: CALLS,
    run: () => void often.runSync(values),
    outputs: () => {
      const once = program(part, inputs, values, 1);
      const outputs = once.runSync(values).map(({ data }) => data);
      once.release();
      return outputs;
    },
    release: () => often.release(),
  };
}

/** What changes from run to run. A filter does not: a program arranges its weights once. */
const floatsRead = ({ kernel, arrays }: Part): string[] =>
  Object.keys(kernel.roles).filter(
    (name) => kernel.roles[name] === "read" && name !== "w" && arrays[name] instanceof Float32Array,
  );

/** A program of `calls` equal calls; it gives the outputs where there is one call, and otherwise nothing. */
function program(part: Part, inputs: readonly string[], values: readonly Tensor[], calls: number): Runnable {
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
      return calls === 1 ? outputs : [];
    }, values),
  );
}
