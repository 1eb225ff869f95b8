// One layer: a channel in full, all of them small, one of its numbers taken apart, and its lines of code.

import { useSignal } from "@preact/signals";
import { ArrowRight } from "lucide";
import { useEffect } from "preact/hooks";
import { Icon } from "../ui/icon.tsx";
import { Pixels } from "../ui/pixels.tsx";
import { ChannelView, LayersBefore } from "./channel-view.tsx";
import { deedOf, linesOf, nameOf } from "./names.ts";
import { ProbePanel } from "./probe-panel.tsx";
import { layersBehind, sourceOf } from "./sources.ts";
import { chooseChannel, chooseLayer, detail, type Specimen } from "./state.ts";

/** How many channels of a joined input come from the enlarged side. */
function enlargedOf({ config, layers }: Specimen, id: string): number {
  const source = sourceOf(config, id);
  return source.kind === "joined" ? (layers.find((layer) => layer.id === source.up)?.channels ?? 0) : 0;
}

/** The layer that was clicked. */
export function LayerDetail({ anatomy }: { anatomy: Specimen }) {
  const { value: shown } = detail;
  if (shown === undefined) return null;
  const { id, layer, channels } = shown;
  return (
    <section class="detail" id="layer" aria-label={nameOf(id)}>
      <header>
        <h2>{nameOf(id)}</h2>
        <p class="lead">{deedOf(anatomy.config, id)}</p>
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
        <div>
          <ChannelView shown={shown} />
          <LayersBefore anatomy={anatomy} shown={shown} />
          <LayersBehind anatomy={anatomy} id={id} />
        </div>
        <ProbePanel shown={shown} config={anatomy.config} enlarged={enlargedOf(anatomy, id)} />
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

/** The layers that read this one. */
function LayersBehind({ anatomy, id }: { anatomy: Specimen; id: string }) {
  const all = anatomy.layers.map((layer) => layer.id);
  const behind = layersBehind(anatomy.config, id, all);
  if (behind.length === 0) return null;
  return (
    <p class="behind">
      <span class="small">Goes into</span>
      {behind.map((next) => (
        <button key={next} type="button" class="button quiet small-button" onClick={() => chooseLayer(next)}>
          {nameOf(next)} <Icon node={ArrowRight} size={14} />
        </button>
      ))}
    </p>
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
