// The figures of the vessels of the photograph that is shown, for whoever wants them.

import { NO_MEDICAL_DEVICE, type VesselColumn } from "@saunet/data/measure";
import { Switch } from "../ui/controls.tsx";
import { type Item, items, type Result, resultOf } from "./items.ts";
import { FIGURES, figuresOf, unmeasured, wantsFigures } from "./measuring.ts";

/** Four digits: more say nothing of vessels that are a few pixels wide. Counts are whole. */
export const figureText = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toPrecision(4);

/** The switch, and what it brings. */
export function VesselFiguresPanel({ item, result }: { item: Item | undefined; result: Result | undefined }) {
  return (
    <section class="group" aria-label="Measures">
      <Switch label="Figures of vessels" value={wantsFigures} />
      {wantsFigures.value && (
        <>
          {item && result && <Figures columns={figuresOf(item)} />}
          <Measuring />
          <p class="small">{NO_MEDICAL_DEVICE}</p>
        </>
      )}
    </section>
  );
}

function Figures({ columns }: { columns: readonly VesselColumn[] | undefined }) {
  if (columns === undefined) return null;
  if (columns.length === 0) return <p class="small">They could not be measured.</p>;
  return (
    <table class="figures one-column">
      <caption class="visually-hidden">Figures of vessels</caption>
      <tbody>
        {FIGURES.map(({ name, title }) => {
          const { value, reason } = columns.find((column) => column.name === name)!;
          return (
            <tr key={name}>
              <th scope="row">{title}</th>
              <td data-testid={name} title={reason}>
                {value === undefined ? "–" : figureText(value)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** How far measuring is, of all photographs. */
function Measuring() {
  const { value: left } = unmeasured;
  if (left === 0) return null;
  const all = items.value.filter((item) => resultOf(item) !== undefined).length;
  return (
    <div class="queue-progress">
      <progress value={all - left} max={all} aria-label="Photographs measured" />
      <span role="status">
        Measured: {all - left} of {all}
      </span>
    </div>
  );
}
