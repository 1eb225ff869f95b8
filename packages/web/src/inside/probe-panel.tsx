// Patch times filter, summed up: how one number comes about.

import { signed } from "../ui/format.ts";
import { Pixels } from "../ui/pixels.tsx";
import { filterImage, isPale, signedColour } from "./colours.ts";
import type { Detail } from "./state.ts";
import type { Probe } from "./trace.ts";

/** So many input channels are shown in full, those that weigh most; the others as one sum. */
const SHOWN = 3;

/** The number that was clicked. */
export function ProbePanel({ shown: { id, channel, row, column, probe } }: { shown: Detail }) {
  const order = [...probe.contributions.keys()].sort(
    (a, b) => Math.abs(probe.contributions[b]) - Math.abs(probe.contributions[a]),
  );
  const heaviest = order.slice(0, SHOWN);
  const others = order.slice(SHOWN).reduce((sum, c) => sum + probe.contributions[c], 0);
  return (
    <section class="probe" aria-label="One number taken apart">
      <h3>One number, taken apart</h3>
      <p class="small">
        Row {row}, column {column}, channel {channel}: the patch of each input channel, times its filter.
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">from</th>
            <th scope="col">patch</th>
            <th scope="col">× filter</th>
            <th scope="col">= sum</th>
          </tr>
        </thead>
        <tbody>
          {heaviest.map((c) => (
            <tr key={c}>
              <th scope="row">{inputsOf(id)?.[c] ?? `channel ${c}`}</th>
              <td>
                <Square probe={probe} values={probe.patch} input={c} />
              </td>
              <td>
                <Square probe={probe} values={probe.filter} input={c} />
              </td>
              <td class="number">{signed(probe.contributions[c])}</td>
            </tr>
          ))}
          {order.length > SHOWN && (
            <tr>
              <th scope="row" colSpan={3}>
                {order.length - SHOWN} other channels
              </th>
              <td class="number">{signed(others)}</td>
            </tr>
          )}
          {probe.bias !== 0 && (
            <tr>
              <th scope="row" colSpan={3}>
                bias
              </th>
              <td class="number">{signed(probe.bias)}</td>
            </tr>
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colSpan={3}>
              the convolution's number
            </th>
            <td class="number" data-testid="probe-sum">
              {signed(probe.sum)}
            </td>
          </tr>
          <tr>
            <th scope="row" colSpan={3}>
              {outcomeOf(id)}
            </th>
            <td class="number">
              <strong data-testid="probe-activation">{signed(probe.activation)}</strong>
            </td>
          </tr>
        </tfoot>
      </table>
      <p class="small">
        The engine computes {signed(probe.computed)} for it (a difference of{" "}
        {Math.abs(probe.sum - probe.computed).toExponential(0)}).
      </p>
      {probe.inputChannels > SHOWN && <Filter probe={probe} channel={channel} />}
    </section>
  );
}

/** The whole filter of the channel: one square for each input channel, against the largest of all its numbers. */
function Filter({ probe, channel }: { probe: Probe; channel: number }) {
  return (
    <figure class="filter">
      <Pixels image={filterImage(probe)} label={`The filter of channel ${channel}`} />
      <figcaption class="small">
        The filter of channel {channel}: {probe.filterHeight} × {probe.filterWidth} for each of{" "}
        {probe.inputChannels} input channels; blue is negative, red positive.
      </figcaption>
    </figure>
  );
}

/** Names of the input channels, where they have one. */
function inputsOf(id: string): readonly string[] | undefined {
  if (id === "encoder1.conv1") return ["red", "green", "blue"];
  if (id === "bottleneck.attention") return ["mean", "maximum"];
  return id.endsWith(".attention") ? ["encoder's mean", "decoder's mean"] : undefined;
}

function outcomeOf(id: string): string {
  if (id === "head") return "its sigmoid: the probability";
  if (id.endsWith(".attention")) return "its sigmoid: the gate";
  if (id.endsWith(".up")) return "which is passed on as it is";
  return "normalised in its group, through SiLU";
}

/** The numbers of one input channel, coloured; with digits where they fit. */
function Square({ probe, values, input }: { probe: Probe; values: Float32Array; input: number }) {
  const { filterHeight, filterWidth, inputChannels } = probe;
  const own = Array.from(
    { length: filterHeight * filterWidth },
    (_, tap) => values[tap * inputChannels + input],
  );
  const largest = Math.max(...own.map((value) => (Number.isNaN(value) ? 0 : Math.abs(value))));
  const fits = filterWidth <= 3;
  return (
    <span
      class={`square ${fits ? "" : "dense"}`}
      style={{ gridTemplateColumns: `repeat(${filterWidth}, auto)` }}
      role="img"
      aria-label={own.map((value) => (Number.isNaN(value) ? "none" : signed(value, 2))).join(", ")}
    >
      {own.map((value, tap) => (
        <span
          // A filter's taps have no other name than their place.
          key={`${tap}`}
          class={Number.isNaN(value) ? "none" : isPale(value, largest) ? "pale" : "strong"}
          style={Number.isNaN(value) ? {} : { background: signedColour(value, largest) }}
        >
          {fits && !Number.isNaN(value) && signed(value, 2)}
        </span>
      ))}
    </span>
  );
}
