// Trace events, which trace viewers show (ui.perfetto.dev, chrome://tracing): one a step and thread.
// The format: "Trace Event Format", Google, complete events ("X") in microseconds and metadata ("M").

import type { StepTiming } from "@saunet/wasm";

/** What is known of a step besides its times. */
export interface StepLabel {
  readonly layer: string;
  readonly kernel: string;
  /** Counted for convolutions. */
  readonly flops?: number;
  readonly bytes: number;
}

/** One event of a trace. */
export interface TraceEvent {
  readonly name: string;
  readonly cat?: string;
  /** X: something that took a while; M: what something is called. */
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  /** Beginning and length in microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/** A file that a trace viewer opens. */
export interface Trace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: "ms";
}

const PROCESS = 1;

/** The steps of one run as a trace that begins at 0. */
export function traceOf(
  title: string,
  timings: readonly StepTiming[],
  labelOf: (call: number) => StepLabel,
): Trace {
  const origin = Math.min(...timings.flatMap(({ spans }) => spans.map(({ start }) => start)));
  const microseconds = (milliseconds: number) => Math.round(milliseconds * 1e6) / 1e3;
  const events = timings.flatMap(({ call, name, spans }) => {
    const { layer, kernel, ...figures } = labelOf(call);
    return spans.map(
      ({ thread, start, end }): TraceEvent => ({
        name: `${layer} ${kernel}`,
        cat: kernel,
        ph: "X",
        pid: PROCESS,
        tid: thread,
        ts: microseconds(start - origin),
        dur: microseconds(end - start),
        args: { code: name, call, ...figures },
      }),
    );
  });
  const threads = [...new Set(events.map(({ tid }) => tid))].sort((a, b) => a - b);
  const called = (what: string, tid: number, name: string): TraceEvent => ({
    name: what,
    ph: "M",
    pid: PROCESS,
    tid,
    args: { name },
  });
  return {
    traceEvents: [
      called("process_name", 0, title),
      ...threads.map((tid) => called("thread_name", tid, tid === 0 ? "caller" : `worker ${tid}`)),
      ...events,
    ],
    displayTimeUnit: "ms",
  };
}
