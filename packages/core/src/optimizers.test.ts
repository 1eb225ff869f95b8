import { describe, expect, it } from "vitest";
import { type AdamOptions, adam, adamW } from "./optimizers.ts";
import { parameter, tensor } from "./tensor.ts";

/** A weight of 1 after one step on a gradient of 0: only decay moves it. */
function decayed(options: AdamOptions): number {
  const w = parameter(tensor([1]));
  const optimizer = adamW({ w }, { learningRate: 0.1, ...options });
  w.grad = new Float32Array([0]);
  optimizer.step();
  return w.data[0];
}

describe("adam", () => {
  it("keeps its defaults where an option is undefined", () => {
    expect(decayed({ weightDecay: undefined } as unknown as AdamOptions)).toBe(Math.fround(1 - 0.1 * 0.004));
    expect(decayed({})).toBe(Math.fround(1 - 0.1 * 0.004));
    expect(decayed({ weightDecay: 0 })).toBe(1);
  });

  it.each<[AdamOptions, string]>([
    [{ beta1: 1 }, "adam: beta1 must be at least 0 and below 1 but is 1"],
    [{ beta2: 1 }, "adam: beta2 must be at least 0 and below 1 but is 1"],
    [{ beta1: -0.1 }, "adam: beta1 must be at least 0 and below 1 but is -0.1"],
    [{ beta2: Number.NaN }, "adam: beta2 must be at least 0 and below 1 but is NaN"],
    [{ epsilon: -1 }, "adam: epsilon must lie between 0"],
    [{ weightDecay: Number.NaN }, "adam: weightDecay must lie between 0"],
    [{ learningRate: -1 }, "optimizer: learningRate must lie between 0"],
  ])("refuses %j", (options, message) => {
    const w = parameter(tensor([1]));
    expect(() => adam({ w }, options)).toThrow(RangeError);
    expect(() => adam({ w }, options)).toThrow(message);
  });
});
