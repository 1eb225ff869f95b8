import type { StepTiming } from "@saunet/wasm";
import { expect, it } from "vitest";
import { traceOf } from "./trace.ts";

const step = (call: number, spans: StepTiming["spans"]): StepTiming => ({
  ...{ call, name: `code${call}`, spans },
  start: Math.min(...spans.map(({ start }) => start)),
  end: Math.max(...spans.map(({ end }) => end)),
});

it("begins at 0, counts in microseconds and names the threads in the order of their numbers", () => {
  const timings = [
    step(0, [
      { thread: 10, start: 1000.5, end: 1000.75 },
      { thread: 2, start: 1000.25, end: 1000.5 },
    ]),
    step(1, [{ thread: 0, start: 1001.25, end: 1003.25 }]),
  ];
  const labels = [
    { layer: "encoder1", kernel: "conv2d", flops: 54, bytes: 12 },
    { layer: "head", kernel: "sigmoid", bytes: 8 },
  ];
  const named = (name: string, tid: number, what: string) => ({
    ...{ name, ph: "M", pid: 1, tid },
    args: { name: what },
  });
  const first = { name: "encoder1 conv2d", cat: "conv2d", ph: "X", pid: 1 };
  const args = { code: "code0", call: 0, flops: 54, bytes: 12 };
  expect(traceOf("tiny on 4x4x3", timings, (call) => labels[call])).toEqual({
    traceEvents: [
      named("process_name", 0, "tiny on 4x4x3"),
      named("thread_name", 0, "caller"),
      named("thread_name", 2, "worker 2"),
      named("thread_name", 10, "worker 10"),
      { ...first, tid: 10, ts: 250, dur: 250, args },
      { ...first, tid: 2, ts: 0, dur: 250, args },
      {
        ...{ name: "head sigmoid", cat: "sigmoid", ph: "X", pid: 1, tid: 0, ts: 1000, dur: 2000 },
        args: { code: "code1", call: 1, bytes: 8 },
      },
    ],
    displayTimeUnit: "ms",
  });
});
