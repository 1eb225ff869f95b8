// The layers of a network as a file would list them, for tests without a file.

import { randomState } from "@saunet/core";
import { initialize, type NetworkConfig, saUNetV2 } from "@saunet/model";
import { kindOf, type SourceArray, type SourceLayer } from "./source.ts";

export const small: NetworkConfig = { ...saUNetV2, channels: [8, 16, 24] };

/** The layers of a network as a file would list them, named by number unless they are to keep their paths. */
export function layersOf(config: NetworkConfig, { named = false, told = true } = {}): SourceLayer[] {
  const arrays = new Map<string, Record<string, SourceArray>>();
  for (const [name, { data, shape }] of Object.entries(initialize(config, randomState(1)))) {
    const dot = name.lastIndexOf(".");
    const path = name.slice(0, dot);
    const array = { shape, values: new Float32Array(data) };
    arrays.set(path, { ...arrays.get(path), [name.slice(dot + 1)]: array });
  }
  return [...arrays].map(([path, own], i) => ({
    name: named ? path : `layer${i}`,
    kind: kindOf(own, told ? path.endsWith(".up") : undefined),
    arrays: own,
  }));
}

/** Layers as they come from a file. */
export const model = (layers: readonly SourceLayer[]) => ({ origin: "a test", layers, facts: {} });
