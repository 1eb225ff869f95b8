import { describe, expect, it } from "vitest";
import { draw, normal, permutation, randomState, threefry2x32, uniform } from "./random.ts";

describe("threefry2x32", () => {
  // Known answers published with the Random123 library (Salmon et al.).
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])("key %j, counter %j", (key, counter, wanted) => {
    const out = new Uint32Array(2);
    threefry2x32(key[0], key[1], counter[0], counter[1], out);
    expect([...out]).toEqual(wanted);
  });
});

describe("streams", () => {
  it("repeat from the same state and move on", () => {
    const state = randomState(7);
    const first = uniform([5], state);
    expect(uniform([5], randomState(7)).data).toEqual(first.data);
    expect(uniform([5], state).data).not.toEqual(first.data);
  });

  // Numbers are drawn in pairs; what is left of the last pair is drawn no second time.
  it("move on by whole pairs after an odd count", () => {
    const [odd, even] = [randomState(7), randomState(7)];
    const last = uniform([5], odd).data[4];
    uniform([6], even);
    expect(odd).toEqual(even);
    expect(uniform([5], odd).data).not.toContain(last);
  });

  it("differ between seeds and between streams", () => {
    const values = [randomState(1), randomState(2), randomState(1, 1), randomState(2 ** 32 + 1)].map(draw);
    expect(new Set(values).size).toBe(4);
  });

  it("carry the counter into its high word", () => {
    const state = randomState(3);
    state[2] = 0xffffffff;
    draw(state);
    expect([state[2], state[3]]).toEqual([0, 1]);
  });

  it("are uniform: mean 1/2, variance 1/12", () => {
    const { data } = uniform([100_000], randomState(11));
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  it("are normal, and cut where asked", () => {
    const { data } = normal([100_000], randomState(5), { deviation: 3 });
    const variance = data.reduce((sum, value) => sum + value ** 2, 0) / data.length;
    expect(Math.abs(variance / 9 - 1)).toBeLessThan(0.02);
    const cut = normal([10_000], randomState(5), { limit: 2 });
    expect(Math.max(...cut.data.map(Math.abs))).toBeLessThanOrEqual(2);
  });

  it("shuffle without losing anyone", () => {
    const order = permutation(100, randomState(9));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
  });

  it("shuffle so that everyone comes everywhere equally often", () => {
    const [count, rounds] = [5, 5000];
    const state = randomState(11);
    const seen = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    for (let round = 0; round < rounds; round++)
      permutation(count, state).forEach((who, where) => {
        seen[who][where]++;
      });
    // 1000 each, with a deviation of 28: five of them.
    for (const times of seen.flat()) expect(Math.abs(times - rounds / count)).toBeLessThan(140);
  });
});
