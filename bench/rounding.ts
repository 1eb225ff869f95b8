// What Winograd's rounding does to the trained network: the same photographs with every algorithm that the convolutions
// can keep to, against direct products.

import { basename } from "node:path";
import { readDataset, type Sample } from "@saunet/data/files";
import { evaluate, loadSegmenter } from "@saunet/model";
import { accelerate, type Convolutions, restore } from "@saunet/wasm";
import { machineRecord } from "./machine.ts";
import type { Options } from "./options.ts";
import { precise, type Results, type Row, rowOf } from "./results.ts";
import { maxAbsDiff, summarize } from "./statistics.ts";
import { UsageError } from "./usage.ts";

const ALGORITHMS: readonly Convolutions[] = ["direct", "winograd4", "winograd6", "fastest"];

/** One photograph as one algorithm sees it. */
interface Seen {
  readonly probability: Float32Array;
  readonly f1: number;
  readonly milliseconds: number;
}

/** Segments the test photographs of CHASE_DB1 with the bundled weights, once for each algorithm. */
export async function rounding(options: Options): Promise<Results> {
  const [directory, ...others] = options.operands;
  if (directory === undefined || others.length > 0)
    throw new UsageError("winograd: wants the folder of CHASE_DB1");
  const samples = await readDataset({ kind: "chase", directory, split: "test" });
  const machine = machineRecord();
  const results: Row[] = [];
  let reference: readonly Seen[] | undefined;
  for (const convolutions of ALGORITHMS) {
    process.stderr.write(`bench: ${convolutions}\n`);
    const { threads } = await accelerate({ threads: options.threads ?? 1, convolutions });
    const seen = await look(samples);
    restore();
    reference ??= seen;
    const farthest = (distance: (one: Seen, other: Seen) => number) =>
      precise(Math.max(...seen.map((one, i) => distance(one, reference![i]))));
    results.push(
      rowOf(
        { name: convolutions, threads, shape: `${samples.length} photographs` },
        summarize(seen.map(({ milliseconds }) => milliseconds)),
        {
          max_abs_diff: farthest((one, other) => maxAbsDiff(one.probability, other.probability)),
          f1: seen.reduce((sum, { f1 }) => sum + f1, 0) / seen.length,
          max_f1_diff: farthest((one, other) => Math.abs(one.f1 - other.f1)),
        },
      ),
    );
  }
  return { bench: "winograd", command: `pnpm bench winograd ${basename(directory)}`, machine, results };
}

async function look(samples: readonly Sample[]): Promise<Seen[]> {
  const segmenter = await loadSegmenter();
  const seen: Seen[] = [];
  for (const sample of samples) {
    const [photograph, { data: truth }] = [await sample.image(), await sample.vessels()];
    const fieldOfView = (await sample.fieldOfView()).data;
    // The first run of a size compiles; it is not what is looked at.
    if (seen.length === 0) await segmenter.segment(photograph);
    const start = performance.now();
    const { probability } = await segmenter.segment(photograph);
    const milliseconds = performance.now() - start;
    seen.push({ probability, f1: evaluate({ probability, truth, fieldOfView }).f1, milliseconds });
  }
  segmenter.release();
  return seen;
}
