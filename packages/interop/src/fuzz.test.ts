// Ten thousand files that something went wrong with: each is refused in one line, or means what it meant before.
// SAUNET_FUZZ=20 tries twenty times as many.

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
import { readKeras } from "./keras/import.ts";
import { exportOnnx } from "./onnx/export.ts";
import { importTorch } from "./torch/import.ts";

const times = Number(process.env.SAUNET_FUZZ ?? 1);
const patience = 60_000 * Math.max(times, 1);
const file = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/files/${name}`, import.meta.url)));

/** What must not change without a word. */
const shapesOf = ({ config, parameters }: Weights) =>
  JSON.stringify([config.channels, Object.entries(parameters).map(([name, { shape }]) => [name, shape])]);

/** Says how a file was taken: `undefined` where it was refused with an error of these kinds, in one line. */
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
    return undefined;
  }
}

describe("damaged files", () => {
  const reader = hdf5Reader({ patienceMs: 10_000 });
  afterAll(() => reader.close());

  it.each(["keras2/no-norm-weights.h5", "keras3/spatial.weights.h5", "keras3/four-groups.keras"])(
    "%s",
    async (name) => {
      const whole = file(name);
      const take = async (bytes: Uint8Array) => importModel(await readKeras(bytes, reader), {});
      const wanted = shapesOf(await take(whole));
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(damages, async (all) => {
          const weights = await taken(() => take(hurt(whole, all)), [ImportError]);
          if (weights === undefined) refused++;
          else expect(shapesOf(weights)).toBe(wanted);
        }),
        { numRuns: 1000 * times },
      );
      expect(refused).toBeGreaterThan(200 * times);
    },
    patience,
  );

  it.each<[string, Uint8Array, (bytes: Uint8Array) => Weights]>([
    ["a weights file", writeWeights(networkOf({ ...uNet, channels: [2, 3] })), (bytes) => readWeights(bytes)],
    [
      "a weights file of 16 bits",
      writeWeights(networkOf({ ...saUNetV2, channels: [8, 8] }), { half: true }),
      (bytes) => readWeights(bytes),
    ],
    ["a state dict of PyTorch", file("torch/u-net.safetensors"), (bytes) => importTorch(bytes)],
  ])(
    "%s",
    async (_, whole, take) => {
      const wanted = shapesOf(take(whole));
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(damages, async (all) => {
          const kinds = [SafetensorsError, WeightsError, ImportError];
          const weights = await taken(() => take(hurt(whole, all)), kinds);
          if (weights === undefined) refused++;
          else expect(shapesOf(weights)).toBe(wanted);
        }),
        { numRuns: 2000 * times },
      );
      expect(refused).toBeGreaterThan(400 * times);
    },
    patience,
  );

  it(
    "a network that does not hold together, on its way to ONNX",
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
        { numRuns: 1000 * times },
      );
    },
    patience,
  );
});

function networkOf(config: NetworkConfig): Weights {
  return { config, parameters: initialize(config, randomState(1)), metadata: {} };
}
