// Chapter 3: patch times filter is a sum, with any filter, at any of the nine places.

import { signal } from "@preact/signals";
import { conv2d, tensor } from "@saunet/core";
import { PATCH, patch } from "../../../../docs/book/eye.ts";
import { signedColour } from "../inside/colours.ts";

const greens = patch();
const FILTERS: Readonly<Record<string, readonly number[]>> = {
  "a dark line down": [1, -2, 1, 1, -2, 1, 1, -2, 1],
  "a dark line across": [1, 1, 1, -2, -2, -2, 1, 1, 1],
  "an edge": [-1, 0, 1, -1, 0, 1, -1, 0, 1],
  "the mean of nine": new Array<number>(9).fill(0.111),
};
const filter = signal<readonly number[]>(FILTERS["a dark line down"]);
const place = signal(0);

/** Computed by the engine, in this browser. */
const sumsOf = (taps: readonly number[]): readonly number[] => [
  ...conv2d(tensor(greens.flat(), [1, 5, 5, 1]), tensor([...taps], [3, 3, 1, 1]), undefined, {
    padding: "valid",
  }).data,
];
const short = (value: number): string => String(Number(value.toFixed(2))).replace("-", "−");

export function PatchIsland() {
  const [row, column] = [Math.floor(place.value / 3), place.value % 3];
  const sums = sumsOf(filter.value);
  const inWindow = (r: number, c: number): boolean =>
    r >= row && r < row + 3 && c >= column && c < column + 3;
  const products = filter.value.map((tap, i) => {
    const value = greens[row + Math.floor(i / 3)][column + (i % 3)];
    return `${short(tap)}·${value}`;
  });
  return (
    <div class="island">
      <label>
        Filter:{" "}
        <select
          onChange={({ currentTarget: { value } }) => {
            filter.value = FILTERS[value];
          }}
        >
          {Object.keys(FILTERS).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <div class="island-row">
        <table aria-label={`Greens from row ${PATCH.row}, column ${PATCH.column}`}>
          <caption>5×5 greens</caption>
          <tbody>
            {greens.map((values, r) => (
              // Rows of pixels have no other name than their place.
              <tr key={`${r}`}>
                {values.map((value, c) => (
                  <td key={`${c}`} class={inWindow(r, c) ? "chosen" : ""}>
                    {value}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        <table>
          <caption>× filter</caption>
          <tbody>
            {[0, 1, 2].map((i) => (
              <tr key={i}>
                {[0, 1, 2].map((j) => (
                  <td key={j}>
                    <input
                      type="number"
                      step="0.5"
                      aria-label={`Tap ${i + 1}, ${j + 1}`}
                      value={filter.value[3 * i + j]}
                      onInput={({ currentTarget: { valueAsNumber } }) => {
                        if (Number.isFinite(valueAsNumber))
                          filter.value = filter.value.map((tap, at) =>
                            at === 3 * i + j ? valueAsNumber : tap,
                          );
                      }}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        <table>
          <caption>= sums: choose one</caption>
          <tbody>
            {[0, 1, 2].map((i) => (
              <tr key={i}>
                {[0, 1, 2].map((j) => (
                  <td key={j} class={place.value === 3 * i + j ? "chosen" : ""}>
                    <button
                      type="button"
                      aria-pressed={place.value === 3 * i + j}
                      onClick={() => {
                        place.value = 3 * i + j;
                      }}
                    >
                      {short(sums[3 * i + j])}
                    </button>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <output style={{ borderColor: signedColour(sums[place.value], 60) }}>
        {products.join(" + ")} = <strong>{short(sums[place.value])}</strong>
      </output>
    </div>
  );
}
