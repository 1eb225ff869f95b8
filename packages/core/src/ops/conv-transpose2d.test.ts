import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import { tensor, zeros } from "../tensor.ts";
import { adjointCheck, gradcheck } from "../testing.ts";
import { convTranspose2d, convTranspose2dDims } from "./conv-transpose2d.ts";
import { conv2d } from "./conv2d.ts";

const random = (shape: number[], seed: number) => normal(shape, randomState(seed));

describe("convTranspose2d", () => {
  it("puts in[i] · w[k] at 2i + k and drops what lies beyond: Keras's 3×3, stride 2, same", () => {
    // One axis: out[2i] = w0 in[i] + w2 in[i-1], out[2i+1] = w1 in[i].
    const x = tensor([1, 10, 100], [1, 1, 3, 1]);
    const row = convTranspose2d(x, tensor([2, 3, 5], [1, 3, 1, 1]), undefined, { stride: [1, 2] });
    expect([...row.data]).toEqual([2, 3, 20 + 5, 30, 200 + 50, 300]);
    // Two axes, with different taps in rows and columns: the outer product of two such lines, and a bias.
    const w = tensor(
      [1, 7, 11].flatMap((rowTap) => [2, 3, 5].map((tap) => rowTap * tap)),
      [3, 3, 1, 1],
    );
    const y = convTranspose2d(tensor([1, 10, 100, 1000], [1, 2, 2, 1]), w, tensor([0.5]), { stride: 2 });
    const lines = [1, 100].map((scale) => [2, 3, 25, 30].map((value) => value * scale));
    const wanted = [
      lines[0],
      lines[0].map((value) => 7 * value),
      lines[0].map((value, i) => 11 * value + lines[1][i]),
      lines[1].map((value) => 7 * value),
    ];
    expect([...y.data]).toEqual(wanted.flat().map((value) => value + 0.5));
  });

  it("keeps output channels before input channels in its filter", () => {
    const y = convTranspose2d(
      tensor([1, 10], [1, 1, 1, 2]),
      tensor([
        [
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        ],
      ]),
    );
    expect([...y.data]).toEqual([21, 43, 65]);
  });

  it.each([
    ["same", 3, 2, 10],
    ["same", 1, 3, 15],
    ["valid", 3, 2, 11],
    ["valid", 2, 3, 15],
    ["valid", 4, 1, 8],
  ] as const)("with padding %s, filter %i and stride %i makes %i of 5", (padding, K, stride, wanted) => {
    expect(convTranspose2dDims([1, 5, 5, 1], [K, K, 1, 1], { stride, padding })).toMatchObject({
      H: wanted,
      W: wanted,
      OH: 5,
      OW: 5,
    });
  });

  const geometry = fc.record({
    N: fc.integer({ min: 1, max: 2 }),
    H: fc.integer({ min: 1, max: 4 }),
    W: fc.integer({ min: 1, max: 4 }),
    C: fc.constantFrom(1, 3),
    O: fc.constantFrom(1, 2),
    K: fc.constantFrom(1, 2, 3, 5),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.constantFrom("same" as const, "valid" as const),
  });

  it("is the adjoint of conv2d", () => {
    fc.assert(
      fc.property(geometry, ({ N, H, W, C, O, K, ...options }) => {
        const w = random([K, K, O, C], 1);
        const d = convTranspose2dDims([N, H, W, C], w.shape, options);
        adjointCheck(
          (x) => convTranspose2d(x, w, undefined, options),
          (y) => conv2d(y, w, undefined, options),
          [N, H, W, C],
          [N, d.H, d.W, O],
        );
      }),
    );
  });

  it("has right gradients for any geometry", () => {
    fc.assert(
      fc.property(geometry, ({ N, H, W, C, O, K, ...options }) => {
        gradcheck(
          ([x, w, b]) => convTranspose2d(x, w, b, options),
          [random([N, H, W, C], 1), random([K, K, O, C], 2), random([O], 3)],
        );
      }),
      { numRuns: 30 },
    );
  });

  it("refuses what does not fit and says why", () => {
    const x = zeros([1, 2, 2, 3]);
    expect(() => convTranspose2d(x, zeros([3, 3, 3, 4]))).toThrow(
      "convTranspose2d: w has 4 input channels but x [1,2,2,3] has 3",
    );
    expect(() => convTranspose2d(x, zeros([3, 3, 2, 3]), zeros([3]))).toThrow(
      "convTranspose2d: b must be [2] but is [3]",
    );
    expect(() => convTranspose2d(x, zeros([0, 3, 2, 3]))).toThrow("must have rows and columns");
    expect(() => convTranspose2d(x, zeros([3, 3, 3]))).toThrow(
      "convTranspose2d: w must have 4 axes [KH,KW,Cout,Cin] but is [3,3,3]",
    );
    expect(() => convTranspose2d(x, zeros([3, 3, 2, 3]), undefined, { stride: 0.5 })).toThrow(
      "convTranspose2d: stride must be an integer of at least 1 but is 0.5",
    );
    expect(() => convTranspose2d(x, zeros([3, 3, 2, 3]), undefined, { padding: 1 as never })).toThrow(
      'convTranspose2d: padding must be "same" or "valid" but is 1',
    );
  });
});
