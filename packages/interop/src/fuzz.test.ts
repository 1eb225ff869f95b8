// Files that something went wrong with: each is refused in one short line, or means what it meant before, in finite
// numbers. There are some hundreds for every reader; SAUNET_FUZZ=10000 tries so many for each. A failure prints its seed,
// and SAUNET_FUZZ_SEED repeats it.

import { readFileSync } from "node:fs";
import { randomState, SafetensorsError, type Tensor } from "@saunet/core";
import {
  initialize,
  type NetworkConfig,
  readWeights,
  saUNet,
  saUNetV2,
  uNet,
  type Weights,
  WeightsError,
  writeWeights,
} from "@saunet/model";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { damages, hurt } from "../../../fixtures/damage.ts";
import { ImportError } from "./errors.ts";
import { hdf5Reader } from "./hdf5/read.ts";
import { importModel } from "./imported.ts";
import { unpackKeras } from "./keras/archive.ts";
import { readArchive, readKeras } from "./keras/import.ts";
import { SKIPPED } from "./keras/layers.ts";
import { exportOnnx } from "./onnx/export.ts";
import { edited, edits, withHeader } from "./testing.ts";
import { importTorch } from "./torch/import.ts";

const FILES = Number(process.env.SAUNET_FUZZ ?? 300);
const seed = Number(process.env.SAUNET_FUZZ_SEED ?? Date.now() % 2 ** 31);
const runs = { numRuns: FILES, seed };
const patience = 60_000 + 200 * FILES;
const file = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/files/${name}`, import.meta.url)));

/** What must not change without a word. */
const shapesOf = ({ config, parameters }: Weights) =>
  JSON.stringify([config.channels, Object.entries(parameters).map(([name, { shape }]) => [name, shape])]);

/** Takes a file; `undefined` where it was refused with an error of these kinds, in one short line. */
async function taken(
  work: () => Weights | Promise<Weights>,
  kinds: readonly (new (...words: never[]) => Error)[],
): Promise<Weights | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !kinds.some((kind) => error instanceof kind)) throw error;
    expect(error.message).not.toBe("");
    expect(error.message.length).toBeLessThan(1000);
    expect(error.message).not.toMatch(/\p{C}/u);
    return undefined;
  }
}

const REFUSALS = [SafetensorsError, WeightsError, ImportError];

/** Tries a reader on files made of a whole one; some of them must be damaged enough to be refused. */
async function tryAll<T>(
  whole: Uint8Array,
  take: (bytes: Uint8Array) => Weights | Promise<Weights>,
  changes: fc.Arbitrary<T>,
  make: (change: T) => Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  const wanted = shapesOf(await take(whole));
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(changes, async (change) => {
      const bytes = await make(change);
      const weights = await taken(() => take(bytes), REFUSALS);
      if (weights === undefined) refused++;
      else {
        expect(shapesOf(weights)).toBe(wanted);
        for (const { data } of Object.values(weights.parameters))
          expect(data.every(Number.isFinite)).toBe(true);
      }
    }),
    runs,
  );
  expect(refused).toBeGreaterThan(FILES / 50);
}

describe("damaged files of Keras", () => {
  const reader = hdf5Reader({ patienceMs: 10_000 });
  afterAll(() => reader.close());
  const take = async (bytes: Uint8Array) => importModel(await readKeras(bytes, reader), { groups: 4 });

  it.each(["keras2/no-norm-weights.h5", "keras3/spatial.weights.h5", "keras3/four-groups.keras"])(
    "%s",
    (name) => {
      const whole = file(name);
      return tryAll(whole, take, damages, (all) => hurt(whole, all));
    },
    patience,
  );

  // Behind its checksums, which refuse any change to the archive itself.
  const inside = async (part: "config" | "weights") => {
    const parts = await unpackKeras(file("keras3/four-groups.keras"));
    const whole = part === "config" ? new TextEncoder().encode(parts.config) : parts.weights;
    // The weights are read once where they stay as they are: that takes most of the time.
    const tree = await reader.read(parts.weights, SKIPPED);
    const known = { read: async () => tree, close: () => {} };
    const taken = async (bytes: Uint8Array) => {
      const changed = part === "config" ? { config: new TextDecoder().decode(bytes) } : { weights: bytes };
      return importModel(await readArchive({ ...parts, ...changed }, part === "config" ? known : reader), {
        groups: 4,
      });
    };
    return { whole, taken };
  };

  it.each(["config", "weights"] as const)(
    "the %s in an archive",
    async (part) => {
      const { whole, taken } = await inside(part);
      await tryAll(whole, taken, damages, (all) => hurt(whole, all));
    },
    patience,
  );

  it(
    "the config in an archive that describes another model",
    async () => {
      const { whole, taken } = await inside("config");
      const text = new TextDecoder().decode(whole);
      await tryAll(whole, taken, edits, (all) => new TextEncoder().encode(edited(text, all)));
    },
    patience,
  );
});

describe("damaged safetensors files", () => {
  const readers: [string, Uint8Array, (bytes: Uint8Array) => Weights][] = [
    ["a weights file", writeWeights(networkOf({ ...uNet, channels: [2, 3] })), (bytes) => readWeights(bytes)],
    [
      "a weights file of 16 bits",
      writeWeights(networkOf({ ...saUNetV2, channels: [8, 8] }), { half: true }),
      (bytes) => readWeights(bytes),
    ],
    ["a state dict of PyTorch", file("torch/u-net.safetensors"), (bytes) => importTorch(bytes)],
  ];

  it.each(readers)(
    "%s",
    (_, whole, take) => tryAll(whole, take, damages, (all) => hurt(whole, all)),
    patience,
  );

  it.each(readers)(
    "%s whose header says something else",
    (_, whole, take) =>
      tryAll(whole, take, edits, (all) => withHeader(whole, (header) => edited(header, all))),
    patience,
  );
});

describe("networks that do not hold together", () => {
  it(
    "are not exported to ONNX",
    () => {
      const configs = [
        { ...uNet, channels: [2, 3] },
        { ...saUNetV2, channels: [8, 8] },
        { ...saUNet, channels: [2, 2, 4] },
      ];
      const sizes = fc.array(fc.nat(9), { maxLength: 5 });
      fc.assert(
        fc.property(
          fc.constantFrom(...configs),
          fc.nat(1000),
          sizes,
          fc.nat(3),
          (config, which, shape, how) => {
            const network = networkOf(config);
            const names = Object.keys(network.parameters);
            const name = names[which % names.length];
            const parameters: Record<string, Tensor> = { ...network.parameters };
            const before = parameters[name].shape;
            if (how === 0) delete parameters[name];
            else if (how === 1) parameters[`${name}.more`] = parameters[name];
            else parameters[name] = { ...parameters[name], shape } as unknown as Tensor;
            const same = how > 1 && String(shape) === String(before);
            const work = () => exportOnnx({ ...network, parameters });
            if (same) work();
            else expect(work).toThrow(WeightsError);
          },
        ),
        runs,
      );
    },
    patience,
  );
});

function networkOf(config: NetworkConfig): Weights {
  return { config, parameters: initialize(config, randomState(1)), metadata: {} };
}
