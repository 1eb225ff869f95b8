// saunet profile: where the time of a run goes, call by call.

import { type Program, prepare, type Runnable, type Tensor } from "@saunet/core";
import { intercept } from "@saunet/core/kernels";
import { floatsOf, type Photograph, syntheticFundus } from "@saunet/data";
import { readPhotograph } from "@saunet/data/files";
import { captureInference, layersOf, padFloats, type Segmenter, sizeMultiple } from "@saunet/model";
import { observe, type StepTiming } from "@saunet/wasm";
import { DONE, UsageError } from "../errors.ts";
import { BUNDLED, openSegmenter, withFile, writeFile } from "../files.ts";
import type { Size } from "../options.ts";
import { counted, type Host, megabytes, print, table, writeJson } from "../output.ts";
import { refuseClashes, weightsFile } from "../outputs.ts";
import { type StepLabel, traceOf } from "../trace.ts";

/** Options of `saunet profile`. */
export interface ProfileOptions {
  readonly size?: Size;
  readonly weights?: string;
  readonly runs: number;
  readonly trace?: string;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** One call of the program that runs. */
interface ProfiledCall extends StepLabel {
  /** What ran: generated code, or the kernel's own name where TypeScript did it. */
  readonly code: readonly string[];
  /** Threads that took part. */
  readonly threads: number;
  /** Median over the runs. */
  readonly milliseconds: number;
  /** Of the sum over all calls, 0 … 1. */
  readonly share: number;
}

const USUAL_SIZE: Size = { height: 592, width: 592 };
/** The first runs compile and pack; after them times have settled. */
const WARM_UPS = 3;

/** Times every call of a forward pass, and prints a table or JSON. */
export async function profile(
  photo: string | undefined,
  options: ProfileOptions,
  host: Host,
  threads = 1,
): Promise<number> {
  if (photo !== undefined && options.size !== undefined)
    throw new UsageError("a photograph has a size of its own: name one or give --size, not both");
  if (options.trace !== undefined) {
    await refuseClashes(
      host,
      [{ file: options.trace, what: "the trace", option: "--trace" }],
      [weightsFile(options.weights), ...(photo === undefined ? [] : [photo])],
    );
  }
  const segmenter = await openSegmenter(host, options.weights);
  const x = await inputFor(segmenter, photo, options, host);
  const runnable = prepare(captureInference(segmenter, x));
  const { runs, whole } = await timeRuns(runnable, x, options.runs);
  const { program } = runnable;
  const labels = labelsOf(program, layersOf(program, segmenter.parameters));
  const calls = profiledCalls(labels, runs);
  const [, height, width, channels] = x.shape;
  runnable.release();

  if (options.trace !== undefined) {
    const usual = [...runs].sort((a, b) => lengthOf(a) - lengthOf(b))[Math.floor(runs.length / 2)];
    const trace = traceOf(
      `${segmenter.config.name} on ${height}x${width}x${channels}`,
      usual,
      (call) => labels[call],
    );
    await writeFile(host, options.trace, `${JSON.stringify(trace)}\n`);
  }
  const document = {
    model: segmenter.config.name,
    weights: options.weights ?? BUNDLED,
    input: [height, width, channels],
    threads,
    runs: options.runs,
    /** Medians: a run that stops after each step to be timed, and one that nobody interrupts. */
    milliseconds: { stepByStep: median(runs.map(lengthOf)), whole: median(whole) },
    calls,
  };
  if (options.json) writeJson(host, document);
  else print(host, textOf(document));
  return DONE;
}

async function inputFor(
  { config }: Segmenter,
  photo: string | undefined,
  { size: { height, width } = USUAL_SIZE, maxPixels }: ProfileOptions,
  host: Host,
): Promise<Tensor> {
  const photograph: Photograph =
    photo === undefined
      ? syntheticFundus({ seed: 1, height, width }).image
      : await withFile(host, photo, (path) => readPhotograph(path, { maxPixels }));
  const multiple = sizeMultiple(config);
  const [W, H] = [photograph.width, photograph.height].map((side) => Math.ceil(side / multiple) * multiple);
  return padFloats(floatsOf(photograph), photograph.width, photograph.height, W, H);
}

/** Runs step by step and in one piece by turns, so that a slow minute of the machine falls on both. */
async function timeRuns(runnable: Runnable, x: Tensor, count: number) {
  for (let i = 0; i < WARM_UPS; i++) await runnable.run([x]);
  const runs: StepTiming[][] = [];
  const whole: number[] = [];
  for (let i = 0; i < count; i++) {
    runs.push(stepsOf(runnable, x));
    const start = performance.now();
    await runnable.run([x]);
    whole.push(performance.now() - start);
  }
  return { runs, whole };
}

/** The steps of one run: generated code tells of itself; without it, every call is a kernel of core's own. */
function stepsOf(runnable: Runnable, x: Tensor): StepTiming[] {
  const timings: StepTiming[] = [];
  intercept(
    ({ kernel, run }) => {
      const start = performance.now();
      run();
      const end = performance.now();
      timings.push({
        call: timings.length,
        name: kernel.name,
        start,
        end,
        spans: [{ thread: 0, start, end }],
      });
    },
    () =>
      observe(
        (timing) => timings.push(timing),
        () => runnable.runSync([x]),
      ),
  );
  return timings;
}

const lengthOf = (steps: readonly StepTiming[]): number =>
  steps.reduce((sum, { start, end }) => sum + end - start, 0);

function labelsOf({ calls, buffers }: Program, layers: readonly string[]): StepLabel[] {
  return calls.map(({ kernel, buffers: used, dims }, i) => {
    // What is updated is read and written.
    const bytes = Object.entries(used).reduce(
      (sum, [name, buffer]) =>
        buffer === undefined
          ? sum
          : sum + 4 * buffers[buffer].length * (kernel.roles[name] === "update" ? 2 : 1),
      0,
    );
    const flops = convolutionFlops(dims);
    return { layer: layers[i], kernel: kernel.name, bytes, ...(flops > 0 && { flops }) };
  });
}

/** FLOPs of the convolutions in a call, two for each tap: by themselves, or joined with what follows. */
function convolutionFlops(dims: unknown): number {
  if (typeof dims !== "object" || dims === null) return 0;
  if ("KH" in dims && "flops" in dims) return Number(dims.flops);
  return Object.values(dims).reduce((sum: number, part) => sum + convolutionFlops(part), 0);
}

function profiledCalls(
  labels: readonly StepLabel[],
  runs: readonly (readonly StepTiming[])[],
): ProfiledCall[] {
  const timed = labels.map((label, call) => {
    const stepsOfCall = runs.map((steps) => steps.filter((step) => step.call === call));
    return {
      ...label,
      code: [...new Set(stepsOfCall[0].map(({ name }) => name))],
      // One that is still waking up when the work is done takes no part in it.
      threads: Math.max(1, ...stepsOfCall.flat().map(({ spans }) => spans.length)),
      milliseconds: median(stepsOfCall.map(lengthOf)),
    };
  });
  const sum = timed.reduce((total, { milliseconds }) => total + milliseconds, 0);
  return timed.map((call) => ({ ...call, share: call.milliseconds / sum }));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function textOf(document: {
  readonly model: string;
  readonly input: readonly number[];
  readonly threads: number;
  readonly runs: number;
  readonly milliseconds: { readonly stepByStep: number; readonly whole: number };
  readonly calls: readonly ProfiledCall[];
}): string {
  const { model, input, threads, runs, milliseconds, calls } = document;
  const rows = calls.map(({ layer, kernel, code, threads, milliseconds, share, flops, bytes }) => [
    layer,
    kernel,
    milliseconds.toFixed(3),
    (100 * share).toFixed(1),
    flops === undefined ? "" : (flops / milliseconds / 1e6).toFixed(1),
    megabytes(bytes),
    (bytes / milliseconds / 1e6).toFixed(1),
    threads,
    code.join(", "),
  ]);
  const heading = ["layer", "kernel", "ms", "%", "GFLOP/s", "MB", "GB/s", "threads", "code"];
  const flops = calls.reduce((sum, call) => sum + (call.flops ?? 0), 0);
  const speed = (flops / milliseconds.whole / 1e6).toFixed(1);
  return (
    `${table([heading, ...rows])}\n\n` +
    `${model} on ${input.join("x")}, ${counted(threads, "thread")}, median of ` +
    `${counted(runs, "run")}: ${milliseconds.stepByStep.toFixed(1)} ms step by step, ` +
    `${milliseconds.whole.toFixed(1)} ms in one piece (${speed} GFLOP/s)\n`
  );
}
