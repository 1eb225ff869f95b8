import { noGrad, randomState, sigmoid } from "@saunet/core";
import { installPreparer, prepareWithKernels } from "@saunet/core/kernels";
import { describe, expect, it } from "vitest";
import { saUNetV2 } from "./config.ts";
import { forward } from "./network.ts";
import { initialize } from "./parameters.ts";
import { padFloats } from "./photograph-runner.ts";
import { segmenterOf } from "./segmenter.ts";

const network = { config: saUNetV2, parameters: initialize(saUNetV2, randomState(1)), metadata: {} };
const photograph = (width: number, height: number) => {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256) };
};

describe("segmenter", () => {
  const segmenter = segmenterOf(network);

  it("gives the network's own probabilities, cut back to the photograph", async () => {
    const image = photograph(21, 13);
    const { probability, mask, width, height } = await segmenter.segment(image);
    const x = padFloats(
      Float32Array.from(image.data, (value) => value / 255),
      21,
      13,
      24,
      16,
    );
    const whole = noGrad(() => sigmoid(forward(saUNetV2, network.parameters, x)));
    expect([width, height, mask.width, mask.height]).toEqual([21, 13, 21, 13]);
    expect(probability[0]).toBe(whole.data[0]);
    expect(probability[12 * 21 + 20]).toBe(whole.data[12 * 24 + 20]);
    expect([...mask.data]).toEqual([...probability].map((value) => (value >= 0.5 ? 1 : 0)));
  });

  it.each([
    [1, 1],
    [1, 40],
    [40, 1],
    [8, 8],
  ])("takes a photograph of %i x %i", async (width, height) => {
    const { probability } = await segmenter.segment(photograph(width, height));
    expect(probability.length).toBe(width * height);
    expect(probability.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it("gives the same for the same photograph whatever came between", async () => {
    const first = await segmenter.segment(photograph(16, 16));
    for (const size of [24, 32, 40, 48]) await segmenter.segment(photograph(size, 16));
    expect(await segmenter.segment(photograph(16, 16))).toEqual(first);
  });

  it("holds programs of two sizes at most, those that were asked for last, and none when it is released", async () => {
    const held: string[] = [];
    let most = 0;
    await installPreparer((program) => {
      const prepared = prepareWithKernels(program);
      const size = program.inputs[0].shape.slice(1, 3).join(" x ");
      held.push(size);
      most = Math.max(most, held.length);
      const free = () => {
        held.splice(held.indexOf(size), 1);
        prepared.free();
      };
      return { ...prepared, free };
    });
    try {
      const own = segmenterOf(network);
      const sizes: string[][] = [];
      for (const width of [16, 24, 16, 32, 16, 24]) {
        await own.segment(photograph(width, 16));
        sizes.push([...held].sort());
      }
      expect(sizes).toEqual([
        ["16 x 16"],
        ["16 x 16", "16 x 24"],
        ["16 x 16", "16 x 24"],
        ["16 x 16", "16 x 32"],
        ["16 x 16", "16 x 32"],
        ["16 x 16", "16 x 24"],
      ]);
      // Room was made before another one was planned.
      expect(most).toBe(2);
      // All at once are in use together, and afterwards two are left.
      await Promise.all([8, 16, 24, 32].map((width) => own.segment(photograph(width, 8))));
      expect(held).toHaveLength(2);
      own.release();
      expect(held).toEqual([]);
    } finally {
      await installPreparer(undefined);
    }
  });

  it("says how long the network took, within the time that all of it did", async () => {
    const took: number[] = [];
    const start = performance.now();
    await segmenter.segment(photograph(16, 16), { onNetworkSeconds: (seconds) => took.push(seconds) });
    expect(took).toHaveLength(1);
    expect(took[0]).toBeGreaterThan(0);
    expect(took[0]).toBeLessThanOrEqual((performance.now() - start) / 1000);
  });

  it("names what is of another size, and scales out of bounds", async () => {
    const fieldOfView = { width: 16, height: 8, data: new Uint8Array(128) };
    await expect(segmenter.segment(photograph(16, 16), { fieldOfView })).rejects.toThrow(
      "segment: fieldOfView is 16 x 8 but the photograph is 16 x 16",
    );
    for (const scale of [1 / 17, 17, Number.NaN])
      await expect(segmenter.segment(photograph(16, 16), { scale })).rejects.toThrow(
        `segment: scale must lie between 0.0625 and 16 but is ${scale}`,
      );
    for (const scale of [1 / 16, 16])
      expect((await segmenter.segment(photograph(16, 2), { scale })).scale).toBe(scale);
    await expect(segmenter.segment(photograph(16, 16), { maxPixels: 255 })).rejects.toThrow(
      "segment: the photograph has 16 x 16 pixels (scaled and padded to 16 x 16); the limit is 255",
    );
    expect((await segmenter.segment(photograph(16, 16), { maxPixels: 256 })).width).toBe(16);
    await expect(segmenter.segment(photograph(15, 16), { maxPixels: 255 })).rejects.toThrow(
      "padded to 16 x 16",
    );
  });

  it("takes the scale that a photograph's field of view calls for", async () => {
    const data = new Uint8Array(16 * 16).fill(1);
    const fieldOfView = { width: 16, height: 16, data };
    const image = photograph(16, 16);
    const found = await segmenter.segment(image, { scale: "auto", fieldOfView });
    expect(found.scale).toBe(4);
    const told = await segmenter.segment(image, { scale: 4, fieldOfView });
    expect(found.probability).toEqual(told.probability);
  });

  it("sees the padding that it is asked for", async () => {
    const [near, far] = await Promise.all(
      [1, 64].map((padTo) => segmenter.segment(photograph(16, 16), { padTo })),
    );
    expect(near.probability).not.toEqual(far.probability);
    const x = padFloats(
      Float32Array.from(photograph(16, 16).data, (value) => value / 255),
      16,
      16,
      64,
      64,
    );
    expect(far.probability[0]).toBe(noGrad(() => sigmoid(forward(saUNetV2, network.parameters, x))).data[0]);
  });

  it("takes RGBA, and a threshold", async () => {
    const { data } = photograph(8, 8);
    const rgba = Uint8Array.from({ length: 256 }, (_, i) =>
      i % 4 === 3 ? 255 : data[Math.floor(i / 4) * 3 + (i % 4)],
    );
    const plain = await segmenter.segment({ width: 8, height: 8, data });
    expect((await segmenter.segment({ width: 8, height: 8, data: rgba })).probability).toEqual(
      plain.probability,
    );
    const all = await segmenter.segment({ width: 8, height: 8, data }, { threshold: 0 });
    expect(all.mask.data.every((value) => value === 1)).toBe(true);
    // A probability equal to the threshold is one of a vessel.
    const threshold = [...plain.probability].sort()[20];
    const { mask } = await segmenter.segment({ width: 8, height: 8, data }, { threshold });
    expect([...mask.data]).toEqual(Array.from(plain.probability, (p) => (p >= threshold ? 1 : 0)));
    expect(mask.data[plain.probability.indexOf(threshold)]).toBe(1);
  });

  it("refuses what is too large, and bytes that do not fill the photograph", async () => {
    await expect(segmenter.segment(photograph(100, 100), { maxPixels: 9999 })).rejects.toThrow(
      "segment: the photograph has 100 x 100 pixels (scaled and padded to 104 x 104); the limit is 9999",
    );
    await expect(segmenter.segment(photograph(100, 100), { maxPixels: 9999, scale: 0.5 })).rejects.toThrow(
      "segment: the photograph has 100 x 100 pixels (scaled and padded to 56 x 56); the limit is 9999",
    );
    await expect(segmenter.segment(photograph(50, 50), { maxPixels: 9999, scale: 2 })).rejects.toThrow(
      "segment: the photograph has 50 x 50 pixels (scaled and padded to 104 x 104); the limit is 9999",
    );
    await expect(segmenter.segment({ width: 5, height: 5, data: new Uint8Array(7) })).rejects.toThrow(
      "wants 75 bytes",
    );
  });
});
