// What to say of a file that does not fit a network: what tells the two apart, and which network would be nearer.

import type { Shape } from "@saunet/core";
import { type NetworkConfig, networks } from "@saunet/model";
import { compare, type Kind, kindIn, wantedLayers } from "./compare.ts";
import { inferConfig } from "./infer.ts";
import type { SourceLayer } from "./source.ts";

/** Kinds of layers, one and many. */
const NAMES: readonly (readonly [Kind, string, string])[] = [
  ["convolution", "convolution", "convolutions"],
  ["transposed", "transposed convolution", "transposed convolutions"],
  ["attention", "attention filter", "attention filters"],
  ["normalization", "normalisation", "normalisations"],
];

/**
 * Says in one line why layers are not those of a network.
 *
 * @param faults of the comparison: the first three are shown
 */
export function describeDifference(
  config: NetworkConfig,
  layers: readonly SourceLayer[],
  faults: readonly string[],
): string {
  const candidates = candidatesFor(layers);
  for (const candidate of [config, ...candidates]) {
    const [first] = isOfSameLayers(candidate, layers) ? compare(candidate, layers).faults : [];
    if (first !== undefined) return `has the layers of a ${told(candidate)} in another order: ${first}`;
  }
  const nearest = nearestOf(candidates, layers, faults.length);
  const differences = [
    ...countsThatDiffer(config, layers),
    ...(nearest === undefined ? [] : widthsThatDiffer(config, nearest)),
    ...(nearest === undefined || nearest.name === config.name ? [] : [`it is nearest to a ${told(nearest)}`]),
  ];
  const more = faults.length > 3 ? `; and ${faults.length - 3} more` : "";
  return `is not a ${config.name}: ${[...differences, ...faults.slice(0, 3)].join("; ")}${more}`;
}

const told = ({ name, channels }: NetworkConfig) => `${name} with ${channels.join(", ")} channels`;

/** Published networks, and those with the widths of the file. */
function candidatesFor(layers: readonly SourceLayer[]): NetworkConfig[] {
  const published = Object.values(networks);
  const inferred = inferConfig({ origin: "", layers, facts: {} })?.config;
  const widths = [inferred, widthsOfUps(layers)].filter((widths) => widths !== undefined);
  return [
    ...published,
    ...widths.flatMap(({ inputChannels, channels }) =>
      published.map((network) => ({ ...network, inputChannels, channels })),
    ),
  ];
}

function countsThatDiffer(config: NetworkConfig, layers: readonly SourceLayer[]): string[] {
  // Where a file does not tell transposed convolutions from others, they count as these.
  const isTold = layers.some(({ kind }) => kind === "transposed");
  const merged = (kind: Kind): Kind => (kind === "transposed" && !isTold ? "convolution" : kind);
  const found = layers.map(kindIn);
  const wanted = wantedLayers(config).map(({ kind }) => merged(kind));
  return NAMES.flatMap(([kind, one, many]) => {
    const [has, wants] = [found, wanted].map((kinds) => kinds.filter((other) => other === kind).length);
    return has === wants ? [] : [`it has ${has} ${has === 1 ? one : many}, not ${wants}`];
  });
}

/** Whether the layers are those of a network, each with all its shapes, in whatever order. */
function isOfSameLayers(config: NetworkConfig, layers: readonly SourceLayer[]): boolean {
  const signature = (shapes: readonly (readonly [string, Shape])[]) =>
    shapes
      .map(([key, shape]) => `${key} ${shape}`)
      .sort()
      .join("; ");
  const found = layers.map(({ arrays }) =>
    signature(Object.entries(arrays).map(([key, { shape }]) => [key, shape])),
  );
  const wanted = wantedLayers(config).map(({ shapes }) => signature(Object.entries(shapes)));
  return found.sort().join() === wanted.sort().join();
}

function widthsThatDiffer(config: NetworkConfig, nearest: NetworkConfig): string[] {
  const differences: string[] = [];
  if (String(nearest.channels) !== String(config.channels)) {
    differences.push(
      `its stages have ${nearest.channels.join(", ")} channels, not ${config.channels.join(", ")}`,
    );
  }
  if (nearest.inputChannels !== config.inputChannels) {
    differences.push(`it takes ${nearest.inputChannels} channels, not ${config.inputChannels}`);
  }
  return differences;
}

/** The network with the fewest faults, where one has fewer than are known. */
function nearestOf(
  candidates: readonly NetworkConfig[],
  layers: readonly SourceLayer[],
  faults: number,
): NetworkConfig | undefined {
  let nearest: { config: NetworkConfig; faults: number } | undefined;
  for (const config of candidates) {
    const count = compare(config, layers).faults.length;
    if (count < (nearest?.faults ?? faults)) nearest = { config, faults: count };
  }
  return nearest?.config;
}

/** The widths of a network's stages as its transposed convolutions tell them, however many layers there are besides. */
function widthsOfUps(
  layers: readonly SourceLayer[],
): Pick<NetworkConfig, "inputChannels" | "channels"> | undefined {
  const narrowest = Math.min(
    ...layers.filter((layer) => kindIn(layer) === "convolution").map(({ arrays }) => arrays.filter.shape[2]),
  );
  // [KH,KW,to,from] each; the result of one is the next one's input, from the bottom to the outside.
  const ups = layers.filter(({ kind }) => kind === "transposed").map(({ arrays }) => arrays.filter.shape);
  if (!Number.isFinite(narrowest) || ups.length === 0 || ups.length > 7) return undefined;
  if (ups.length > 1 && ups[0][2] !== ups[1][3]) ups.reverse();
  const channels = [...ups.map(([, , to]) => to).reverse(), ups[0][3]];
  return channels.every((count) => count > 0) && narrowest > 0
    ? { inputChannels: narrowest, channels }
    : undefined;
}
