// One layer: a channel in full, all of them small, one of its numbers taken apart, and its lines of code.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { signed } from "../ui/format.ts";
import { Pixels } from "../ui/pixels.tsx";
import { deedOf, linesOf, nameOf } from "./names.ts";
import { ProbePanel } from "./probe-panel.tsx";
import { chooseChannel, choosePlace, type Detail, detail, type Specimen } from "./state.ts";

/** The layer that was clicked. */
export function LayerDetail({ anatomy }: { anatomy: Specimen }) {
  const { value: shown } = detail;
  const layer = anatomy.layers.find(({ id }) => id === shown?.id);
  if (shown === undefined || layer === undefined) return null;
  const { id, channels } = shown;
  return (
    <section class="detail" id="layer" aria-label={nameOf(id)}>
      <header>
        <h2>{nameOf(id)}</h2>
        <p class="lead">{deedOf(id)}</p>
        <dl class="facts">
          <div>
            <dt>Shape</dt>
            <dd>
              {layer.height} × {layer.width} × {layer.channels}
            </dd>
          </div>
          <div>
            <dt>Work</dt>
            <dd>{(layer.flops / 1e6).toFixed(1)} MFLOP</dd>
          </div>
          <div>
            <dt>Time</dt>
            <dd>{layer.milliseconds.toFixed(2)} ms</dd>
          </div>
          <div>
            <dt>Speed</dt>
            <dd>{(layer.flops / layer.milliseconds / 1e6).toFixed(1)} GFLOP/s</dd>
          </div>
        </dl>
      </header>
      <div class="detail-columns">
        <ChannelView shown={shown} width={layer.width} height={layer.height} />
        <ProbePanel shown={shown} />
      </div>
      {channels.length > 1 && (
        <fieldset class="channels">
          <legend>All {channels.length} channels</legend>
          <div class="channel-grid">
            {channels.map((image, index) => (
              <button
                // Channels have no other name than their number.
                key={`${id} ${index}`}
                type="button"
                class="tile"
                aria-pressed={shown.channel === index}
                aria-label={`Channel ${index}`}
                onClick={() => chooseChannel(index)}
              >
                <Pixels image={image} />
              </button>
            ))}
          </div>
        </fieldset>
      )}
      <Source id={id} />
    </section>
  );
}

/** The channel in full. Click, or move with the arrow keys, to take another number apart. */
function ChannelView({ shown, width, height }: { shown: Detail; width: number; height: number }) {
  const { channel, report, row, column } = shown;
  const move = (down: number, right: number) => {
    const held = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1);
    void choosePlace(held(row + down, height), held(column + right, width));
  };
  const onClick = (event: MouseEvent) => {
    const {
      left,
      top,
      width: shownWidth,
      height: shownHeight,
    } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = (offset: number, shown: number, size: number) =>
      Math.min(Math.max(Math.floor((offset / shown) * size), 0), size - 1);
    // A click from the keyboard has no place.
    if (event.detail === 0) return;
    void choosePlace(
      at(event.clientY - top, shownHeight, height),
      at(event.clientX - left, shownWidth, width),
    );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 10 : 1;
    const way = {
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
    }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    move(way[0], way[1]);
  };
  return (
    <figure class="channel-view">
      <button
        type="button"
        aria-label={`Channel ${channel}. Row ${row}, column ${column} is taken apart; arrow keys choose another.`}
        onClick={onClick}
        onKeyDown={onKeyDown}
      >
        <Pixels image={report.image} />
        <span
          class="cross"
          style={{ left: `${(100 * (column + 0.5)) / width}%`, top: `${(100 * (row + 0.5)) / height}%` }}
        />
      </button>
      <figcaption>
        Channel {channel}, from {signed(report.low, 2)} (dark) to {signed(report.high, 2)} (light)
      </figcaption>
    </figure>
  );
}

/** The lines that compute the layer, in the file that the page itself was built from. */
function Source({ id }: { id: string }) {
  const text = useSignal<string | undefined>(undefined);
  useEffect(() => {
    void import("../../../model/src/network.ts?raw").then(({ default: source }) => {
      text.value = source;
    });
  }, []);
  if (text.value === undefined) return null;
  const all = text.value.split("\n");
  const start = all.findIndex((line) => line.startsWith("export function forward"));
  const end = all.indexOf("}", start);
  const own = linesOf(id);
  return (
    <details class="source" open>
      <summary>
        Its code: <code>packages/model/src/network.ts</code>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <section class="code" tabIndex={0} aria-label="network.ts">
        <ol start={start + 1}>
          {all.slice(start, end + 1).map((line, i) => (
            <li key={`${start + i}`} class={own.test(line) ? "own" : ""}>
              {own.test(line) ? <mark>{line}</mark> : line || " "}
            </li>
          ))}
        </ol>
      </section>
    </details>
  );
}
