import { describe, expect, it } from "vitest";
import { withReferences } from "../kernel.ts";
import { sigmoid, silu } from "../ops/activation.ts";
import { tensor } from "../tensor.ts";
import { fastExp } from "./exp.ts";

describe("fastExp", () => {
  it("is within 7.5e-9 of Math.exp", () => {
    const errors: number[] = [];
    for (let x = -708; x <= 709.7; x += 0.00317) errors.push(Math.abs(fastExp(x) / Math.exp(x) - 1));
    expect(errors.filter((error) => !(error < 7.5e-9))).toEqual([]);
  });

  it.each([0, -0, 1000, -1000, Infinity, -Infinity, Number.NaN, 3.4e38, -3.4e38])("is right at %s", (x) => {
    expect(fastExp(x)).toBe(Math.exp(x));
  });
});

describe.each([
  ["silu", silu],
  ["sigmoid", sigmoid],
] as const)("%s", (_, activation) => {
  it("is the reference to one step of a 32-bit float, special values included", () => {
    const special = [0, -0, Infinity, -Infinity, Number.NaN, 3.4e38, -3.4e38, -88.7, -104, 1e-40];
    const x = tensor([...special, ...Array.from({ length: 40_001 }, (_, i) => (i - 20_000) / 200)]);
    const wanted = withReferences(() => activation(x)).data;
    activation(x).data.forEach((value, i) => {
      const step = Math.max(Math.abs(wanted[i]) * 2 ** -23, 2 ** -149);
      if (!Object.is(value, wanted[i])) expect(Math.abs(value - wanted[i])).toBeLessThanOrEqual(step);
    });
  });
});
