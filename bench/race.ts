// Contenders against each other on one input, each in a process of its own: all are loaded, their outputs are
// compared with the reference, and those that are right take turns.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { exportOnnx } from "@saunet/interop";
import { inspectNetwork } from "@saunet/model";
import type { Contender, Discipline } from "./contenders/contender.ts";
import { installPeers } from "./contenders/install.ts";
import { ContenderError, type ContenderFiles, ContenderProcess } from "./contenders/process.ts";
import { contenders, OURS, REFERENCE } from "./contenders/registry.ts";
import { type Effort, measure, type Task } from "./harness.ts";
import { makeInputs, writeInputs } from "./inputs.ts";
import { machineRecord } from "./machine.ts";
import type { Options } from "./options.ts";
import { RESULTS } from "./paths.ts";
import { isMeasured, type NotMeasured, precise, type Results, type Row, rowOf } from "./results.ts";
import { maxAbsDiff } from "./statistics.ts";
import { oneOf } from "./usage.ts";
import { errorOfGradients, errorOfOutputs, GRADIENT_TOLERANCE, reasonOf, TOLERANCE } from "./verify.ts";

/** Before each run the threads of the contender before are given this long to fall asleep. */
const PAUSE_MS = 50;
/** A training step is a forward and a backward pass; the latter has two products for each of the former. */
const TRAINING_FLOPS = 3;

interface Entrant {
  readonly contender: Contender;
  readonly name: string;
  readonly threads: number;
  readonly process: ContenderProcess;
}

/** Runs one race. */
export async function race(
  discipline: Discipline,
  [height, width]: readonly [number, number],
  options: Options,
): Promise<Results> {
  const chosen = choose(discipline, options);
  if (chosen.some(({ quick }) => !quick)) installPeers();
  const machine = machineRecord();
  const files = prepareFiles(height, width);
  const { config } = makeInputs(8, 8);
  const { flops } = inspectNetwork(config, { height, width });
  const effort = effortOf(options);
  const rows: Row[] = [];
  const ready: Entrant[] = [];
  const diffs = new Map<Entrant, number | null>();
  const processes: ContenderProcess[] = [];
  let reference: FirstRuns | undefined;
  try {
    for (const contender of chosen)
      for (const threads of contender.threads) {
        const { name } = contender;
        const child = new ContenderProcess();
        processes.push(child);
        const entrant = { contender, name, threads, process: child };
        try {
          process.stderr.write(`bench: ${name} on ${threads === 1 ? "1 thread" : `${threads} threads`}\n`);
          await child.load(name, threads, discipline, files);
          const found = await firstRuns(discipline, child);
          if (reference === undefined) {
            if (name !== REFERENCE)
              throw new Error(`${REFERENCE} failed, so there is nothing to compare with`);
            reference = found;
            diffs.set(entrant, null);
            keepForScripts(discipline, files, found);
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
          rows.push(failed(entrant, error));
          child.end();
        }
      }
    const label = ({ name, threads }: Entrant) => `${name}/${threads}`;
    const tasks = ready.map(
      (entrant): Task => ({
        name: label(entrant),
        async: true,
        run: async () => {
          await setTimeout(PAUSE_MS);
          return entrant.process.run();
        },
      }),
    );
    process.stderr.write(`bench: timing ${tasks.map(({ name }) => name).join(", ")}\n`);
    const summaries = await measure(tasks, effort);
    for (const entrant of ready) {
      const summary = summaries.get(label(entrant))!;
      if (summary instanceof Error) {
        rows.push(failed(entrant, summary));
        continue;
      }
      const done = discipline === "train" ? TRAINING_FLOPS * flops : flops;
      rows.push(
        rowOf({ name: entrant.name, threads: entrant.threads }, summary, {
          gflops: precise(done / summary.median_ms / 1e6),
          max_abs_diff: diffs.get(entrant)!,
          peak_rss_mb: Math.round(await entrant.process.peakRssMb()),
        }),
      );
    }
  } finally {
    for (const child of processes) child.end();
  }
  return {
    bench: discipline,
    command: options.command,
    machine,
    input: [height, width, config.inputChannels],
    results: inOrder(rows),
    ratios: ratiosOf(rows),
  };
}

/** Who takes part: ours always, for without them there is nothing to compare with. */
function choose(discipline: Discipline, { peers, quick }: Options): readonly Contender[] {
  const able = contenders.filter((contender) => contender[discipline] !== undefined);
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
  const error = errorOfOutputs([found.output], [reference.output]);
  if (!(error <= TOLERANCE)) return reasonOf("its output", error, TOLERANCE);
  const ofGradients = errorOfGradients(found.moments, reference.moments);
  if (!(ofGradients <= GRADIENT_TOLERANCE)) return reasonOf("a gradient", ofGradients, GRADIENT_TOLERANCE);
  return undefined;
}

/** The scripts in bench/peers that run by hand compare themselves with these. */
function keepForScripts(
  discipline: Discipline,
  { inputs }: ContenderFiles,
  { output, moments }: FirstRuns,
): void {
  const file = (name: string) => join(dirname(inputs), `${name}.f32`);
  writeFileSync(file(discipline), output);
  if (discipline === "train") writeFileSync(file("moments"), Buffer.concat(moments.map(bytesOf)));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function effortOf({ quick, seconds }: Options): Effort {
  const usual = quick ? 4 : 20;
  return { seconds: seconds ?? usual, minRuns: quick ? 1 : 2, maxRuns: 30 };
}

function failed({ name, threads }: Entrant, error: unknown): NotMeasured {
  const reason = error instanceof Error ? error.message : String(error);
  const notInstalled = error instanceof ContenderError && error.notInstalled;
  return { name, threads, status: notInstalled ? "not installed" : "failed", reason };
}

function inOrder(rows: readonly Row[]): Row[] {
  const place = ({ name, threads }: Row) =>
    1000 * contenders.findIndex((contender) => contender.name === name) + threads;
  return [...rows].sort((a, b) => place(a) - place(b));
}

/** Each peer against ours at the same number of threads, where there is such a run. */
export function ratiosOf(rows: readonly Row[]): Record<string, number> {
  const measured = rows.filter(isMeasured);
  const ratios: Record<string, number> = {};
  for (const { name, threads, median_ms } of measured) {
    const ours = measured.find((row) => row.name === OURS && row.threads === threads);
    if (name !== OURS && name !== REFERENCE && ours !== undefined)
      ratios[`${name}/${threads}`] = precise(median_ms / ours.median_ms);
  }
  return ratios;
}
