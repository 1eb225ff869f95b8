import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { intercept } from "../kernel.ts";
import { normal, randomState } from "../random.ts";
import { ones, parameter, tensor, zeros } from "../tensor.ts";
import { checkOperator, expectClose } from "../testing.ts";
import { mul } from "./arithmetic.ts";
import { dense, matmul, matmulForward } from "./matmul.ts";
import type { MatmulDims } from "./matmul-dims.ts";
import { transpose } from "./movement.ts";
import { sum } from "./sum.ts";

const random = (shape: readonly number[], seed = 1) => normal(shape, randomState(seed));

describe("matmul", () => {
  it("is right for any sizes, batches and transposes, with gradients, captured too", () => {
    const batches: [number[], number[]][] = [
      [[], []],
      [[3], []],
      [[], [2]],
      [
        [2, 1],
        [1, 3],
      ],
      [[2, 3], [3]],
      [[2], [1]],
      [[], [1, 1]],
      [[1], [2]],
    ];
    const products = fc.record({
      m: fc.integer({ min: 1, max: 9 }),
      n: fc.integer({ min: 1, max: 9 }),
      k: fc.integer({ min: 1, max: 6 }),
      batch: fc.constantFrom(...batches),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    });
    fc.assert(
      fc.property(products, ({ m, n, k, batch: [batchA, batchB], transposeA, transposeB }) => {
        const a = random([...batchA, ...(transposeA ? [k, m] : [m, k])], 1);
        const b = random([...batchB, ...(transposeB ? [n, k] : [k, n])], 2);
        checkOperator(([x, y]) => matmul(x, y, { transposeA, transposeB }), [a, b], { samples: 10 });
      }),
      { numRuns: 60 },
    );
  });

  it("fills what its tiles and blocks of columns do not divide", () => {
    for (const [m, k, n] of [
      [4, 3, 64],
      [5, 2, 65],
      [66, 1, 130],
      [1, 40, 70],
      [70, 40, 1],
      [3, 5, 3],
    ]) {
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ]) {
        const [a, b] = [random([m, k], 1), random([k, n], 2)];
        const options = { transposeA, transposeB };
        const y = matmul(
          transposeA ? transpose(a, [1, 0]) : a,
          transposeB ? transpose(b, [1, 0]) : b,
          options,
        );
        const wanted = Array.from({ length: m * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return Array.from({ length: k }, (_, t) => a.data[i * k + t] * b.data[t * n + j]).reduce(
            (left, right) => left + right,
          );
        });
        expectClose(y, wanted, 1e-6);
      }
    }
  });

  it("takes vectors as NumPy does", () => {
    const [matrix, three, four] = [random([3, 4]), random([3], 2), random([4], 3)];
    expect(matmul(matrix, four).shape).toEqual([3]);
    expect(matmul(three, matrix).shape).toEqual([4]);
    expect(matmul(three, three).shape).toEqual([]);
    expect(matmul(random([2, 5, 4, 3]), three).shape).toEqual([2, 5, 4]);
    expect(matmul(four, random([2, 5, 4, 3])).shape).toEqual([2, 5, 3]);
    checkOperator(([a, b]) => matmul(a, b), [matrix, four]);
    checkOperator(([a, b]) => matmul(a, b), [three, random([2, 3, 2])]);
    checkOperator(([a, b]) => matmul(a, b), [three, three]);
  });

  it("gives zeros for sums of nothing, and nothing for no rows", () => {
    expect([...matmul(zeros([2, 0]), zeros([0, 5])).data]).toEqual(new Array(10).fill(0));
    expect(matmul(zeros([0, 3]), zeros([3, 2])).shape).toEqual([0, 2]);
    expect(matmul(zeros([0, 2, 3]), zeros([3, 2])).shape).toEqual([0, 2, 2]);
    const w = parameter(ones([3, 2]));
    backward(sum(matmul(zeros([0, 3]), w)));
    expect([...w.grad!]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("multiplies many matrices by one as a single tall matrix, the gradient too", () => {
    const calls: MatmulDims[] = [];
    intercept(
      ({ kernel, dims, run }) => {
        if (kernel.name === matmulForward.name) calls.push(dims as MatmulDims);
        run();
      },
      () => {
        const [x, w] = [parameter(random([5, 2, 3])), parameter(random([3, 4]))];
        const y = matmul(x, w);
        backward(sum(mul(y, y)));
        expect(w.grad!).toHaveLength(12);
      },
    );
    expect(calls.map(({ batch, m, k, n }) => [batch, m, k, n])).toEqual([
      [1, 10, 3, 4],
      [1, 10, 4, 3],
      [1, 3, 10, 4],
    ]);
    expect(calls[0].flops).toBe(2 * 10 * 3 * 4);
  });

  it("refuses what does not fit and says why", () => {
    expect(() => matmul(zeros([2, 3]), zeros([2, 3]))).toThrow(
      "matmul: a [2,3] has 3 columns but b [2,3] has 2 rows",
    );
    expect(() => matmul(zeros([2, 3]), zeros([3, 4]), { transposeA: true })).toThrow(
      "matmul: a [2,3] transposed has 2 columns but b [3,4] has 3 rows",
    );
    expect(() => matmul(zeros([2, 1, 3]), zeros([5, 3, 4]))).toThrow(
      "matmul, batch axes: a [2] and b [5] do not broadcast",
    );
    expect(() => matmul(tensor(2), zeros([3]))).toThrow("matmul: a must be a vector or matrix but is []");
    expect(() => matmul(zeros([3]), zeros([3, 2]), { transposeA: true })).toThrow(
      "matmul: a must be a matrix to lie transposed but is [3]",
    );
  });

  it("refuses what only JavaScript callers can do", () => {
    const [a, loose] = [zeros([2, 2]), matmul as (...args: unknown[]) => unknown];
    expect(() => loose(a, [1, 2])).toThrow(
      "matmul: b must be a tensor or a number but is an Array; tensor() converts",
    );
    expect(() => loose(a)).toThrow("matmul: b must be a tensor or a number but is undefined");
    expect(() => loose(a, a, { transpose_b: true })).toThrow(
      "matmul: there is no option transpose_b; the options are transposeA, transposeB",
    );
    expect(() => loose(a, a, true)).toThrow(
      "matmul: options must be a record such as { transposeA: … } but is boolean",
    );
  });
});

describe("dense", () => {
  it("is a product and a sum over the last axis, with gradients", () => {
    for (const shape of [[3], [2, 3], [2, 1, 4, 3]]) {
      const [x, w, b] = [random(shape, 1), random([3, 5], 2), random([5], 3)];
      expect(dense(x, w, b).shape).toEqual([...shape.slice(0, -1), 5]);
      checkOperator((all) => dense(all[0], all[1], all[2]), [x, w, b]);
      checkOperator(([input, weights]) => dense(input, weights), [x, w]);
    }
  });

  it("refuses what does not fit and says why", () => {
    expect(() => dense(zeros([2, 3]), zeros([4, 5]))).toThrow(
      "dense: weights must be [3,O] for x [2,3] but is [4,5]",
    );
    expect(() => dense(zeros([2, 3]), zeros([3, 5]), zeros([3]))).toThrow(
      "dense: bias must be [5] but is [3]",
    );
    expect(() => dense(tensor(1), zeros([3, 5]))).toThrow(
      "dense: weights must be [I,O] for x [] but is [3,5]",
    );
  });
});
