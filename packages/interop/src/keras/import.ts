// Weights that Keras wrote: .h5, .weights.h5 and .keras, of Keras 2 and 3.

import { type Hdf5Reader, hdf5Reader } from "../hdf5/read.ts";
import { type Imported, type ImportOptions, importModel } from "../imported.ts";
import { expectBytes, expectLayout } from "../layout.ts";
import type { SourceModel } from "../source.ts";
import { isZip, type KerasArchive, unpackKeras } from "./archive.ts";
import { type KerasDescription, readDescription } from "./description.ts";
import { layersOf, SKIPPED, writtenByKeras1 } from "./layers.ts";

/**
 * Takes over weights that Keras 2 or 3 saved, alone or with their model: `.h5`, `.weights.h5`, `.keras`.
 *
 * @param bytes of the file
 * @throws ImportError where the file is damaged, not Keras's, or of another network: then with the layers that differ
 * @example
 * const { readFile } = await import("node:fs/promises");
 * const { config, origin } = await importKeras(await readFile("fixtures/files/keras3/four-groups.keras"));
 * console.log(config.groups, config.skipAttention, origin); // 4 spatial Keras 3.15.1
 */
export async function importKeras(bytes: Uint8Array, options: ImportOptions = {}): Promise<Imported> {
  expectBytes("importKeras", bytes);
  const reader = hdf5Reader();
  try {
    return importModel(await readKeras(bytes, reader), options);
  } finally {
    reader.close();
  }
}

const NOT_DESCRIBED: KerasDescription = { facts: {}, classes: new Map() };

/** The layers of a Keras file. */
export async function readKeras(bytes: Uint8Array, reader: Hdf5Reader): Promise<SourceModel> {
  expectLayout(bytes, "keras");
  if (isZip(bytes)) return readArchive(await unpackKeras(bytes), reader);
  const tree = await reader.read(bytes, SKIPPED);
  const attributes = tree.groups.map((group) => group.attributes);
  const attribute = (name: string) =>
    attributes.map((texts) => texts[name]).find((text) => text !== undefined);
  const version = attribute("keras_version");
  if (/^[01]\./.test(String(version))) throw writtenByKeras1();
  const description = attribute("model_config");
  const { facts, classes } = description === undefined ? NOT_DESCRIBED : readDescription(String(description));
  return {
    origin: version === undefined ? "Keras" : `Keras ${String(version).slice(0, 40)}`,
    layers: layersOf(tree, classes),
    facts,
  };
}

/** The layers of a `.keras` archive. */
export async function readArchive(
  { config, metadata, weights }: KerasArchive,
  reader: Hdf5Reader,
): Promise<SourceModel> {
  const { facts, classes } = readDescription(config);
  const tree = await reader.read(weights, SKIPPED);
  return { origin: `Keras ${versionIn(metadata)}`, layers: layersOf(tree, classes), facts };
}

function versionIn(metadata: string): string {
  const [, version = "of an unknown version"] = /"keras_version":\s*"([\w.+-]{1,40})"/.exec(metadata) ?? [];
  return version;
}
