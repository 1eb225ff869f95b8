import { randomState, readSafetensors, type Tensor, tensor, writeSafetensors } from "@saunet/core";
import { syntheticFundus } from "@saunet/data";
import { describe, expect, it } from "vitest";
import { averageWeights } from "./average.ts";
import { saUNet, saUNetV2 } from "./config.ts";
import { initialize } from "./parameters.ts";
import { loadSegmenter, segmenterOf } from "./segmenter.ts";
import { segmentWithFlips } from "./test-time.ts";
import { parametersFrom, readWeights, type Weights, WeightsError, writeWeights } from "./weights.ts";

const config = { ...saUNetV2, name: "tiny", channels: [8, 8] };
const fresh = (): Weights => ({ config, parameters: initialize(config, randomState(1)), metadata: {} });

/** Fresh weights with one number changed. */
function spoilt(value: number, name = "decoder1.conv2.filter"): Weights {
  const weights = fresh();
  weights.parameters[name].data[5] = value;
  return weights;
}

/** Bytes of a weights file that this package would not write. */
const unchecked = (
  { parameters }: Weights,
  tensors: Record<string, Tensor> = {},
  network: unknown = config,
) => writeSafetensors({ ...parameters, ...tensors }, { network: JSON.stringify(network) });

describe.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("a weight of %d", (value) => {
  const message = new RegExp(
    `"decoder1.conv2.filter" holds 1 of 576 numbers that are not finite, such as ${value}$`,
  );
  it.each<[string, () => unknown]>([
    ["read", () => readWeights(unchecked(spoilt(value)))],
    ["taken", () => parametersFrom(config, spoilt(value).parameters)],
    ["written", () => writeWeights(spoilt(value))],
    ["written in 16 bits", () => writeWeights(spoilt(value), { half: true })],
    ["averaged", () => averageWeights([fresh(), spoilt(value)])],
  ])("is not %s", (_, work) => {
    expect(work).toThrow(WeightsError);
    expect(work).toThrow(message);
  });
});

describe("probabilities", () => {
  const { image } = syntheticFundus({ seed: 1, width: 32, height: 32 });
  it.each([
    ["weights that are too large together", spoilt(3e38, "encoder1.conv1.filter")],
    ["weights that were changed behind the reader", spoilt(Number.NaN)],
  ])("that are not finite are refused: %s", async (_, weights) => {
    for (const { data } of Object.values(weights.parameters)) {
      if (data.some((value) => Math.abs(value) > 1e38)) data.fill(3e38);
    }
    const segmenter = segmenterOf(weights);
    const message = "segment: tiny gives this photograph probabilities that are not finite";
    await expect(segmenter.segment(image)).rejects.toThrow(message);
    await expect(segmentWithFlips(segmenter, image)).rejects.toThrow(message);
  });

  it.each([2, -0.1, Number.NaN])("are held against a threshold from 0 to 1, not %d", async (threshold) => {
    const segmenter = segmenterOf(fresh());
    const message = `segment: threshold must lie between 0 and 1 but is ${threshold}`;
    await expect(segmenter.segment(image, { threshold })).rejects.toThrow(message);
    await expect(segmentWithFlips(segmenter, image, { threshold })).rejects.toThrow(message);
  });

  it("come with their defaults where options are undefined", async () => {
    const segmenter = segmenterOf(fresh());
    const options = { scale: undefined, threshold: undefined, padTo: undefined, maxPixels: undefined };
    const wanted = await segmenter.segment(image);
    expect(await segmenter.segment(image, options as object)).toEqual(wanted);
  });
});

it("segments with networks for photographs alone", () => {
  const grey = { ...config, inputChannels: 1 };
  const weights = { config: grey, parameters: initialize(grey, randomState(1)), metadata: {} };
  expect(readWeights(writeWeights(weights)).config).toEqual(grey);
  expect(() => segmenterOf(weights)).toThrow(WeightsError);
  expect(() => segmenterOf(weights)).toThrow(
    "segmenterOf: the network takes 1 channels, but photographs have 3 (RGB)",
  );
});

describe("readWeights", () => {
  it.each(["weights.safetensors", new ArrayBuffer(8), undefined])(
    "names what is no bytes: %s",
    async (bytes) => {
      const wrong = bytes as unknown as Uint8Array;
      const message = "readWeights: bytes must be a Uint8Array; loadWeights takes paths and URLs";
      expect(() => readWeights(wrong)).toThrow(new TypeError(message));
      if (bytes !== undefined) await expect(loadSegmenter({ weights: wrong })).rejects.toThrow(message);
    },
  );

  it("keeps its messages short, whatever the names and shapes", () => {
    const long = "a".repeat(5e6);
    for (const bytes of [
      unchecked(fresh(), { [long]: tensor(1) }),
      unchecked(fresh(), {}, { ...config, name: long }),
      writeSafetensors(fresh().parameters, { network: long }),
    ]) {
      let message = "";
      try {
        readWeights(bytes);
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toMatch(/^weights: /);
      expect(message.length).toBeLessThan(300);
    }
  });

  it.each<[string, object]>([
    ["a name with an escape", { name: "\u001b[2J" }],
    ["a share to drop that is none", { dropBlock: { rate: 1, size: 7 } }],
    ["initialisers that are none", { initializers: { convolution: "zeros", transposed: "he-normal" } }],
    ["initialisers that are null", { initializers: null }],
    ["half of the initialisers", { initializers: { convolution: "he-normal" } }],
  ])("refuses a network with %s", (_, change) => {
    expect(() => readWeights(unchecked(fresh(), {}, { ...config, ...change }))).toThrow(
      "weights: the file describes its network in a way that is not understood",
    );
  });

  it("reads what earlier versions wrote of SA-UNet, which say nothing of how it starts, and averages the two", () => {
    const { initializers: _, ...earlier } = { ...saUNet, channels: [2, 3] };
    const now = { ...saUNet, channels: [2, 3] };
    const [a, b] = [earlier, now].map((network) =>
      readWeights(
        writeWeights({ config: network, parameters: initialize(network, randomState(1)), metadata: {} }),
      ),
    );
    expect([a.config, b.config]).toEqual([earlier, now]);
    expect(averageWeights([a, b]).config).toEqual(earlier);
  });

  it("is not misled by names that every object has", () => {
    const { "head.bias": _, ...rest } = readSafetensors(unchecked(fresh())).tensors;
    expect(() =>
      parametersFrom(config, Object.assign(Object.create({ "head.bias": tensor([1]) }), rest)),
    ).toThrow("head.bias is missing");
  });
});
