import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState, uniform } from "../random.ts";
import { full, ones, type Tensor, tensor, zeros } from "../tensor.ts";
import { expectClose, gradcheck, maskFromNoise } from "../testing.ts";
import {
  allocateMask,
  type DropBlockOptions,
  dropBlock,
  dropBlockDims,
  dropBlockDraw,
  dropMasked,
  wordPairs,
} from "./drop-block.ts";
import { concat, slice } from "./movement.ts";
import { mean } from "./sum.ts";

function fromNoise(x: Tensor, noise: Tensor, options: DropBlockOptions): Tensor {
  const d = dropBlockDims(x.shape, options);
  return dropMasked(x, maskFromNoise(noise.data, d), d);
}

/** Noise that makes seeds exactly at the given indices. */
function seeds(shape: number[], ...indices: number[]): Tensor {
  const noise = full(shape, 0.999);
  for (const index of indices) noise.data[index] = 0;
  return noise;
}

/** Rows of the first image's first channel: `#` kept, `.` dropped. */
function picture({ data, shape: [, H, W, C] }: Tensor): string[] {
  const row = (h: number) => Array.from({ length: W }, (_, w) => (data[(h * W + w) * C] === 0 ? "." : "#"));
  return Array.from({ length: H }, (_, h) => row(h).join(""));
}

describe("dropBlock", () => {
  const drop = (H: number, W: number, options: DropBlockOptions, ...indices: number[]) =>
    fromNoise(ones([1, H, W, 1]), seeds([1, H, W, 1], ...indices), options);

  it("drops a block centred on its seed", () => {
    const y = drop(5, 5, { rate: 0.1, blockSize: 3 }, 2 * 5 + 1);
    expect(picture(y)).toEqual(["#####", "...##", "...##", "...##", "#####"]);
    expect(y.data[0]).toBe(Math.fround(25 / 16));
  });

  it("lets an even block reach further before its seed", () => {
    const y = drop(5, 5, { rate: 0.1, blockSize: 2 }, 2 * 5 + 2);
    expect(picture(y)).toEqual(["#####", "#..##", "#..##", "#####", "#####"]);
  });

  it("counts no seed whose block would leave the map", () => {
    const border = [0, 1, 2, 3, 4, 5, 9, 10, 14, 15, 19, 20, 21, 22, 23, 24];
    expect(picture(drop(5, 5, { rate: 0.1, blockSize: 3 }, ...border))).toEqual(Array(5).fill("#####"));
    const topAndLeft = [0, 1, 2, 3, 4, 5, 10, 15, 20];
    expect(picture(drop(5, 5, { rate: 0.1, blockSize: 2 }, ...topAndLeft))).toEqual(Array(5).fill("#####"));
  });

  it("takes the limit of rows from the width, as its source does", () => {
    const tall = { rate: 0.1, blockSize: 3 };
    expect(dropBlockDims([1, 9, 5, 1], tall)).toMatchObject({
      firstRow: 1,
      endRow: 4,
      firstColumn: 1,
      endColumn: 4,
    });
    expect(dropBlockDims([1, 5, 9, 1], tall)).toMatchObject({
      firstRow: 1,
      endRow: 5,
      firstColumn: 1,
      endColumn: 8,
    });
    // A seed in the last row: its block ends with the image and does not reach into the next.
    const cut = fromNoise(ones([2, 3, 5, 1]), seeds([2, 3, 5, 1], 2 * 5 + 2), tall);
    expect(picture(cut)).toEqual(["#####", "#...#", "#...#"]);
    expect(cut.data.slice(15)).toEqual(new Float32Array(15).fill(30 / 24));
  });

  it("has the published seed rate at the sizes of SA-UNetv2", () => {
    const gamma = (size: number) => 1 - dropBlockDims([1, size, size, 1], { rate: 0.15 }).keepRate;
    expect([592, 296, 148, 74].map((size) => Number(gamma(size).toFixed(6)))).toEqual([
      0.003124, 0.003189, 0.003325, 0.003625,
    ]);
  });

  it("drops about the expected share, per image and channel, and keeps the mean", () => {
    const x = ones([8, 80, 80, 8]);
    const y = dropBlock(x, randomState(1), { rate: 0.15 });
    const gamma = 1 - dropBlockDims(x.shape, { rate: 0.15 }).keepRate;
    const inside = (value: number, i: number) => {
      const [h, w] = [Math.floor(i / 8 / 80) % 80, Math.floor(i / 8) % 80];
      return value === 0 && Math.min(h, w) >= 6 && Math.max(h, w) < 74;
    };
    expect(y.data.filter(inside).length / (8 * 68 * 68 * 8)).toBeCloseTo(1 - (1 - gamma) ** 49, 1.7);
    expect(mean(y).item()).toBeCloseTo(1, 5);
    const channel = (c: number) => y.data.filter((_, i) => i % 8 === c);
    expect(channel(0)).not.toEqual(channel(1));
  });

  it("drops the same blocks in all channels when asked", () => {
    const noise = uniform([2, 20, 20, 1], randomState(2));
    const options = { rate: 0.15, blockSize: 5 };
    const shared = fromNoise(ones([2, 20, 20, 3]), noise, { ...options, sharedMask: true });
    const single = fromNoise(ones([2, 20, 20, 1]), noise, options);
    expect(shared.data).toEqual(new Float32Array([...single.data].flatMap((value) => [value, value, value])));
    const drawn = dropBlock(ones([2, 20, 20, 3]), randomState(2), { ...options, sharedMask: true });
    expect(drawn.data.some((value) => value === 0)).toBe(true);
    expect(drawn.data.every((value, i) => value === drawn.data[i - (i % 3)])).toBe(true);
  });

  it("draws as many seeds, as evenly, as noise would give", () => {
    // Blocks of one element are the seeds themselves. A gap of 1,000 needs several draws at the lowest rate.
    for (const rate of [0.0005, 0.003, 0.1, 0.7]) {
      const state = randomState(9);
      const y = dropBlock(ones([4, 64, 64, 16]), state, { rate, blockSize: 1 });
      const count = y.size;
      const isSeed = (i: number) => (y.data[i] === 0 ? 1 : 0);
      let [seeds, neighbours] = [0, 0];
      const byChannel = new Float64Array(16);
      for (let i = 0; i < count; i++) {
        seeds += isSeed(i);
        byChannel[i % 16] += isSeed(i);
        if (i > 0) neighbours += isSeed(i - 1) * isSeed(i);
      }
      // Five standard deviations of a binomial count.
      const spread = (n: number, p: number) => 5 * Math.sqrt(n * p * (1 - p));
      expect(Math.abs(seeds - count * rate)).toBeLessThan(spread(count, rate));
      expect(Math.abs(neighbours - count * rate ** 2)).toBeLessThan(spread(count, rate ** 2) + 1);
      for (const own of byChannel)
        expect(Math.abs(own - (count / 16) * rate)).toBeLessThan(spread(count / 16, rate));
      expect(state[2]).toBe((count / 2) >>> 0);
    }
  });

  it("seeds nothing where a gap ends behind the last column", () => {
    const d = dropBlockDims([2, 9, 8, 1], { rate: 0.1, blockSize: 3 });
    const columns = d.endColumn - d.firstColumn;
    /** Every gap has this length. */
    const masked = (gap: number) => {
      const mask = allocateMask(d);
      const limits = Uint32Array.from({ length: 1023 }, (_, k) => (k < gap ? 0 : 2 ** 32 - 1));
      dropBlockDraw({ mask, limits, state: randomState(1) }, d);
      return mask;
    };
    expect(masked(columns).every((four) => four === -1)).toBe(true);
    expect(masked(columns - 1).every((four) => four === -1)).toBe(false);
  });

  it("has the right gradient", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1, max: 4 }), (sharedMask, blockSize) => {
        const noise = uniform([2, 6, 5, sharedMask ? 1 : 3], randomState(3));
        gradcheck(
          ([x]) => fromNoise(x, noise, { rate: 0.3, blockSize, sharedMask }),
          [normal([2, 6, 5, 3], randomState(4))],
        );
      }),
    );
  });

  it("stays finite where its source does not: small maps, and everything dropped", () => {
    const y = dropBlock(ones([8, 2, 3, 16]), randomState(5), { rate: 0.3 });
    expect(mean(y).item()).toBeCloseTo(1, 5);
    expect(y.data.some((value) => value === 0)).toBe(true);
    expect(drop(3, 3, { rate: 0.5, blockSize: 3 }, 4)).toEqual(zeros([1, 3, 3, 1]));
  });

  it("takes its scale from outside where a part is to be as in its batch", () => {
    const options = { rate: 0.3, blockSize: 3 };
    const x = normal([4, 12, 12, 3], randomState(8));
    const whole = dropBlock(x, randomState(9), options);
    const at = whole.data.findIndex((value) => value !== 0);
    const scale = tensor([whole.data[at] / x.data[at]]);
    const state = randomState(9);
    const half = (from: number) => slice(x, [from, 0, 0, 0], [2, 12, 12, 3]);
    expectClose(
      concat(
        [dropBlock(half(0), state, { ...options, scale }), dropBlock(half(2), state, { ...options, scale })],
        0,
      ),
      whole,
      1e-6,
    );
    expect(state[2]).toBe(wordPairs(dropBlockDims(x.shape, options)));
    gradcheck(
      ([z]) => dropBlock(z, randomState(9), { ...options, scale }),
      [normal([1, 5, 5, 2], randomState(4))],
    );
    expect(() => dropBlock(x, state, { ...options, scale: ones([2]) })).toThrow(
      "dropBlock: scale must be [1] but is [2]",
    );
  });

  it("drops nothing at rate 0", () => {
    const x = normal([1, 9, 9, 2], randomState(6));
    expectClose(dropBlock(x, randomState(7), { rate: 0 }), x, 0);
  });

  it("refuses what it cannot do and says why", () => {
    const x = ones([1, 8, 8, 2]);
    expect(() => dropBlock(x, randomState(1), { rate: -0.1 })).toThrow(
      "dropBlock: rate must lie between 0 and 1 but is -0.1",
    );
    expect(() => dropBlock(x, randomState(1), { rate: 0.1, blockSize: 0 })).toThrow(
      "dropBlock: blockSize must be an integer of at least 1 but is 0",
    );
    expect(() => dropBlock(ones([8, 8, 2]), randomState(1), { rate: 0.1 })).toThrow(
      "dropBlock: x must have 4 axes [N,H,W,C] but is [8,8,2]",
    );
  });
});
