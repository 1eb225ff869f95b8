import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normal, randomState } from "../random.ts";
import { tensor, zeros } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { concat, pad, reshape, slice, transpose } from "./movement.ts";

const random = (shape: readonly number[], seed = 1) => normal(shape, randomState(seed));
const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
/** A box inside a shape: where it begins and how far it reaches on each axis. */
const boxes = shapes.chain((shape) =>
  fc.tuple(...shape.map((size) => fc.tuple(fc.nat(size - 1), fc.nat(size - 1)))).map((ends) => ({
    shape,
    begin: ends.map((pair) => Math.min(...pair)),
    size: ends.map(([a, b]) => Math.abs(a - b) + 1),
  })),
);

describe("reshape", () => {
  it("shares the array and works out one size", () => {
    const x = random([2, 3, 4]);
    const y = reshape(x, [4, -1]);
    expect(y.shape).toEqual([4, 6]);
    expect(y.data).toBe(x.data);
    expect(reshape(tensor([5]), []).shape).toEqual([]);
    gradcheck(([input]) => reshape(input, [3, 8]), [x]);
  });

  it.each([[[5]], [[-1, 5]], [[-1, -1]], [[-2, -3]], [[1.5, 4]], [[0, -1]]])("refuses %j", (shape) => {
    expect(() => reshape(zeros([2, 3]), shape)).toThrow(
      `reshape: x [2,3] does not take the shape [${shape}]`,
    );
  });
});

describe("transpose", () => {
  it("moves every element to its place, and back with the inverse", () => {
    const y = transpose(
      tensor([
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ]),
      [2, 0, 1],
    );
    expect(String(y)).toBe("Tensor [3,1,2] [[[1, 4]], [[2, 5]], [[3, 6]]]");
    fc.assert(
      fc.property(
        shapes.chain((shape) =>
          fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
        ),
        ([shape, permutation]) => {
          const x = random(shape);
          const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
          expect(transpose(transpose(x, permutation), inverse)).toEqual(x);
          gradcheck(([input]) => transpose(input, permutation), [x]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("reverses all axes by default, and counts negative ones from the end", () => {
    const x = random([2, 3, 4]);
    expect(transpose(x)).toEqual(transpose(x, [2, 1, 0]));
    expect(transpose(x, [-1, 0, -2])).toEqual(transpose(x, [2, 0, 1]));
    expect(transpose(tensor(5)).shape).toEqual([]);
    gradcheck(([input]) => transpose(input), [x]);
  });

  it.each([[[0]], [[0, 0]], [[0, 2]], [[0, 1, 2]], [[0, -2]], [[0, -3]]])("refuses %j", (permutation) => {
    expect(() => transpose(zeros([2, 3]), permutation)).toThrow(
      `transpose: permutation must name each of the 2 axes once but is [${permutation}]`,
    );
  });
});

describe("slice and pad", () => {
  it("cut out and put back", () => {
    expect(
      String(
        slice(
          tensor([
            [1, 2, 3],
            [4, 5, 6],
          ]),
          [1, 0],
          [1, -1],
        ),
      ),
    ).toBe("Tensor [1,3] [[4, 5, 6]]");
    expect(
      String(
        pad(
          tensor([[1], [2]]),
          [
            [0, 1],
            [1, 0],
          ],
          9,
        ),
      ),
    ).toBe("Tensor [3,2] [[9, 1], [9, 2], [9, 9]]");
    expect(slice(zeros([2, 3]), [0, 3], [2, 0]).shape).toEqual([2, 0]);
    fc.assert(
      fc.property(boxes, ({ shape, begin, size }) => {
        const inner = random(size);
        const paddings = size.map((extent, axis): [number, number] => [
          begin[axis],
          shape[axis] - begin[axis] - extent,
        ]);
        const padded = pad(inner, paddings, 7);
        expect(padded.shape).toEqual(shape);
        expect(slice(padded, begin, size)).toEqual(inner);
        expect(padded.data.filter((value) => value === 7)).toHaveLength(padded.size - inner.size);
        gradcheck(([x]) => pad(x, paddings, 7), [inner]);
        gradcheck(([x]) => slice(x, begin, size), [padded]);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [[0], [1]],
    [[0, 0], [1]],
    [[0], [1, 1]],
    [
      [0, 0, 0],
      [1, 1],
    ],
    [
      [0, 2],
      [2, 2],
    ],
    [
      [-1, 0],
      [1, 1],
    ],
    [
      [0, 0],
      [1, 0.5],
    ],
    [
      [0, 0],
      [-2, 3],
    ],
    [
      [0, 4],
      [2, -1],
    ],
  ])("slice refuses begin %j with size %j", (begin, size) => {
    expect(() => slice(zeros([2, 3]), begin, size)).toThrow(
      `slice: begin [${begin}] with size [${size}] is no box inside x [2,3]`,
    );
  });

  it("slice says which of its lists is none", () => {
    const number = 1 as unknown as number[];
    expect(() => slice(zeros([2]), number, [1])).toThrow(/^slice: begin must be/);
    expect(() => slice(zeros([2]), [0], number)).toThrow(/^slice: size must be/);
  });

  it("pad refuses what is no list of counts", () => {
    expect(() => pad(zeros([2, 3]), [[1, 1]])).toThrow(
      "pad: paddings must be 2 pairs, one an axis of x [2,3], but are 1",
    );
    expect(() => pad(zeros([2]), [[0, -1]])).toThrow(
      "pad: padding must be an integer of at least 0 but is -1",
    );
  });
});

describe("concat", () => {
  it("takes apart again what it joined, for any number of tensors", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }),
        fc.nat(2),
        (extents, axis) => {
          const parts = extents.map((extent, i) => random([2, 3, 2].with(axis, extent), i));
          const joined = concat(parts, axis - 3);
          let start = 0;
          for (const part of parts) {
            const begin = [0, 0, 0].with(axis, start);
            expect(slice(joined, begin, part.shape)).toEqual(part);
            start += part.shape[axis];
          }
          expect(joined.shape[axis]).toBe(start);
        },
      ),
    );
  });

  it("joins what is empty", () => {
    expect(concat([zeros([2, 0]), zeros([2, 0])], 1).shape).toEqual([2, 0]);
    expect(concat([zeros([2, 0]), tensor([[1], [2]])], 1).toArray()).toEqual([[1], [2]]);
    expect(concat([zeros([0, 3]), zeros([0, 3])]).shape).toEqual([0, 3]);
  });

  it("joins along the first axis by default", () => {
    expect(concat([tensor([1]), tensor([2, 3])]).toArray()).toEqual([1, 2, 3]);
  });

  it("has the right gradients", () => {
    const parts = [random([2, 1, 3], 1), random([2, 2, 3], 2), random([2, 4, 3], 3)];
    gradcheck((tensors) => concat(tensors, 1), parts);
    gradcheck(([x]) => concat([x, x], -1), [parts[0]]);
  });

  it("refuses what does not fit and says why", () => {
    expect(() => concat([], 0)).toThrow("concat: tensors must hold at least one tensor but is empty");
    expect(() => concat([zeros([2, 3]), zeros([2, 4])], 0)).toThrow(
      "concat: tensor 1 [2,4] does not continue [2,3] along axis 0",
    );
    expect(() => concat([zeros([2, 3]), zeros([2])], 0)).toThrow(
      "concat: tensor 1 [2] does not continue [2,3] along axis 0",
    );
    expect(() => concat([zeros([2, 3, 4]), zeros([2, 3, 4]), zeros([2, 3, 5])], 0)).toThrow(
      "concat: tensor 2 [2,3,5] does not continue [2,3,4] along axis 0",
    );
    expect(() => concat([zeros([2])], 1)).toThrow("concat: axis 1 is outside a tensor of 1 axes");
  });
});
