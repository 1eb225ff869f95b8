// Matrix products against the peers, each contender in a process of its own: its results are compared with ours in plain
// TypeScript, and those that are right take turns.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { matmul, noGrad } from "@saunet/core";
import { installPeers } from "./contenders/install.ts";
import { ContenderError, ContenderProcess } from "./contenders/process.ts";
import { OURS, REFERENCE } from "./contenders/registry.ts";
import { type Effort, measure, type Task } from "./harness.ts";
import { type MachineRecord, machineRecord } from "./machine.ts";
import type { Options } from "./options.ts";
import { RESULTS } from "./paths.ts";
import { productContenders } from "./products/contenders.ts";
import { flopsOf, makeFactors, nameOfShape, type ProductShape, writeFactors } from "./products/product.ts";
import { allowRelaxedSimd } from "./relaxed.ts";
import { isMeasured, precise, type Results, type Row, rowOf } from "./results.ts";
import { maxAbsDiff, perCall } from "./statistics.ts";
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
  /** One run; gives its milliseconds. */
  readonly run: () => Promise<number>;
}

/** Runs the bench. */
export async function products(options: Options): Promise<Results> {
  const names = productContenders.map(({ name }) => name);
  for (const peer of options.peers ?? []) oneOf("peer for matmul", peer, names);
  const chosen = productContenders.filter(
    ({ name, quick }) => name === OURS || (options.peers?.includes(name) ?? (quick || !options.quick)),
  );
  if (chosen.some(({ name }) => !name.startsWith(OURS) && name !== "onnxruntime-node")) installPeers();
  // So that the peak is that of the instructions which ours runs with.
  allowRelaxedSimd();
  const machine = machineRecord();
  const folder = join(RESULTS, "local", "products");
  mkdirSync(folder, { recursive: true });
  const entrants = chosen.flatMap((contender) =>
    contender.threads.map((threads) => ({ ...contender, threads, process: new ContenderProcess() })),
  );
  const rows: Row[] = [];
  try {
    for (const shape of options.quick ? QUICK_SHAPES : SHAPES) {
      const name = nameOfShape(shape);
      process.stderr.write(`bench: ${name}\n`);
      const factors = makeFactors(shape);
      const inputs = join(folder, `${name}.safetensors`);
      writeFileSync(inputs, writeFactors(factors));
      const wanted = noGrad(() => matmul(factors.a, factors.b)).data;
      const able = entrants.filter(({ mostFlops = Number.POSITIVE_INFINITY }) => flopsOf(shape) <= mostFlops);
      const racing = able.map(
        ({ name: contender, threads, process: child }): Entrant => ({
          name: contender,
          threads,
          load: (calls) => child.loadProduct(contender, threads, inputs, calls),
          output: () => child.output(),
          run: () => child.run(),
        }),
      );
      rows.push(...(await raceProducts(shape, racing, wanted, effortOf(options))));
    }
  } finally {
    for (const { process: child } of entrants) child.end();
  }
  return {
    bench: "matmul",
    command: options.command,
    machine,
    results: rows,
    ratios: ratiosOf(rows),
    peak_share: peakShares(rows, machine),
  };
}

function effortOf({ quick, seconds }: Options): Effort {
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
    ...{ shape: name, ...side },
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
      const missing = error instanceof ContenderError && error.notInstalled;
      const status = missing ? "not installed" : "failed";
      rows.push({ ...subject(entrant), status, reason: (error as Error).message });
    }
  }
  const label = ({ name: contender, threads }: Entrant) => `${contender}/${threads}`;
  const tasks = [...right.keys()].map(
    (entrant): Task => ({
      name: label(entrant),
      async: true,
      run: async () => {
        await setTimeout(PAUSE_MS);
        return entrant.run();
      },
    }),
  );
  const summaries = await measure(tasks, effort);
  for (const [entrant, diff] of right) {
    const summary = summaries.get(label(entrant))!;
    if (summary instanceof Error) {
      rows.push({ ...subject(entrant), status: "failed", reason: summary.message });
      continue;
    }
    const one = perCall(summary, calls);
    const gflops = precise(flopsOf(shape) / one.median_ms / 1e6);
    rows.push(rowOf(subject(entrant), one, { gflops, max_abs_diff: precise(diff) }));
  }
  return rows;
}

/** Each peer against ours on the same product and threads. */
function ratiosOf(rows: readonly Row[]): Record<string, number> {
  const measured = rows.filter(isMeasured);
  const ratios: Record<string, number> = {};
  for (const { name, threads, shape, median_ms } of measured) {
    const ours = measured.find((row) => row.name === OURS && row.threads === threads && row.shape === shape);
    if (name !== OURS && name !== REFERENCE && ours !== undefined)
      ratios[`${name}/${threads}@${shape}`] = precise(median_ms / ours.median_ms);
  }
  return ratios;
}

/** Ours as a share of what as many cores could do. */
function peakShares(rows: readonly Row[], { peak_gflops }: MachineRecord): Record<string, number> {
  const peak = Math.max(peak_gflops.simd, peak_gflops.relaxedSimd ?? 0);
  const shares: Record<string, number> = {};
  for (const { name, threads, shape, gflops } of rows.filter(isMeasured))
    if (name === OURS && gflops !== undefined)
      shares[`${threads}@${shape}`] = precise(gflops / (peak * threads));
  return shares;
}
