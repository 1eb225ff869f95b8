// Runs a bench: in each repetition a fresh process for each arm, unit by unit, the arms in turn and in the opposite order the
// next time.

import { setTimeout } from "node:timers/promises";
import type { Entry, Journal } from "./journal.ts";
import { peakShares, ratiosOf } from "./ratios.ts";
import { merge } from "./rows.ts";
import { type Results, type Row, SCHEMA_VERSION } from "./schema.ts";
import type { BenchName } from "./session.ts";
import { type Arm, HangError, type Measurer, type Opened, SessionProcess } from "./session-process.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage.ts";

/** What is run. */
export interface Run {
  readonly bench: BenchName;
  readonly settings: Settings;
  readonly command: string;
  readonly repeat: number;
  /** Minutes from the beginning of the first repetition to that of the last; 0 where they follow at once. */
  readonly over?: number;
  /** Where it is measured, each with its journal. */
  readonly arms: readonly { readonly arm: Arm; readonly journal: Journal }[];
  /** Starts whatever measures; a process of Node where nothing else is said. */
  readonly start?: (arm: Arm) => Promise<Measurer>;
}

/** The results of each arm; those of a run that was stopped say so. */
export async function run({
  bench,
  settings,
  command,
  repeat,
  over = 0,
  arms,
  start,
}: Run): Promise<Results[]> {
  const begin = start ?? (async (arm: Arm) => new SessionProcess(arm, settings.timeout));
  let stopped = false;
  const stop = new AbortController();
  let active: readonly Bench[] = [];
  const onInterrupt = (): void => {
    if (stopped) {
      for (const each of active) each.end();
      process.exit(130);
    }
    stopped = true;
    stop.abort();
    process.stderr.write("bench: ending after the turn at hand; once more ends at once\n");
    for (const each of active) each.stop();
  };
  process.on("SIGINT", onInterrupt);
  try {
    for (let repetition = 0; repetition < repeat && !stopped; repetition++) {
      const benches = arms.map(
        ({ arm, journal }) => new Bench(() => begin(arm), bench, settings, journal, repetition),
      );
      active = benches;
      const began = Date.now();
      if (repeat > 1) process.stderr.write(`bench: repetition ${repetition + 1} of ${repeat}\n`);
      try {
        let units = 1;
        for (let unit = 0; unit < units && !stopped; unit++) {
          const order = (repetition + unit) % 2 === 0 ? benches : [...benches].reverse();
          for (const each of order) {
            if (stopped) break;
            units = await each.measure(unit, arms.length > 1);
          }
        }
      } finally {
        for (const each of benches) each.end();
      }
      if (repetition < repeat - 1 && benches.some((each) => each.hasMeasured))
        await until(began + (over * 60_000) / (repeat - 1), stop.signal);
    }
  } finally {
    process.off("SIGINT", onInterrupt);
  }
  return arms.map(({ journal }) => assemble(bench, command, repeat, journal.entries, stopped));
}

/** Waits for a moment, or until someone stops it. */
async function until(moment: number, signal: AbortSignal): Promise<void> {
  const left = moment - Date.now();
  if (left <= 0) return;
  process.stderr.write(
    `bench: the next repetition begins at ${new Date(moment).toTimeString().slice(0, 8)}\n`,
  );
  await setTimeout(left, undefined, { signal }).catch(() => {});
}

/** One arm of one repetition. */
class Bench {
  readonly #begin: () => Promise<Measurer>;
  readonly #bench: BenchName;
  readonly #settings: Settings;
  readonly #journal: Journal;
  readonly #repetition: number;
  #measurer: Measurer | undefined;
  #opened: Opened | undefined;
  /** Whether something was measured that the journal did not have. */
  hasMeasured = false;

  constructor(
    begin: () => Promise<Measurer>,
    bench: BenchName,
    settings: Settings,
    journal: Journal,
    repetition: number,
  ) {
    this.#begin = begin;
    this.#bench = bench;
    this.#settings = settings;
    this.#journal = journal;
    this.#repetition = repetition;
  }

  /** Measures a unit unless the journal has it; tells how many units there are. */
  async measure(index: number, tellsArm: boolean): Promise<number> {
    const opened = await this.#open();
    const { units, machine, input, about } = opened;
    const unit = units[index];
    if (unit === undefined) return units.length;
    const isDone = (entry: Entry) =>
      entry.repetition === this.#repetition && entry.unit === unit && !entry.stopped;
    if (this.#journal.entries.some(isDone)) return units.length;
    process.stderr.write(
      `bench: ${unit}${tellsArm ? `, commit ${machine.commit}, Node ${machine.node} ${machine.flags}`.trimEnd() : ""}\n`,
    );
    this.hasMeasured = true;
    const hung: Row[] = [];
    for (;;) {
      try {
        await this.#open();
        const without = hung.map(({ name }) => name);
        const { rows, stopped } = await this.#measurer!.measure(index, without);
        this.#journal.add({
          ...{ repetition: this.#repetition, unit, machine },
          ...(input && { input }),
          ...(about !== undefined && { about }),
          ...{ rows: [...hung, ...rows], stopped },
        });
        return units.length;
      } catch (error) {
        if (error instanceof UsageError) throw error;
        this.end();
        const row = (name: string): Row => ({
          ...{ shape: unit, name, threads: 1 },
          ...{ status: "failed", reason: (error as Error).message },
        });
        if (error instanceof HangError && !hung.some(({ name }) => name === error.doing)) {
          // Without the one that hung the others go on.
          process.stderr.write(`bench: ${error.doing}: ${error.message}\n`);
          hung.push(row(error.doing));
          continue;
        }
        const rows = [...hung, row(this.#bench)];
        this.#journal.add({ repetition: this.#repetition, unit, machine, rows, stopped: false });
        return units.length;
      }
    }
  }

  stop(): void {
    this.#measurer?.stop();
  }

  end(): void {
    this.#measurer?.end();
    this.#measurer = undefined;
  }

  async #open(): Promise<Opened> {
    if (this.#measurer === undefined) {
      this.#measurer = await this.#begin();
      this.#opened = await this.#measurer.open(this.#bench, this.#settings);
    }
    return this.#opened!;
  }
}

/** The result file of what was measured. */
export function assemble(
  bench: BenchName,
  command: string,
  repeat: number,
  entries: readonly Entry[],
  stopped: boolean,
): Results {
  if (entries.length === 0) throw new UsageError(`${bench}: nothing was measured`);
  const [{ machine, input, about }] = entries;
  const rows = merge(
    latest(entries).flatMap(({ rows: found, stopped: early }) =>
      found.map((row): Row => (early && !("status" in row) ? { ...row, interrupted: true } : row)),
    ),
    machine,
  );
  const ratios = ratiosOf(rows);
  return {
    schema: SCHEMA_VERSION,
    ...{ bench, command, machine },
    ...(input && { input: [...input] }),
    ...(about !== undefined && { about }),
    repetitions: repeat,
    ...(repeat > 1 && { minutes: minutesOf(entries) }),
    ...(stopped && { interrupted: true }),
    results: rows,
    ...(Object.keys(ratios).length > 0 && { ratios }),
    ...(bench === "matmul" && { peak_share: peakShares(rows, machine) }),
  };
}

/** Minutes from the first process to the last. */
function minutesOf(entries: readonly Entry[]): number {
  const dates = entries.map(({ machine }) => Date.parse(machine.date));
  return Math.round((Math.max(...dates) - Math.min(...dates)) / 60_000);
}

/** A unit that was stopped and measured again counts once. */
function latest(entries: readonly Entry[]): Entry[] {
  const last = new Map<string, Entry>();
  for (const entry of entries) last.set(`${entry.repetition} ${entry.unit}`, entry);
  return entries.filter((entry) => last.get(`${entry.repetition} ${entry.unit}`) === entry);
}

/** Whether something that was to be measured was wrong or failed, or was asked for by name and is not there. */
export function hasFailures({ results }: Results, peers: readonly string[] = []): boolean {
  return results.some(
    (row) => "status" in row && (row.status !== "not installed" || peers.includes(row.name)),
  );
}
