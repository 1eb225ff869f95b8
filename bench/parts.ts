// Single kernel calls, each timed alone: in plain TypeScript, accelerated, and by whoever else can make them.

import {
  type AnyKernel,
  type Arrays,
  type Conv2dDims,
  conv2dFilterGradient,
  conv2dForward,
  conv2dTransposed,
  type FlatArray,
  groupedConv2dFilterGradient,
  groupedConv2dForward,
  groupedConv2dTransposed,
} from "@saunet/core/kernels";
import { accelerate } from "@saunet/wasm";
import {
  bytesOf,
  type ConvolutionSpec,
  dimsOf,
  geometryOf,
  type KernelName,
} from "./convolutions/convolution.ts";
import { countEvents } from "./counters.ts";
import { acceleratedForm, CALLS, type Form, outputsOf, typescriptForm } from "./forms.ts";
import { type Effort, measure, type Task, timed } from "./harness.ts";
import type { Attempt } from "./lab/attempt.ts";
import { makeOperands } from "./operands.ts";
import { memorySweep } from "./peak.ts";
import { precise, rowOf, type Subject } from "./rows.ts";
import type { Measured, Row } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { maxAbsDiff } from "./statistics.ts";
import { errorOfOutputs, reasonOf, TOLERANCE } from "./verify.ts";
import { sign } from "./watch.ts";

/** One kernel call. */
export interface Part {
  /** Where it stands: a layer, or a line of a shape list. */
  readonly shape: string;
  readonly kernel: AnyKernel;
  readonly arrays: Arrays;
  readonly dims: unknown;
  /** The line of the shape list. */
  readonly spec?: ConvolutionSpec;
}

/** Someone in a process of his own who makes the call. */
export interface Rival {
  readonly name: string;
  readonly threads: number;
  readonly code?: Measured["code"];
  readonly load: (calls: number) => Promise<void>;
  readonly output: () => Promise<FlatArray>;
  readonly run: (runs: number) => Promise<readonly number[]>;
  readonly failed: (error: unknown) => {
    readonly status: "not installed" | "failed";
    readonly reason: string;
  };
}

/** Enough for any part. */
const MEMORY_OF_PART = 2 ** 30;
/** A rival's run makes calls of about so many FLOPs together, so that the clock does not count. */
const RUN_FLOPS = 5e7;
/** Larger than any cache that one core has for itself. */
const EVICTED_BYTES = 2 ** 26;

/** The part that a line of a shape list and a kernel say. */
export function partOf(spec: ConvolutionSpec, kernel: KernelName): Part {
  const dims = dimsOf(spec);
  const { x, w, gy } = makeOperands(dims);
  const grouped = spec.groups > 1;
  const kernels = {
    forward: [grouped ? groupedConv2dForward : conv2dForward, { y: new Float32Array(gy.length), x, w }],
    transposed: [
      grouped ? groupedConv2dTransposed : conv2dTransposed,
      { x: new Float32Array(x.length), y: gy, w },
    ],
    filterGradient: [
      grouped ? groupedConv2dFilterGradient : conv2dFilterGradient,
      { gw: new Float32Array(w.length), x, gy },
    ],
  } as const;
  const [found, arrays] = kernels[kernel];
  return { shape: spec.name, kernel: found as unknown as AnyKernel, arrays, dims, spec };
}

/** What is known of the accelerated form of this process. */
export interface Acceleration {
  readonly threads: number;
  readonly kernels: readonly string[];
  readonly code: "simd" | "fused";
}

/** Accelerates this process for parts. */
export async function accelerateParts(threads: number): Promise<Acceleration> {
  const report = await accelerate({ threads, memoryLimit: MEMORY_OF_PART });
  return { threads: report.threads, kernels: report.kernels, code: report.relaxed ? "fused" : "simd" };
}

/** Who makes a call beside our own two forms. */
export interface Field {
  readonly rivals?: readonly Rival[];
  readonly attempts?: readonly Attempt[];
  readonly without: ReadonlySet<string>;
}

/** Verifies and times every form of a part. */
export async function timePart(
  part: Part,
  acceleration: Acceleration,
  { rivals = [], attempts = [], without }: Field,
  settings: Settings,
): Promise<Row[]> {
  const { quick, seconds, cold, counters } = settings;
  const effort: Effort = { seconds: seconds ?? (quick ? 0.2 : 1), minRuns: 5, maxRuns: 100 };
  const rows: Row[] = [];
  const wanted = outputsOf(part, part.kernel.reference);
  const ready = new Map<Task, { subject: Subject; calls: number; more: Partial<Measured>; form?: Form }>();
  const forms: Form[] = [];
  const isConvolution = /onv2d\./.test(part.kernel.name);
  const dims = part.dims as Conv2dDims;
  const work = isConvolution ? { flops: dims.flops, bytes: bytesOf(dims) } : {};
  const subjectOf = (name: string, threads: number): Subject => ({
    shape: part.shape,
    geometry: geometryOf(part.dims, wanted[0].length),
    ...(part.spec !== undefined && part.spec.count > 1 && { count: part.spec.count }),
    ...{ name: `${part.kernel.name} ${name}`, threads },
  });
  /** Lets in what computes the right thing. */
  const admit = (
    subject: Subject,
    found: readonly (FlatArray | undefined)[],
    task: Task,
    more: Partial<Measured> & { calls?: number; form?: Form },
  ): void => {
    const { calls = 1, form, ...rest } = more;
    const outputs = found.filter((output) => output !== undefined);
    const expected = wanted.filter((_, i) => found[i] !== undefined);
    const diff = Math.max(0, ...outputs.map((output, i) => maxAbsDiff(output, expected[i])));
    const error = outputs.length > 0 ? errorOfOutputs(outputs, expected) : Number.POSITIVE_INFINITY;
    if (error <= TOLERANCE)
      ready.set(task, {
        ...{ subject, calls, more: { ...work, ...rest, max_abs_diff: precise(diff) } },
        ...(form && { form }),
      });
    else {
      const reason = reasonOf("its result", error, TOLERANCE);
      rows.push({
        ...subject,
        status: "wrong",
        reason,
        ...(Number.isFinite(diff) && { max_abs_diff: diff }),
      });
    }
  };
  const consider = (form: Form, code: Measured["code"], before?: () => void): void => {
    const { name, threads, run, calls } = form;
    if (without.has(name)) return;
    sign(name);
    forms.push(form);
    admit(subjectOf(name, threads), form.outputs(), timed(name, run, before), {
      ...{ calls, form },
      ...(code && { code }),
    });
  };
  const evict = cold ? evictor() : undefined;
  const renamed = (form: Form, name: string): Form => ({ ...form, name });

  const plain = typescriptForm(part);
  consider(plain, "typescript");
  if (evict) consider(renamed(plain, "typescript cold"), "typescript", evict);
  if (acceleration.kernels.includes(part.kernel.name)) {
    const { threads, code } = acceleration;
    consider(acceleratedForm(part, threads), code);
    if (evict) {
      // One call with its image's way into the kernels' memory, since eight calls would find the caches warm.
      const once = acceleratedForm(part, threads, 1, "accelerated once");
      consider(once, code);
      consider(renamed(once, "accelerated once cold"), code, evict);
    }
  }
  for (const attempt of attempts) {
    const form = attemptForm(part, attempt);
    if (form === undefined || without.has(attempt.name)) continue;
    const subject = subjectOf(attempt.name, 1);
    sign(attempt.name);
    try {
      consider(form(), attempt.code);
    } catch (error) {
      rows.push({ ...subject, status: "failed", reason: (error as Error).message.split("\n")[0] });
    }
  }
  const calls = isConvolution ? Math.max(1, Math.min(CALLS, Math.round(RUN_FLOPS / dims.flops))) : CALLS;
  for (const rival of rivals) {
    if (without.has(rival.name)) continue;
    const subject = subjectOf(rival.name, rival.threads);
    try {
      sign(rival.name);
      await rival.load(calls);
      const name = `${rival.name}/${rival.threads}`;
      const task = { name, sample: (runs: number) => rival.run(runs) };
      admit(subject, [await rival.output()], task, { calls, ...(rival.code && { code: rival.code }) });
    } catch (error) {
      rows.push({ ...subject, ...rival.failed(error) });
    }
  }
  const timings = await measure([...ready.keys()], effort);
  for (const [task, { subject, calls: perRun, more, form }] of ready) {
    const timing = timings.get(task.name)!;
    if (timing instanceof Error) {
      rows.push({ ...subject, status: "failed", reason: timing.message });
      continue;
    }
    const events = counters && form !== undefined ? await countEvents(form.run, perRun) : undefined;
    rows.push(rowOf(subject, timing, { calls: perRun, ...more, ...(events && { counters: events }) }));
  }
  for (const form of forms) form.release();
  return rows;
}

/** An attempt's form of a part, if it serves it. */
function attemptForm(part: Part, { name, serves, prepare }: Attempt): (() => Form) | undefined {
  if (part.kernel.name !== "conv2d.forward" || !serves(part.dims as Conv2dDims)) return undefined;
  return () => {
    const dims = part.dims as Conv2dDims;
    const [x, w] = [part.arrays.x, part.arrays.w] as Float32Array[];
    const { y, run, calls = 1 } = prepare(dims, { x, w, b: new Float32Array(dims.O) });
    const outputs = () => {
      run();
      return [y()];
    };
    return { name, threads: 1, calls, run, outputs, release: () => {} };
  };
}

/** What drives everything else out of the caches. */
function evictor(): () => void {
  const sweep = memorySweep(EVICTED_BYTES);
  return () => sweep(EVICTED_BYTES, 1);
}
