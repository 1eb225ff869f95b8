import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, randomState } from "../random.ts";
import { parameter, type Tensor, tensor, zeros } from "../tensor.ts";
import { checkOperator } from "../testing.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./comparison.ts";
import { maximum, minimum } from "./extremes.ts";
import { sum } from "./sum.ts";
import { where } from "./where.ts";

const random = (shape: readonly number[], seed = 1) => normal(shape, randomState(seed));

/** Two shapes that broadcast. */
const pairs = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom("both", "a", "b")), { maxLength: 4 })
  .chain((axes) => {
    const shape = (which: string) => axes.map(([size, who]) => (who === "both" || who === which ? size : 1));
    return fc.tuple(fc.nat(axes.length), fc.constant(shape("a")), fc.constant(shape("b")));
  })
  .map(([missing, a, b]): [number[], number[]] => [a, b.slice(missing)]);

describe("minimum and maximum", () => {
  it("have the right values and gradients for whatever broadcasts", () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        // Of two sets of numbers that are nowhere nearer to each other than the step of a difference.
        const [left, right] = [random(a, 1), random(b, 2)];
        right.data.forEach((value, i) => {
          right.data[i] = Math.round(value * 4) / 4;
        });
        left.data.forEach((value, i) => {
          left.data[i] = Math.round(value * 4) / 4 + 0.1;
        });
        checkOperator(([x, y]) => maximum(x, y), [left, right]);
        checkOperator(([x, y]) => minimum(x, y), [left, right]);
      }),
      { numRuns: 40 },
    );
  });

  it("halve the gradient among equals, infinite ones too", () => {
    for (const op of [minimum, maximum]) {
      const [a, b] = [parameter(tensor([1, 2, Infinity, 0])), parameter(tensor([1, 3, Infinity, -0]))];
      backward(sum(mul(op(a, b), tensor([2, 4, 6, 8]))));
      const taken = op === minimum ? [1, 4, 3, 4] : [1, 0, 3, 4];
      expect([...a.grad!]).toEqual(taken);
      expect([...b.grad!]).toEqual(op === minimum ? [1, 0, 3, 4] : [1, 4, 3, 4]);
    }
  });

  it("pass NaN on from either side", () => {
    for (const op of [minimum, maximum])
      expect([...op(tensor([Number.NaN, 1]), tensor([0, Number.NaN])).data]).toEqual([
        Number.NaN,
        Number.NaN,
      ]);
  });
});

describe("comparisons", () => {
  const relations: [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => boolean][] = [
    ["greater", greater, (a, b) => a > b],
    ["greaterEqual", greaterEqual, (a, b) => a >= b],
    ["less", less, (a, b) => a < b],
    ["lessEqual", lessEqual, (a, b) => a <= b],
    ["equal", equal, (a, b) => a === b],
    ["notEqual", notEqual, (a, b) => a !== b],
  ];

  it.each(relations)("%s is 1 where JavaScript says true, NaN and zeros with it", (_, op, holds) => {
    const values = [-1, -0, 0, 1, 2, Infinity, -Infinity, Number.NaN];
    const y = op(tensor(values.map((value) => [value])), tensor(values));
    expect([...y.data]).toEqual(values.flatMap((a) => values.map((b) => (holds(a, b) ? 1 : 0))));
  });

  it.each(relations)("%s refuses what does not broadcast, by its name", (name, op) => {
    expect(() => op(tensor([1, 2]), tensor([1, 2, 3]))).toThrow(new RegExp(`^${name}: `));
    expect(() => op("1" as unknown as Tensor, tensor([1]))).toThrow(new RegExp(`^${name}: `));
  });

  it("pass no gradient, and run captured", () => {
    const x = parameter(random([2, 3]));
    expect(greater(x, 0).requiresGrad).toBe(false);
    checkOperator(([a, b]) => less(a, b), [random([2, 1, 3]), random([4, 1], 2)]);
  });
});

describe("where", () => {
  it("has the right values and gradients for whatever broadcasts", () => {
    fc.assert(
      fc.property(pairs, pairs, fc.boolean(), ([a, b], [c], scalar) => {
        const condition = greater(random(scalar ? [] : c, 5), 0);
        fc.pre([a, b].every((shape) => broadcasts(shape, condition.shape)));
        checkOperator(([x, y]) => where(condition, x, y), [random(a, 1), random(b, 2)]);
      }),
      { numRuns: 40 },
    );
    expect(String(where(tensor([[1], [0]]), tensor([1, 2, 3]), 0))).toBe(
      "Tensor [2,3] [[1, 2, 3], [0, 0, 0]]",
    );
  });

  it("takes NaN for a yes, and nothing from what it does not choose", () => {
    expect([...where(tensor([Number.NaN, 0]), 1, 2).data]).toEqual([1, 2]);
    const x = parameter(tensor([0, 4]));
    const safe = where(greater(x, 0), x, 1);
    backward(sum(where(greater(x, 0), div(1, safe), 0)));
    expect([...x.grad!]).toEqual([0, -1 / 16]);
  });

  it("refuses what does not broadcast", () => {
    expect(() => where(zeros([2]), zeros([3]), 1)).toThrow(
      "where, with condition: a [2] and b [3] do not broadcast (axis 0: 2 and 3)",
    );
    expect(() => where(zeros([2]), zeros([3]), zeros([4]))).toThrow(
      "where: a [3] and b [4] do not broadcast",
    );
  });
});

const broadcasts = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((size, i) => {
    const other = b[b.length - a.length + i] ?? 1;
    return size === other || size === 1 || other === 1;
  });

describe("numbers beside tensors", () => {
  it("stand for the tensor that holds them, on either side and on both", () => {
    const x = tensor([1, 2]);
    for (const [op, wanted] of [
      [add, [4, 5]],
      [sub, [-2, -1]],
      [mul, [3, 6]],
      [div, [1 / 3, 2 / 3]],
      [maximum, [3, 3]],
      [less, [1, 1]],
    ] as const) {
      expect([...op(x, 3).data]).toEqual([...Float32Array.from(wanted)]);
      expect(op(2, 3).shape).toEqual([]);
    }
    expect(String(sub(10, x))).toBe("Tensor [2] [9, 8]");
    checkOperator(([a]) => div(2, add(mul(a, a), 0.5)), [random([3])]);
    checkOperator(([a]) => sub(1, mul(2, a)), [random([2, 3])]);
  });

  it("are all that is taken beside them", () => {
    const x = tensor([1, 2]);
    for (const [wrong, kind] of [
      ["2", '"2"'],
      [[1, 2], "an Array"],
      [undefined, "undefined"],
      [null, "null"],
      [new Float32Array(2), "a Float32Array"],
    ] as const) {
      expect(() => mul(x, wrong as never)).toThrow(
        `mul: b must be a tensor or a number but is ${kind}; tensor() converts`,
      );
      expect(() => where(wrong as never, x, x)).toThrow("where: condition must be a tensor or a number");
    }
  });
});
