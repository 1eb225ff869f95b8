import { setFlagsFromString } from "node:v8";
import { conv2dDims, conv2dForward } from "@saunet/core/kernels";
import { accelerate, restore } from "@saunet/wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeOperands } from "../operands.ts";
import { maxAbsDiff } from "../statistics.ts";
import { attempts } from "./index.ts";

// Off by default in the oldest hosts; without effect where it is not.
setFlagsFromString("--experimental-wasm-relaxed-simd");

beforeAll(async () => void (await accelerate({ threads: 1 })));
afterAll(restore);

/** Sizes that tiles of 2, 3, 4 and 6 do not divide, with every option that an attempt may serve. */
const shapes = [
  conv2dDims("lab", [2, 13, 11, 16], [3, 3, 16, 16]),
  conv2dDims("lab", [1, 31, 101, 4], [3, 3, 4, 32]),
  conv2dDims("lab", [2, 9, 14, 8], [3, 5, 8, 16], { stride: [2, 3] }),
  conv2dDims("lab", [1, 12, 10, 4], [3, 3, 4, 16], { dilation: [2, 1] }),
  conv2dDims("lab", [1, 10, 12, 5], [4, 2, 5, 4], { padding: "valid" }),
  conv2dDims("lab", [1, 7, 7, 3], [1, 1, 3, 3]),
];

it("numbers the attempts in their order, and gives each a name", () => {
  const names = attempts.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^\w{3}/);
  expect(attempts.map(({ number }) => number)).toEqual(attempts.map((_, i) => i + 1));
});

describe.each(attempts)("attempt $number, $name", ({ serves, prepare }) => {
  it("gives the reference's numbers, also in a second run", () => {
    const served = shapes.filter(serves);
    expect(served.length).toBeGreaterThan(0);
    for (const dims of served) {
      const operands = makeOperands(dims);
      const wanted = new Float32Array(dims.N * dims.OH * dims.OW * dims.O);
      conv2dForward.reference({ y: wanted, ...operands }, dims);
      const { y, run } = prepare(dims, operands);
      run();
      run();
      expect(maxAbsDiff(y(), wanted)).toBeLessThan(1e-4);
    }
  });
});
