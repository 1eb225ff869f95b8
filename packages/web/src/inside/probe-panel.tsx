// One number in full: what it is made of, patch times filter, and what becomes of the sum.

import { useSignal } from "@preact/signals";
import type { NetworkConfig } from "@saunet/model";
import { signed } from "../ui/format.ts";
import { Pixels } from "../ui/pixels.tsx";
import { filterImage, isPale, signedColour } from "./colours.ts";
import { inputName, nameOf } from "./names.ts";
import type { Probe } from "./probe.ts";
import { OriginStep, OutcomeSteps } from "./probe-steps.tsx";
import { type Source, sourceOf } from "./sources.ts";
import type { Detail } from "./state.ts";

/** So many input channels are shown at first, those that weigh most; the others as one sum. */
const SHOWN = 3;

/** The number that was clicked. */
export function ProbePanel({
  shown,
  config,
  enlarged,
}: {
  shown: Detail;
  config: NetworkConfig;
  enlarged: number;
}) {
  const { id, channel, row, column, probe } = shown;
  const source = sourceOf(config, id);
  const showsAll = useSignal(false);
  const order = [...probe.contributions.keys()].sort(
    (a, b) => Math.abs(probe.contributions[b]) - Math.abs(probe.contributions[a]),
  );
  const listed = showsAll.value ? order : order.slice(0, SHOWN);
  const others = order.slice(listed.length).reduce((sum, c) => sum + probe.contributions[c], 0);
  return (
    <section class="probe" aria-label="One number taken apart">
      <h3>One number, taken apart</h3>
      <p class="small">
        Row {row}, column {column}, channel {channel} of {nameOf(id).toLowerCase()}.
      </p>
      <OriginStep source={source} probe={probe} enlarged={enlarged} />
      <p class="small">{patchText(source, id)}</p>
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
          {listed.map((c) => (
            <tr key={c}>
              <th scope="row">{inputName(source, c, enlarged)}</th>
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
                <button
                  type="button"
                  class="button quiet small-button"
                  aria-expanded={showsAll.value}
                  onClick={() => {
                    showsAll.value = !showsAll.value;
                  }}
                >
                  {showsAll.value ? `Only the ${SHOWN} heaviest` : `${order.length - SHOWN} other channels`}
                </button>
              </th>
              <td class="number">{!showsAll.value && signed(others)}</td>
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
          <OutcomeSteps probe={probe} id={id} />
        </tfoot>
      </table>
      <p class="small">
        The engine computes {signed(probe.computed)} for it. {differenceText(probe)}
      </p>
      {probe.inputChannels > SHOWN && <Filter probe={probe} channel={channel} />}
    </section>
  );
}

/** Both add the same products up in 32-bit floats, in different orders. */
function differenceText({ sum, computed }: Probe): string {
  const difference = Math.abs(sum - computed);
  if (difference === 0) return "Both sums are equal.";
  const exponent = Math.floor(Math.log10(difference)) + 1;
  return `The sums differ by less than ${(10 ** exponent).toFixed(Math.max(0, -exponent))}, since they round in different orders.`;
}

function patchText(source: Source, id: string): string {
  if (id.endsWith(".up"))
    return "A transposed convolution with stride 2 spreads every pixel of the small picture over a square of the large one. Only the taps that meet a pixel count: four, two or one, by where the number stands.";
  const what = source.kind === "maps" ? "each map" : "each input channel";
  return `The patch of ${what}, times its filter; taps beyond the edge find nothing.`;
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
