import { describe, expect, it } from "vitest";
import { backward, noGrad, record } from "./autograd.ts";
import { intercept } from "./kernel.ts";
import { relu } from "./ops/activation.ts";
import { add, mul } from "./ops/arithmetic.ts";
import { reshape } from "./ops/movement.ts";
import { sum } from "./ops/sum.ts";
import { parameter, tensor } from "./tensor.ts";

describe("backward", () => {
  it("adds the gradients of every path", () => {
    const x = parameter(tensor([2, -3]));
    backward(sum(add(mul(x, x), x)));
    expect([...x.grad!]).toEqual([5, -5]);
  });

  it("adds up over calls until the gradient is taken away", () => {
    const x = parameter(tensor([3]));
    backward(mul(x, x));
    const first = x.grad!;
    backward(mul(x, x));
    expect([...x.grad!]).toEqual([12]);
    expect([...first]).toEqual([6]);
  });

  it("never writes into a gradient that it has handed over", () => {
    const x = parameter(tensor([1, 2]));
    const y = parameter(tensor([3, 4]));
    const both = add(x, y);
    backward(sum(add(both, reshape(x, [2]))));
    expect([...x.grad!]).toEqual([2, 2]);
    expect([...y.grad!]).toEqual([1, 1]);
  });

  it("walks a chain of 20,000 operators", () => {
    const x = parameter(tensor([1]));
    let y = x;
    for (let i = 0; i < 20_000; i++) y = relu(y);
    backward(y);
    expect([...x.grad!]).toEqual([1]);
  });

  it("skips what needs no gradient", () => {
    const x = tensor([1, 2]);
    const w = parameter(tensor([3, 4]));
    const loss = sum(mul(x, w));
    const names: string[] = [];
    intercept(
      (call) => {
        names.push(call.kernel.name);
        call.run();
      },
      () => backward(loss),
    );
    expect(names).toEqual(["stretch.forward", "mul.forward"]);
    expect(x.grad).toBeUndefined();
  });

  it("frees the graph and says so when it is used again", () => {
    const x = parameter(tensor([1]));
    const y = mul(x, x);
    const loss = mul(y, y);
    backward(loss);
    expect(y.history!.inputs).toEqual([]);
    expect(y.grad).toBeUndefined();
    expect(() => backward(loss)).toThrow("backward: the graph behind mul was used before and is freed");
    expect(() => backward(mul(y, x))).toThrow("used before");
  });

  it("wants one number, or a gradient in the shape of the loss", () => {
    const x = parameter(tensor([1, 2]));
    expect(() => backward(mul(x, x))).toThrow("backward: loss must have one element but is [2]");
    expect(() => backward(mul(x, x), tensor([1]))).toThrow("backward: gradient must be [2] but is [1]");
    backward(mul(x, x), tensor([1, 10]));
    expect([...x.grad!]).toEqual([2, 40]);
  });

  it("says when there is nothing to go back to", () => {
    const x = parameter(tensor([1]));
    expect(() => backward(noGrad(() => mul(x, x)))).toThrow("nothing that requires a gradient led to loss");
    expect(() => backward(tensor([1]))).toThrow("nothing that requires a gradient led to loss");
  });
});

describe("gradients of leaves", () => {
  it("are arrays of their own: neither each other's nor the one that was passed in", () => {
    const [a, b, c] = [1, 2, 3].map((value) => parameter(tensor([value, value])));
    const seed = tensor([1, 1]);
    backward(add(add(a, b), reshape(c, [2])), seed);
    const grads = [a, b, c].map(({ grad }) => grad!);
    for (const grad of grads) expect([...grad]).toEqual([1, 1]);
    grads[0].fill(7);
    expect([[...grads[1]], [...grads[2]], [...seed.data]]).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  it("add up without touching what was there", () => {
    const a = parameter(tensor([1]));
    backward(reshape(a, [1, 1]));
    const first = a.grad!;
    backward(reshape(a, [1, 1]));
    expect([first[0], a.grad![0]]).toEqual([1, 2]);
  });
});

describe("noGrad", () => {
  it("records nothing inside and everything after, also when it throws", () => {
    const x = parameter(tensor([1]));
    expect(() =>
      noGrad(() => {
        throw new Error("stop");
      }),
    ).toThrow("stop");
    expect(noGrad(() => mul(x, x)).history).toBeUndefined();
    expect(mul(x, x).history?.op).toBe("mul");
  });
});

describe("record", () => {
  it("leaves results without learning inputs alone", () => {
    const out = tensor([1]);
    expect(record("nothing", out, [tensor([2])], () => {}).requiresGrad).toBe(false);
  });
});
