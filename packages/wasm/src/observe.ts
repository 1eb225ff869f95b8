// Watching captured programs at work: what each step took, and each thread's share of it.

/** When one thread was at work, in milliseconds on the caller's `performance.now()`. */
export interface Span {
  /** 0 is the caller. */
  readonly thread: number;
  readonly start: number;
  readonly end: number;
}

/** One step of a run: a phase of generated code, or a kernel in TypeScript. */
export interface StepTiming {
  /** Number of the call that it belongs to, in the list of the `program` that runs. */
  readonly call: number;
  /** The generated code, such as `conv2d_f32_direct_2x16_simd`, or the kernel, such as `resize.forward`. */
  readonly name: string;
  /** When the caller began it and had it back, in milliseconds on `performance.now()`. */
  readonly start: number;
  readonly end: number;
  /** One for each thread that took part. */
  readonly spans: readonly Span[];
}

let observer: ((timing: StepTiming) => void) | undefined;

/**
 * Tells `listener` of every step that accelerated programs take in `runSync` inside `body`. The steps are those of any
 * other run, but the threads meet the caller after each; in `run` they go on among themselves, a little faster.
 *
 * @example
 * await accelerate({ threads: 1 });
 * const program = prepare(capture(([x]) => [silu(x)], [zeros([100])]));
 * const timings: StepTiming[] = [];
 * observe((timing) => timings.push(timing), () => program.runSync([ones([100])]));
 * const [{ call, spans }] = timings;
 * console.log(program.program.calls[call].kernel.name, spans.length); // silu.forward 1
 * restore();
 */
export function observe<T>(listener: (timing: StepTiming) => void, body: () => T): T {
  const outer = observer;
  observer = listener;
  try {
    return body();
  } finally {
    observer = outer;
  }
}

/** Runs a step, and calls the observer. */
export function runObserved(
  { call, name, run }: { readonly call: number; readonly name: string; readonly run: () => void },
  spansOf: () => readonly Span[] | undefined,
): void {
  const start = performance.now();
  run();
  const end = performance.now();
  observer?.({ call, name, start, end, spans: spansOf() ?? [{ thread: 0, start, end }] });
}
