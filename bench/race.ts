// Contenders against each other on one input, each in a process of its own: all are loaded, their outputs are
// compared with the reference, and those that are right take turns.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { exportOnnx } from "@saunet/interop";
import { inspectNetwork } from "@saunet/model";
import { type Contender, type Discipline, takesPart } from "./contenders/contender.ts";
import { installPeers } from "./contenders/install.ts";
import { ContenderError, type ContenderFiles, ContenderProcess } from "./contenders/process.ts";
import { contenders } from "./contenders/registry.ts";
import { type Effort, measure, type Task } from "./harness.ts";
import { ABOUT_INPUTS, makeInputs, shippedWeights, writeInputs } from "./inputs.ts";
import { OURS, REFERENCE } from "./names.ts";
import { RESULTS } from "./paths.ts";
import { rowOf } from "./rows.ts";
import type { Row } from "./schema.ts";
import type { Open, Session } from "./session.ts";
import { type Settings, sizeOf } from "./settings.ts";
import { maxAbsDiff } from "./statistics.ts";
import { oneOf } from "./usage.ts";
import {
  errorOfGradients,
  errorOfNetwork,
  errorOfOutputs,
  GRADIENT_TOLERANCE,
  reasonOf,
  TOLERANCE,
} from "./verify.ts";

/** Before each run the threads of the contender before are given this long to fall asleep. */
const PAUSE_MS = 50;
/** A training step is a forward and a backward pass; the latter has two products for each of the former. */
const TRAINING_FLOPS = 3;

interface Entrant {
  readonly contender: Contender;
  readonly name: string;
  readonly threads: number;
  readonly version: string | undefined;
  readonly process: ContenderProcess;
}

/** Opens the race of whole networks. */
export const openModel: Open = (settings) => openRaces("model", [sizeOf(settings, 592)], settings);

/** Opens the race of steps of training. */
export const openTrain: Open = (settings) => openRaces("train", [sizeOf(settings, 128)], settings);

/** The size of the whole network's own race is left out: one page should have one answer. */
const SIZES = [256, 384, 512, 704, 896];

/** Opens a race of whole networks a size: how time and memory grow. Those of the short run where none are named. */
export const openSizes: Open = (settings) =>
  openRaces(
    "model",
    SIZES.map((size) => [size, size] as const),
    { ...settings, quick: settings.peers === undefined },
  );

async function openRaces(
  discipline: Discipline,
  sizes: readonly (readonly [number, number])[],
  settings: Settings,
): Promise<Session> {
  const chosen = choose(discipline, settings);
  if (chosen.some(({ quick, python }) => !quick && python === undefined)) installPeers();
  const named = (size: readonly [number, number]) => size.join("x");
  const [[height, width]] = sizes;
  return {
    units: sizes.map((size) => (sizes.length === 1 ? `${discipline} ${named(size)}` : named(size))),
    about: ABOUT_INPUTS,
    ...(sizes.length === 1 && { input: [height, width, 3] }),
    measure: async (unit, without) => {
      const rows = await race(
        discipline,
        sizes[unit],
        chosen.filter(({ name }) => !without.has(name)),
        settings,
      );
      return sizes.length === 1 ? rows : rows.map((row) => ({ ...row, shape: named(sizes[unit]) }));
    },
    end: () => {
      for (const child of running) child.end();
    },
  };
}

const running = new Set<ContenderProcess>();

/** Runs one race. */
async function race(
  discipline: Discipline,
  [height, width]: readonly [number, number],
  chosen: readonly Contender[],
  settings: Settings,
): Promise<Row[]> {
  const files = prepareFiles(height, width);
  const { config } = shippedWeights();
  const { flops } = inspectNetwork(config, { height, width });
  const rows: Row[] = [];
  const ready: Entrant[] = [];
  const diffs = new Map<Entrant, number | null>();
  let reference: FirstRuns | undefined;
  try {
    for (const contender of chosen)
      for (const threads of contender.threads) {
        const { name } = contender;
        const child = new ContenderProcess(settings.timeout, contender.python ? "python" : "node");
        running.add(child);
        try {
          process.stderr.write(`bench: ${name} on ${threads === 1 ? "1 thread" : `${threads} threads`}\n`);
          const version = await child.load(name, threads, discipline, files);
          const entrant = { contender, name, threads, version, process: child };
          const found = await firstRuns(discipline, child);
          if (reference === undefined) {
            if (name !== REFERENCE)
              throw new Error(`${REFERENCE} failed, so there is nothing to compare with`);
            reference = found;
            diffs.set(entrant, null);
          }
          const diff = maxAbsDiff(found.output, reference.output);
          const reason = whyWrong(found, reference);
          if (reason !== undefined) {
            rows.push({ name, threads, status: "wrong", reason, max_abs_diff: diff });
            child.end();
          } else {
            if (found !== reference) diffs.set(entrant, diff);
            ready.push(entrant);
          }
        } catch (error) {
          rows.push({ name, threads, ...failed(error) });
          child.end();
        }
      }
    const label = ({ name, threads }: Entrant) => `${name}/${threads}`;
    const tasks = ready.map(
      (entrant): Task => ({
        name: label(entrant),
        sample: async (runs) => {
          await setTimeout(PAUSE_MS);
          return entrant.process.run(runs);
        },
      }),
    );
    process.stderr.write(`bench: timing ${tasks.map(({ name }) => name).join(", ")}\n`);
    const timings = await measure(tasks, effortOf(settings));
    for (const entrant of ready) {
      const { name, threads, version } = entrant;
      const timing = timings.get(label(entrant))!;
      if (timing instanceof Error) {
        rows.push({ name, threads, ...failed(timing) });
        continue;
      }
      rows.push(
        rowOf({ name, threads }, timing, {
          flops: discipline === "train" ? TRAINING_FLOPS * flops : flops,
          max_abs_diff: diffs.get(entrant)!,
          ...(version !== undefined && { version }),
          peak_rss_mb: Math.round(await entrant.process.peakRssMb()),
        }),
      );
    }
  } finally {
    for (const child of running) child.end();
    running.clear();
  }
  return inOrder(rows);
}

/** Who takes part: ours always, for without them there is nothing to compare with. */
function choose(discipline: Discipline, { peers, quick }: Settings): readonly Contender[] {
  const able = contenders.filter((contender) => takesPart(contender, discipline));
  const names = [...new Set(able.map(({ name }) => name))];
  for (const peer of peers ?? []) oneOf(`peer for ${discipline}`, peer, names);
  return able.filter(({ name, quick: isQuick }) => {
    if (name === OURS || name === REFERENCE) return true;
    return peers === undefined ? !quick || isQuick : peers.includes(name);
  });
}

function prepareFiles(height: number, width: number): ContenderFiles {
  const folder = join(RESULTS, "local", `inputs-${height}x${width}`);
  mkdirSync(folder, { recursive: true });
  const files = { inputs: join(folder, "inputs.safetensors"), onnx: join(folder, "network.onnx") };
  const inputs = makeInputs(height, width);
  writeFileSync(files.inputs, writeInputs(inputs));
  const { config, parameters } = inputs;
  writeFileSync(files.onnx, exportOnnx({ config, parameters, metadata: {} }, { batch: 1, height, width }));
  return files;
}

/** What a contender gives at first: probabilities; or the losses of two steps, and Adam's moments after the first. */
interface FirstRuns {
  readonly output: Float32Array;
  readonly moments: readonly Float32Array[];
}

async function firstRuns(discipline: Discipline, child: ContenderProcess): Promise<FirstRuns> {
  const first = await child.output();
  if (discipline === "model") return { output: first, moments: [] };
  const moments = await child.moments();
  const [second] = await child.output();
  return { output: Float32Array.of(first[0], second), moments };
}

/** Why first runs are wrong, if they are. */
export function whyWrong(found: FirstRuns, reference: FirstRuns): string | undefined {
  if (reference.moments.length === 0) return whyWrongNetwork(found.output, reference.output);
  const error = errorOfOutputs([found.output], [reference.output]);
  if (!(error <= TOLERANCE)) return reasonOf("its output", error, TOLERANCE);
  const ofGradients = errorOfGradients(found.moments, reference.moments);
  if (!(ofGradients <= GRADIENT_TOLERANCE)) return reasonOf("a gradient", ofGradients, GRADIENT_TOLERANCE);
  return undefined;
}

/** Why probabilities are wrong, if they are. */
export function whyWrongNetwork(found: Float32Array, reference: Float32Array): string | undefined {
  const error = errorOfNetwork(found, reference);
  if (error <= 1) return undefined;
  return `its output differs by ${maxAbsDiff(found, reference).toExponential(1)}, ${error.toPrecision(2)} times what is let pass`;
}

function effortOf({ quick, seconds }: Settings): Effort {
  const usual = quick ? 4 : 20;
  return { seconds: seconds ?? usual, minRuns: 3, maxRuns: 30 };
}

/** How it is told that there is no time of something. */
export function failed(error: unknown): {
  readonly status: "not installed" | "failed";
  readonly reason: string;
} {
  const reason = error instanceof Error ? error.message : String(error);
  const notInstalled = error instanceof ContenderError && error.notInstalled;
  return { status: notInstalled ? "not installed" : "failed", reason };
}

function inOrder(rows: readonly Row[]): Row[] {
  const place = ({ name, threads }: Row) =>
    1000 * contenders.findIndex((contender) => contender.name === name) + threads;
  return [...rows].sort((a, b) => place(a) - place(b));
}
