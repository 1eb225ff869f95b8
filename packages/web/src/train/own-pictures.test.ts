import { fieldOfView, syntheticFundus } from "@saunet/data";
import { autoScale } from "@saunet/model";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readForTesting, readForTraining } from "./own-pictures.ts";
import { ownBatches } from "./training-pictures.ts";

const { image, vessels } = syntheticFundus({ seed: 3, width: 320, height: 240 });

/** RGBA, as a browser decodes it. */
const pixels = new Uint8ClampedArray(4 * 320 * 240).fill(255);
for (let pixel = 0; pixel < 320 * 240; pixel++)
  pixels.set(image.data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);

vi.mock("../pictures/decode.ts", () => ({
  decodePicture: async () => ({ close() {} }),
  pixelsOf: () => ({ width: 320, height: 240, data: pixels }),
}));
afterEach(() => vi.restoreAllMocks());

const picture = {
  name: "eye.png",
  width: 320,
  height: 240,
  file: new Blob(["a file"]),
  vessels: new Blob([vessels.data as Uint8Array<ArrayBuffer>]),
};

describe("photographs of one's own", () => {
  it("are tested at the scale of the network, with labels of that size", async () => {
    const scale = autoScale(image);
    const size = { width: Math.round(320 * scale), height: Math.round(240 * scale) };
    expect(scale).toBeGreaterThan(1.5);
    const read = await readForTesting(picture);
    for (const each of [read.image, read.vessels, read.fieldOfView]) expect(each).toMatchObject(size);
    const share = (data: ArrayLike<number>) =>
      Array.from(data).reduce((sum, value) => sum + value, 0) / data.length;
    expect(share(read.vessels.data)).toBeCloseTo(share(vessels.data), 2);
    expect(share(read.fieldOfView.data)).toBeCloseTo(share(fieldOfView(image).data), 2);
    expect(share(read.image.data.filter((_, i) => i % 4 === 0))).toBeCloseTo(
      share(image.data.filter((_, i) => i % 3 === 0)),
      0,
    );
  });

  it("give a step the same crops, whatever came before", async () => {
    const images = [await readForTraining(picture)];
    expect(images[0].scale).toBeCloseTo(autoScale(image), 10);
    const batchOf = ownBatches(images, 7, 2, 32);
    const fifth = batchOf(5);
    batchOf(6);
    expect(ownBatches(images, 7, 2, 32)(5)).toEqual(fifth);
    expect(batchOf(6).x).not.toEqual(fifth.x);
    // Every crop holds vessel, and is seen as large as the segmenter would show it.
    for (let n = 0; n < 2; n++)
      expect(Math.max(...fifth.target.subarray(n * 32 * 32, (n + 1) * 32 * 32))).toBeGreaterThan(0.5);
  });
});
