// The figures of vessels, of all photographs that are segmented, while a person wants them: at the threshold that is set, one
// photograph after the other, the one that is shown first.

import { computed, effect, signal, untracked } from "@preact/signals";
import type { VesselColumn } from "@saunet/data/measure";
import { STEPS } from "../pictures/tally.ts";
import { type Started, started, startUp, WorkerError } from "../ui/worker.ts";
import { type Item, items, type Result, resultOf, selected } from "./items.ts";
import { fieldOnly, threshold } from "./look.ts";
import type { MeasureWorker } from "./measure.worker.ts";

/** Whether they are wanted. */
export const wantsFigures = signal(false);

/** What is shown of the columns of `saunet measure`; the CSV has all of them. */
export const FIGURES = [
  { name: "length_density_per_px", title: "Length density, 1/px" },
  { name: "width_median_px", title: "Median width, px" },
  { name: "end_points", title: "Ends" },
  { name: "branch_points", title: "Branch points" },
  { name: "d0", title: "Fractal D0" },
  { name: "arc_over_chord", title: "Tortuosity" },
] as const;
export type FigureName = (typeof FIGURES)[number]["name"];

/** What was measured, and in what. */
interface Measured extends Pick<Result, "probability" | "field"> {
  readonly step: number;
  readonly fieldOnly: boolean;
  /** None where measuring failed. */
  readonly columns: readonly VesselColumn[];
}

/** By photograph. */
const measured = signal<ReadonlyMap<number, Measured>>(new Map());

/** The figures of a photograph; undefined until they are there, and none where measuring failed. */
export function figuresOf(item: Item): readonly VesselColumn[] | undefined {
  const found = measured.value.get(item.id);
  const result = resultOf(item);
  const isCurrent =
    found !== undefined &&
    found.probability === result?.probability &&
    found.field === result.field &&
    found.step === threshold.value &&
    found.fieldOnly === fieldOnly.value;
  return isCurrent ? found.columns : undefined;
}

/** How many photographs are still to be measured. */
export const unmeasured = computed(() => (wantsFigures.value ? items.value.filter(isUnmeasured).length : 0));

const isUnmeasured = (item: Item): boolean => resultOf(item) !== undefined && figuresOf(item) === undefined;

let worker: Started<MeasureWorker> | undefined;
let works = false;

effect(() => {
  if (unmeasured.value > 0) untracked(() => void work());
});

async function work(): Promise<void> {
  if (works) return;
  works = true;
  for (let next = nextItem(); next !== undefined; next = nextItem()) await measure(next);
  works = false;
}

function nextItem(): Item | undefined {
  if (!wantsFigures.value) return undefined;
  const shown = selected();
  return shown !== undefined && isUnmeasured(shown) ? shown : items.value.find(isUnmeasured);
}

async function measure(item: Item): Promise<void> {
  const { width, height, probability, field } = resultOf(item)!;
  const own = { probability, field, step: threshold.value, fieldOnly: fieldOnly.value };
  const columns = await columnsOf({ ...own, width, height });
  const kept = items.value.flatMap(({ id }) => {
    const found = id === item.id ? { ...own, columns } : measured.value.get(id);
    return found === undefined ? [] : [[id, found] as const];
  });
  measured.value = new Map(kept);
}

async function columnsOf({
  step,
  ...found
}: Omit<Measured, "columns"> & { readonly width: number; readonly height: number }): Promise<
  readonly VesselColumn[]
> {
  try {
    if (worker === undefined) await startUp(make);
    const { remote, failed } = worker!;
    return await Promise.race([remote.measure({ ...found, threshold: step / STEPS }), failed]);
  } catch (error) {
    // The next photograph has a worker of its own.
    if (error instanceof WorkerError) {
      worker?.end();
      worker = undefined;
    }
    return [];
  }
}

function make(): Started<MeasureWorker> {
  worker = started<MeasureWorker>(
    new Worker(new URL("./measure.worker.ts", import.meta.url), { type: "module" }),
  );
  return worker;
}
