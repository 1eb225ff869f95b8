// The network as the paper draws it: down on the left, up on the right, gated skips between.

import { depthOf } from "@saunet/model";
import { Fragment } from "preact";
import { count, duration } from "../ui/format.ts";
import { Pixels } from "../ui/pixels.tsx";
import type { LayerReport } from "./inside.worker.ts";
import { nameOf } from "./names.ts";
import { chooseLayer, layerId, type Specimen } from "./state.ts";

/** The U. */
export function Diagram({ anatomy }: { anatomy: Specimen }) {
  const layers = new Map(anatomy.layers.map((layer) => [layer.id, layer]));
  const stages = Array.from({ length: depthOf(anatomy.config) }, (_, i) => i + 1);
  const group = (...ids: string[]) => ids.flatMap((id) => layers.get(id) ?? []);
  return (
    <section class="u-net" aria-label="The network, stage by stage">
      <figure class="u-end">
        <figcaption class="u-name">Photograph</figcaption>
        <Pixels image={anatomy.photograph} label="The photograph as the network gets it" />
        <p class="u-facts">
          {anatomy.height} × {anatomy.width} × 3
        </p>
      </figure>
      <p class="u-total">
        <strong>{(sum(anatomy.layers, "flops") / 1e9).toFixed(2)} GFLOP</strong>
        <span>
          {duration(anatomy.milliseconds / 1000)} on {count(anatomy.threads, "thread")}
        </span>
      </p>
      <div class="u-right-end">
        <Stage name="Vessels" layers={group("head")} />
      </div>
      {stages.map((n) => (
        <Fragment key={n}>
          <div class="u-left">
            <Stage name={`Encoder ${n}`} layers={group(`encoder${n}.conv1`, `encoder${n}.conv2`)} />
            <p class="u-step">↓ max pooling</p>
          </div>
          <div class="u-skip">
            <Stage name="Gate" layers={group(`decoder${n}.attention`)} />
          </div>
          <div class="u-right">
            <Stage
              name={`Decoder ${n}`}
              layers={group(`decoder${n}.up`, `decoder${n}.conv1`, `decoder${n}.conv2`)}
            />
            <p class="u-step">↑ transposed convolution</p>
          </div>
        </Fragment>
      ))}
      <div class="u-bottom">
        <Stage
          name="Bottleneck"
          layers={group("bottleneck.conv1", "bottleneck.attention", "bottleneck.conv2")}
        />
      </div>
    </section>
  );
}

/** Shows a layer in full, below. */
export function showLayer(id: string): void {
  void chooseLayer(id);
  document.getElementById("layer")?.scrollIntoView();
}

const sum = (layers: readonly LayerReport[], what: "flops" | "milliseconds"): number =>
  layers.reduce((total, layer) => total + layer[what], 0);

function Stage({ name, layers }: { name: string; layers: readonly LayerReport[] }) {
  if (layers.length === 0) return null;
  const { width, height, channels } = layers[layers.length - 1];
  return (
    <fieldset class="u-stage">
      <legend>{name}</legend>
      <div class="u-layers">
        {layers.map((layer) => (
          <button
            key={layer.id}
            type="button"
            class="tile"
            aria-pressed={layerId.value === layer.id}
            aria-label={`${nameOf(layer.id)}: ${layer.height} × ${layer.width} × ${layer.channels}`}
            title={`${nameOf(layer.id)}: ${layer.milliseconds.toFixed(2)} ms`}
            onClick={() => showLayer(layer.id)}
          >
            <Pixels image={layer.thumbnail} />
          </button>
        ))}
      </div>
      <p class="u-facts">
        <span>
          {height} × {width} × {channels}
        </span>
        <span>{(sum(layers, "flops") / 1e9).toFixed(2)} GFLOP</span>
        <span>{sum(layers, "milliseconds").toFixed(1)} ms</span>
      </p>
    </fieldset>
  );
}
