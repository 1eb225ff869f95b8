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

/** One thing that goes wrong with a file; places are shares of its length, so that any file can be hurt. */
type Damage =
  | { kind: "byte"; at: number; value: number }
  | { kind: "bit"; at: number; bit: number }
  | { kind: "cut"; at: number }
  | { kind: "fill"; at: number; length: number; value: number }
  | { kind: "copy"; at: number; from: number; length: number };

/** Where files say how they are laid out: mostly at their beginning. */
const place = fc.oneof(
  { weight: 3, arbitrary: fc.double({ min: 0, max: 0.1, noNaN: true }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) },
);
const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant("byte" as const), at: place, value }),
  fc.record({ kind: fc.constant("bit" as const), at: place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    kind: fc.constant("fill" as const),
    at: place,
    length: fc.integer({ min: 2, max: 64 }),
    value,
  }),
  fc.record({
    kind: fc.constant("copy" as const),
    at: place,
    from: place,
    length: fc.integer({ min: 2, max: 64 }),
  }),
);
const damages = fc.array(damage, { minLength: 1, maxLength: 4 });

function hurt(bytes: Uint8Array, all: readonly Damage[]): Uint8Array {
  let hurting = bytes.slice();
  for (const one of all) {
    const at = Math.floor(one.at * hurting.length);
    if (one.kind === "byte") hurting[at] = one.value;
    if (one.kind === "bit") hurting[at] ^= 1 << one.bit;
    if (one.kind === "cut") hurting = hurting.slice(0, at);
    if (one.kind === "fill") hurting.fill(one.value, at, at + one.length);
    if (one.kind === "copy") {
      const from = Math.floor(one.from * hurting.length);
      hurting.copyWithin(at, from, from + one.length);
    }
  }
  return hurting;
}

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
