import { describe, expect, it } from "vitest";
import { backward } from "../autograd.ts";
import { normal, randomState } from "../random.ts";
import { parameter, type Tensor, tensor } from "../tensor.ts";
import { gradcheck } from "../testing.ts";
import { sum } from "./sum.ts";
import { abs, clip, exp, log, neg, pow, sqrt, tanh } from "./unary.ts";

const values = (op: (x: Tensor) => Tensor, x: number[]) => [...op(tensor(x)).data];

function slopes(op: (x: Tensor) => Tensor, at: number[]): number[] {
  const x = parameter(tensor(at));
  backward(sum(op(x)));
  return [...x.grad!];
}

/** Away from 0, on both sides of it. */
const around = tensor(normal([3, 5], randomState(1)).data.map((value) => value + Math.sign(value) * 0.1));
const positive = abs(around);

describe("functions of one number", () => {
  it.each<[string, (x: Tensor) => Tensor, Tensor]>([
    ["neg", neg, around],
    ["exp", exp, around],
    ["log", log, positive],
    ["sqrt", sqrt, positive],
    ["abs", abs, around],
    ["tanh", tanh, around],
    ["pow 3", (x) => pow(x, 3), around],
    ["pow -2", (x) => pow(x, -2), around],
    ["pow 0.5", (x) => pow(x, 0.5), positive],
    ["pow 0", (x) => pow(x, 0), around],
    ["clip", (x) => clip(x, { min: -0.5, max: 0.5 }), around],
    ["clip below", (x) => clip(x, { min: -0.5 }), around],
  ])("%s has the right gradient", (_, op, x) => {
    gradcheck(([input]) => op(input), [x]);
  });

  it("gives what IEEE 754 says outside a domain", () => {
    expect(values(log, [0, -1])).toEqual([Number.NEGATIVE_INFINITY, Number.NaN]);
    expect(values(sqrt, [-1])).toEqual([Number.NaN]);
    expect(values(exp, [1000, -1000])).toEqual([Number.POSITIVE_INFINITY, 0]);
  });

  it("has the documented slopes where a function has a kink or none", () => {
    expect(slopes(abs, [-2, 0, 2])).toEqual([-1, 0, 1]);
    expect(slopes(sqrt, [0])).toEqual([Number.POSITIVE_INFINITY]);
    expect(slopes((x) => pow(x, 0), [0])).toEqual([0]);
    expect(slopes((x) => pow(x, 1), [0])).toEqual([1]);
  });

  it("clip counts its bounds as inside, also where 32 bits cannot hold them exactly", () => {
    const op = (x: Tensor) => clip(x, { min: -0.1, max: 0.1 });
    expect(slopes(op, [-0.1, 0.1, -0.11, 0.11, 0])).toEqual([1, 1, 0, 0, 1]);
    expect(values(op, [-3, 3])).toEqual([Math.fround(-0.1), Math.fround(0.1)]);
    expect(values(op, [Number.NaN])).toEqual([Number.NaN]);
  });

  it("clip refuses bounds in the wrong order and says so", () => {
    expect(() => clip(tensor([1]), { min: 2, max: 1 })).toThrow(
      "clip: min must be at most max but is 2 with max 1",
    );
    expect(() => clip(tensor([1]), { min: Number.NaN })).toThrow(
      "clip: min must be at most max but is NaN with max Infinity",
    );
  });
});
