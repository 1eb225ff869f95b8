// Records what each step of one answer of the network takes on one thread, for chapter 12: its processor time, the least
// of many runs, which other programs on the machine hardly change.
// `node --experimental-wasm-relaxed-simd scripts/book/record-steps.mjs` writes docs/book/steps.json.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { prepare } from "@saunet/core";
import { floatsOf } from "@saunet/data";
import { captureInference, layersOf, loadSegmenter, padFloats } from "@saunet/model";
import { accelerate, observe, restore } from "@saunet/wasm";
import { eye } from "../../docs/book/eye.ts";
import { root } from "../workspace.mjs";

const RUNS = 25;

/** The file. */
export interface StepRecord {
  readonly date: string;
  readonly cpu: string;
  readonly node: string;
  readonly runs: number;
  readonly steps: readonly {
    readonly layer: string;
    readonly kernel: string;
    readonly milliseconds: number;
  }[];
}

const { width, height } = eye.image;
const x = padFloats(floatsOf(eye.image), width, height, width, height);
const segmenter = await loadSegmenter();
const runnable = prepare(captureInference(segmenter, x));
await accelerate({ threads: 1 });
for (let i = 0; i < 5; i++) runnable.runSync([x]);

const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const calls: number[] = [];
const least: number[] = [];
for (let run = 0; run < RUNS; run++) {
  let [step, before] = [0, processorTime()];
  const note = ({ call }: { readonly call: number }): void => {
    const now = processorTime();
    calls[step] = call;
    least[step] = Math.min(least[step] ?? Number.POSITIVE_INFINITY, now - before);
    [step, before] = [step + 1, now];
  };
  observe(note, () => runnable.runSync([x]));
}
const { program } = runnable;
const layers = layersOf(program, segmenter.parameters);
const record: StepRecord = {
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0].model,
  node: process.version.slice(1),
  runs: RUNS,
  steps: least.map((milliseconds, i) => ({
    layer: layers[calls[i]],
    kernel: program.calls[calls[i]].kernel.name,
    milliseconds: Math.round(milliseconds * 1000) / 1000,
  })),
};
writeFileSync(join(root, "docs/book/steps.json"), `${JSON.stringify(record)}\n`);
await restore();
