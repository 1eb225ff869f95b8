// All photographs under the stage: a strip of small pictures, or a table with the figures of each.

import { computed, effect, signal } from "@preact/signals";
import { Play } from "lucide";
import { Choice } from "../ui/controls.tsx";
import { count, percent } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { figureText } from "./figures-panel.tsx";
import { Filmstrip, STATES } from "./filmstrip.tsx";
import { isOpen, items, selectedId } from "./items.ts";
import { fieldOnly, threshold } from "./look.ts";
import { FIGURES, type FigureName, figuresOf, wantsFigures } from "./measuring.ts";
import { cancel, resume } from "./queue.ts";
import { type Column, type Order, type Row, rowOf, sorted } from "./sorting.ts";

/** From so many on a table serves better, until a person chooses. */
const MANY = 8;
type Form = "strip" | "table";
const form = signal<Form>("strip");
let isFormChosen = false;
effect(() => {
  const { length } = items.value;
  if (!isFormChosen) form.value = length >= MANY || (wantsFigures.value && length > 1) ? "table" : "strip";
});
const order = signal<Order>({ column: "added", isDescending: false });

const rows = computed(() =>
  sorted(
    items.value.map((item) => ({
      ...rowOf(item, threshold.value, fieldOnly.value),
      figures: wantsFigures.value ? figuresOf(item) : undefined,
    })),
    order.value,
  ),
);

/** Selects the photograph that many places further in the list. */
export function step(by: number): void {
  const order = form.value === "table" ? rows.value.map(({ item }) => item) : items.value;
  const at = order.findIndex(({ id }) => id === selectedId.value);
  const next = order[Math.min(Math.max(at + by, 0), order.length - 1)];
  if (next !== undefined) selectedId.value = next.id;
}

/** The list, with what is going on. */
export function PhotographList() {
  const { value: all } = items;
  if (all.length === 0) return null;
  const openCount = all.filter(isOpen).length;
  const cancelled = all.filter(({ progress }) => progress.kind === "cancelled").length;
  return (
    <section class="filmstrip" aria-label="Photographs">
      {openCount > 0 && (
        <div class="queue-progress">
          <progress value={all.length - openCount} max={all.length} aria-label="Photographs done" />
          <span role="status">
            {all.length - openCount} of {count(all.length, "photograph")}
          </span>
          <button type="button" class="button quiet" onClick={cancel}>
            Cancel
          </button>
        </div>
      )}
      {openCount === 0 && cancelled > 0 && (
        <div class="queue-progress">
          <span role="status">{count(cancelled, "photograph")} cancelled</span>
          <button type="button" class="button quiet" onClick={resume}>
            <Icon node={Play} /> Go on
          </button>
        </div>
      )}
      <div class="photograph-list">
        {form.value === "table" ? <Table /> : <Filmstrip />}
        {all.length > 1 && <FormChoice />}
      </div>
    </section>
  );
}

function FormChoice() {
  return (
    <Choice
      label="Photographs as"
      isLabelHidden
      value={form}
      options={[
        { value: "strip", text: "Strip" },
        { value: "table", text: "Table" },
      ]}
      onValue={(value) => {
        isFormChosen = true;
        form.value = value;
      }}
    />
  );
}

interface HeadingText {
  readonly column: Column;
  readonly text: string;
  readonly truth?: true;
}

const HEADINGS: readonly HeadingText[] = [
  { column: "name", text: "Photograph" },
  { column: "share", text: "Vessels" },
  { column: "f1", text: "F1", truth: true },
  { column: "auc", text: "AUC", truth: true },
];
const WARNINGS: HeadingText = { column: "warnings", text: "Warnings" };

function Table() {
  const hasTruth = rows.value.some(({ auc }) => !Number.isNaN(auc));
  const shown = wantsFigures.value ? FIGURES : [];
  const headings: readonly HeadingText[] = [
    ...HEADINGS.filter(({ truth }) => hasTruth || !truth),
    ...shown.map(({ name, title }) => ({ column: name, text: title })),
    WARNINGS,
  ];
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -1e6, End: 1e6 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
    // The focus goes along, so that a screen reader says the name.
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>(".results [aria-pressed='true']")?.focus(),
    );
  };
  return (
    <div class="results">
      <table>
        <caption class="visually-hidden">
          All photographs. Arrow keys on a name go to the next and the one before.
        </caption>
        <thead>
          <tr>
            {headings.map(({ column, text }) => (
              <Heading key={column} column={column} text={text} />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={onKeyDown}>
          {rows.value.map((row) => (
            <TableRow key={row.item.id} row={row} hasTruth={hasTruth} shown={shown} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading({ column, text }: { column: Column; text: string }) {
  const { column: current, isDescending } = order.value;
  const isSorted = current === column;
  const way = isDescending ? "descending" : "ascending";
  return (
    <th
      scope="col"
      class={column === "name" || column === "warnings" ? "" : "number"}
      aria-sort={isSorted ? way : undefined}
    >
      <button
        type="button"
        onClick={() => {
          // A third click gives back the order in which they came.
          order.value = !isSorted
            ? { column, isDescending: false }
            : isDescending
              ? { column: "added", isDescending: false }
              : { column, isDescending: true };
        }}
      >
        {text} <span aria-hidden="true">{isSorted ? (isDescending ? "↓" : "↑") : ""}</span>
      </button>
    </th>
  );
}

const figure = (value: number): string => (Number.isNaN(value) ? "–" : value.toFixed(4));

function TableRow({
  row: { item, share, f1, auc, warnings, figures },
  hasTruth,
  shown,
}: {
  row: Row;
  hasTruth: boolean;
  shown: readonly { readonly name: FigureName }[];
}) {
  const { id, name, thumbnail, progress } = item;
  const isShown = selectedId.value === id;
  const state = STATES[progress.kind];
  return (
    <tr class={isShown ? "shown" : ""}>
      <th scope="row">
        <button
          type="button"
          aria-pressed={isShown}
          aria-label={`${name}, ${state}`}
          tabIndex={isShown ? 0 : -1}
          onClick={() => {
            selectedId.value = id;
          }}
        >
          {thumbnail ? <img src={thumbnail} alt="" /> : <span class="no-picture" />}
          <span>{name}</span>
        </button>
      </th>
      {Number.isNaN(share) ? <td class="state">{state}</td> : <td class="number">{percent(share)}</td>}
      {hasTruth && <td class="number">{figure(f1)}</td>}
      {hasTruth && <td class="number">{figure(auc)}</td>}
      {shown.map(({ name }) => {
        const { value, reason } = figures?.find((column) => column.name === name) ?? {};
        const isMeasured = figures !== undefined || Number.isNaN(share);
        return (
          <td key={name} class="number" title={reason}>
            {value !== undefined ? figureText(value) : isMeasured ? "–" : "…"}
          </td>
        );
      })}
      <td class="warnings">{warnings.join("; ")}</td>
    </tr>
  );
}
