// Matrix products against the peers, each contender in a process of its own: its results are compared with ours in plain
// TypeScript, and those that are right take turns.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { matmul, noGrad } from "@saunet/core";
import { installPeers } from "./contenders/install.ts";
import { ContenderProcess } from "./contenders/process.ts";
import { type Effort, measure, type Task } from "./harness.ts";
import { OURS } from "./names.ts";
import { RESULTS } from "./paths.ts";
import { productContenders } from "./products/contenders.ts";
import { flopsOf, makeFactors, nameOfShape, type ProductShape, writeFactors } from "./products/product.ts";
import { failed } from "./race.ts";
import { precise, rowOf } from "./rows.ts";
import type { Row } from "./schema.ts";
import type { Open } from "./session.ts";
import type { Settings } from "./settings.ts";
import { maxAbsDiff } from "./statistics.ts";
import { oneOf } from "./usage.ts";
import { errorOfOutputs, reasonOf, TOLERANCE } from "./verify.ts";

/** A timed run makes calls of about so many FLOPs together, so that the clock does not count. */
const RUN_FLOPS = 2e7;
/** Before each run the threads of the contender before are given this long to fall asleep. */
const PAUSE_MS = 5;

const square = (side: number): ProductShape => ({ batch: 1, m: side, k: side, n: side });
const batched = (batch: number, side: number): ProductShape => ({ ...square(side), batch });

const QUICK_SHAPES = [square(64), square(256), square(1024), batched(64, 32)];
const SHAPES = [
  ...[64, 128, 256, 512, 1024, 2048].map(square),
  ...[65, 255, 1021].map(square),
  { batch: 1, m: 1000, k: 333, n: 77 },
  { batch: 1, m: 1, k: 1024, n: 1024 },
  ...[batched(64, 32), batched(512, 16), batched(16, 100)],
];

/** A contender that multiplies some factors. */
export interface Entrant {
  readonly name: string;
  readonly threads: number;
  /** Gets ready; `calls` is how many calls a run makes. */
  readonly load: (calls: number) => Promise<void>;
  readonly output: () => Promise<Float32Array>;
  /** So many runs; gives the milliseconds of each. */
  readonly run: (runs: number) => Promise<readonly number[]>;
}

/** Opens the bench: a unit a product; the processes of the contenders stay from one to the next. */
export const openProducts: Open = async (settings) => {
  const names = productContenders.map(({ name }) => name);
  for (const peer of settings.peers ?? []) oneOf("peer for matmul", peer, names);
  const chosen = productContenders.filter(
    ({ name, quick }) => name === OURS || (settings.peers?.includes(name) ?? (quick || !settings.quick)),
  );
  if (chosen.some(({ name }) => !name.startsWith(OURS) && name !== "onnxruntime-node")) installPeers();
  const folder = join(RESULTS, "local", "products");
  mkdirSync(folder, { recursive: true });
  const entrants = chosen.flatMap((contender) =>
    contender.threads.map((threads) => ({
      ...contender,
      threads,
      process: new ContenderProcess(settings.timeout),
    })),
  );
  const shapes = settings.quick ? QUICK_SHAPES : SHAPES;
  return {
    units: shapes.map(nameOfShape),
    measure: async (unit, without) => {
      const shape = shapes[unit];
      const factors = makeFactors(shape);
      const inputs = join(folder, `${nameOfShape(shape)}.safetensors`);
      writeFileSync(inputs, writeFactors(factors));
      const wanted = noGrad(() => matmul(factors.a, factors.b)).data;
      const able = entrants.filter(
        ({ name, mostFlops = Number.POSITIVE_INFINITY }) => flopsOf(shape) <= mostFlops && !without.has(name),
      );
      const racing = able.map(
        ({ name: contender, threads, process: child }): Entrant => ({
          name: contender,
          threads,
          load: (calls) => child.loadProduct(contender, threads, inputs, calls),
          output: () => child.output(),
          run: (runs) => child.run(runs),
        }),
      );
      return raceProducts(shape, racing, wanted, effortOf(settings));
    },
    end: () => {
      for (const { process: child } of entrants) child.end();
    },
  };
};

function effortOf({ quick, seconds }: Settings): Effort {
  return { seconds: seconds ?? (quick ? 0.5 : 2), minRuns: 3, maxRuns: 60 };
}

/**
 * Verifies and times contenders on one product.
 *
 * @param wanted what the product is; who differs by more than {@link TOLERANCE} of its largest element gets no time
 */
export async function raceProducts(
  shape: ProductShape,
  entrants: readonly Entrant[],
  wanted: Float32Array,
  effort: Effort,
): Promise<Row[]> {
  const name = nameOfShape(shape);
  const side = shape.batch === 1 && Number.isInteger(Number(name)) ? { size: shape.m } : {};
  const calls = Math.max(1, Math.round(RUN_FLOPS / flopsOf(shape)));
  const subject = ({ name: contender, threads }: Entrant) => ({
    ...{ shape: name, geometry: { ...shape }, ...side },
    ...{ name: contender, threads },
  });
  const rows: Row[] = [];
  const right = new Map<Entrant, number>();
  for (const entrant of entrants) {
    try {
      await entrant.load(calls);
      const output = await entrant.output();
      const diff = maxAbsDiff(output, wanted);
      const error = errorOfOutputs([output], [wanted]);
      if (error <= TOLERANCE) right.set(entrant, diff);
      else {
        const reason = reasonOf("its result", error, TOLERANCE);
        rows.push({ ...subject(entrant), status: "wrong", reason, max_abs_diff: diff });
      }
    } catch (error) {
      rows.push({ ...subject(entrant), ...failed(error) });
    }
  }
  const label = ({ name: contender, threads }: Entrant) => `${contender}/${threads}`;
  const tasks = [...right.keys()].map(
    (entrant): Task => ({
      name: label(entrant),
      sample: async (runs) => {
        await setTimeout(PAUSE_MS);
        return entrant.run(runs);
      },
    }),
  );
  const timings = await measure(tasks, effort);
  for (const [entrant, diff] of right) {
    const timing = timings.get(label(entrant))!;
    if (timing instanceof Error) rows.push({ ...subject(entrant), ...failed(timing) });
    else
      rows.push(
        rowOf(subject(entrant), timing, { calls, flops: flopsOf(shape), max_abs_diff: precise(diff) }),
      );
  }
  return rows;
}
