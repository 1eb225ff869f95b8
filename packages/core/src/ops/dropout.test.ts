import { describe, expect, it } from "vitest";
import { normal, randomState, uniform } from "../random.ts";
import { ones, tensor, zeros } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { dropout, dropoutFromNoise } from "./dropout.ts";
import { mean } from "./sum.ts";

describe("dropout", () => {
  it("drops where the noise is below the rate and scales the rest", () => {
    const y = dropoutFromNoise(tensor([1, 2, 3, 4]), tensor([0, 0.75, 0.74, 0.99]), { rate: 0.75 });
    expect([...y.data]).toEqual([0, 8, 0, 16]);
  });

  it("drops nothing at rate 0 and everything at rate 1", () => {
    const x = normal([50], randomState(1));
    expect(dropout(x, randomState(2), { rate: 0 })).toEqual(x);
    expect(dropout(ones([50]), randomState(2), { rate: 1 })).toEqual(zeros([50]));
  });

  it("keeps the mean, draws anew each time, and repeats with the same seed", () => {
    const state = randomState(3);
    const [first, second] = [0, 1].map(() => dropout(ones([20_000]), state, { rate: 0.3 }));
    expect(mean(first).item()).toBeCloseTo(1, 1);
    expect(first.data.filter((value) => value === 0).length / 20_000).toBeCloseTo(0.3, 1);
    expect(second).not.toEqual(first);
    expect(dropout(ones([20_000]), randomState(3), { rate: 0.3 })).toEqual(first);
  });

  it("has the right gradient", () => {
    const noise = uniform([4, 5], randomState(4));
    gradcheck(([x]) => dropoutFromNoise(x, noise, { rate: 0.4 }), [normal([4, 5], randomState(5))]);
  });

  it("refuses a rate that is none and noise of another shape", () => {
    expect(() => dropout(ones([2]), randomState(1), { rate: 1.5 })).toThrow(
      "dropout: rate must lie between 0 and 1 but is 1.5",
    );
    expect(() => dropoutFromNoise(ones([2]), ones([1]), { rate: 0.5 })).toThrow(
      "dropout: noise must be [2] but is [1]",
    );
  });
});
