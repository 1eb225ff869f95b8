// What Winograd's rounding does to the trained network: the same photographs with every algorithm that the convolutions
// can keep to, against direct products.

import { readDataset, type Sample } from "@saunet/data/files";
import { evaluate, loadSegmenter } from "@saunet/model";
import { accelerate, type Convolutions, restore } from "@saunet/wasm";
import { precise, rowOf } from "./rows.ts";
import type { Row } from "./schema.ts";
import type { Open } from "./session.ts";
import { maxAbsDiff } from "./statistics.ts";
import { sign } from "./watch.ts";

const ALGORITHMS: readonly Convolutions[] = ["direct", "winograd4", "winograd6", "fastest"];

/** One photograph as one algorithm sees it. */
interface Seen {
  readonly probability: Float32Array;
  readonly f1: number;
  readonly milliseconds: number;
}

/** Opens the bench: the test photographs of CHASE_DB1 with the bundled weights, once for each algorithm. */
export const openRounding: Open = async (settings) => {
  const [directory] = settings.operands;
  const samples = await readDataset({ kind: "chase", directory, split: "test" });
  return {
    units: [`${samples.length} photographs`],
    measure: async () => {
      const rows: Row[] = [];
      let reference: readonly Seen[] | undefined;
      for (const convolutions of ALGORITHMS) {
        process.stderr.write(`bench: ${convolutions}\n`);
        const { threads } = await accelerate({ threads: settings.threads[0], convolutions });
        const seen = await look(samples);
        restore();
        reference ??= seen;
        const farthest = (distance: (one: Seen, other: Seen) => number) =>
          precise(Math.max(...seen.map((one, i) => distance(one, reference![i]))));
        const times = seen.map(({ milliseconds }) => milliseconds);
        rows.push(
          rowOf(
            { name: convolutions, threads, shape: `${samples.length} photographs` },
            { samples: times, warmup: [], settled: true },
            {
              max_abs_diff: farthest((one, other) => maxAbsDiff(one.probability, other.probability)),
              f1: seen.reduce((sum, { f1 }) => sum + f1, 0) / seen.length,
              max_f1_diff: farthest((one, other) => Math.abs(one.f1 - other.f1)),
            },
          ),
        );
      }
      return rows;
    },
    end: () => void restore(),
  };
};

async function look(samples: readonly Sample[]): Promise<Seen[]> {
  const segmenter = await loadSegmenter();
  const seen: Seen[] = [];
  for (const sample of samples) {
    sign(`photograph ${seen.length + 1}`);
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
