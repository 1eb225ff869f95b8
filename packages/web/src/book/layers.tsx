// Chapter 7: every channel of every layer of the trained network, computed in the reader's browser.

import { signal } from "@preact/signals";
import { tensor } from "@saunet/core";
import { useEffect } from "preact/hooks";
import { eye } from "../../../../docs/book/eye.ts";
import { imageOf, planeOf } from "../inside/colours.ts";
import { nameOf } from "../inside/names.ts";
import { type Layer, traceNetwork } from "../inside/trace.ts";
import { duration } from "../ui/format.ts";
import { Pixels } from "../ui/pixels.tsx";
import { openNetwork } from "./network.ts";

/** The part of the eye that the picture of the chapter shows. */
const [TOP, LEFT, SIDE] = [200, 150, 256];

const traced = signal<{ readonly layers: Map<string, Layer>; readonly seconds: number } | undefined>(
  undefined,
);
const chosen = signal("encoder1.conv2");
const channel = signal(3);

async function run(): Promise<void> {
  const { config, parameters } = await openNetwork();
  const { data, width } = eye.image;
  const crop = Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const [row, rest] = [Math.floor(i / (3 * SIDE)), i % (3 * SIDE)];
    return data[((TOP + row) * width + LEFT) * 3 + rest] / 255;
  });
  const start = performance.now();
  const layers = traceNetwork({ config, parameters, metadata: {} }, tensor(crop, [1, SIDE, SIDE, 3]));
  traced.value = { layers, seconds: (performance.now() - start) / 1000 };
}

export function LayersIsland() {
  useEffect(() => void run(), []);
  if (traced.value === undefined) return <p>The network looks at the eye …</p>;
  const { layers, seconds } = traced.value;
  const layer = layers.get(chosen.value)!;
  const shown = Math.min(channel.value, layer.channels - 1);
  return (
    <div class="island">
      <label>
        Layer:{" "}
        <select
          value={chosen.value}
          onChange={({ currentTarget: { value } }) => {
            chosen.value = value;
          }}
        >
          {[...layers.keys()].map((id) => (
            <option key={id} value={id}>
              {nameOf(id)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Channel {shown} of {layer.channels}:{" "}
        <input
          type="range"
          min="0"
          max={layer.channels - 1}
          value={shown}
          onInput={({ currentTarget: { valueAsNumber } }) => {
            channel.value = valueAsNumber;
          }}
        />
      </label>
      <Pixels
        image={imageOf(planeOf(layer, shown, SIDE))}
        label={`Channel ${shown} of ${nameOf(chosen.value)}`}
      />
      <output>
        {layer.height} × {layer.width} × {layer.channels}. All layers took {duration(seconds)} in this
        browser.
      </output>
    </div>
  );
}
