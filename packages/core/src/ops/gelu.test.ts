import { describe, expect, it } from "vitest";
import { ALL_TERMS, FEW_TERMS, scaledErfc } from "../portable/erf.ts";
import { tensor } from "../tensor.ts";
import { checkOperator } from "../testing.ts";
import { gelu } from "./gelu.ts";
import { leakyRelu } from "./leaky-relu.ts";

const points = tensor([-30, -5, -2.5, -1, -0.1, 0, 0.1, 1, 3, 30]);

describe("gelu", () => {
  it("has the right gradients in both forms", () => {
    checkOperator(([x]) => gelu(x), [points]);
    checkOperator(([x]) => gelu(x, { approximate: "tanh" }), [points]);
  });

  it("keeps what is small far left, and NaN", () => {
    // -5 Φ(-5) and -10 Φ(-10), Φ by mpmath.
    const [five, ten, nan] = gelu(tensor([-5, -10, Number.NaN])).data;
    expect(five / -1.43325785939597e-6).toBeCloseTo(1, 6);
    expect(ten / -7.61985302416053e-23).toBeCloseTo(1, 6);
    expect(nan).toBeNaN();
  });

  it("refuses other forms and options", () => {
    expect(() => gelu(points, { approximate: "erf" as "none" })).toThrow(
      'gelu: approximate must be "none" or "tanh" but is erf',
    );
    expect(() => gelu(points, { approximation: "tanh" } as object)).toThrow(
      "gelu: there is no option approximation; the options are approximate",
    );
  });
});

describe("scaledErfc", () => {
  it("is erfc(x) · e^(x²) to the accuracy that its terms have", () => {
    for (const [x, wanted] of [
      [0, 1],
      [0.5, 0.6156903441929259],
      [1, 0.427583576155807],
      [2, 0.2553956763105058],
      [10, 0.05614099274382259],
      [1e4, 5.641895807268084e-5],
    ]) {
      expect(Math.abs(scaledErfc(x, ALL_TERMS) / wanted - 1)).toBeLessThan(2e-15);
      expect(Math.abs(scaledErfc(x, FEW_TERMS) / wanted - 1)).toBeLessThan(1.7e-8);
    }
  });
});

describe("leakyRelu", () => {
  it("has the right gradient on both sides", () => {
    const x = tensor([-2, -0.5, 0.5, 3]);
    checkOperator(([input]) => leakyRelu(input, { slope: 0.2 }), [x]);
    expect(String(leakyRelu(x))).toBe("Tensor [4] [-0.02, -0.005, 0.5, 3]");
    expect(leakyRelu(tensor([Number.NaN])).item()).toBeNaN();
  });

  it("refuses options that it does not know", () => {
    expect(() => leakyRelu(points, { alpha: 0.2 } as object)).toThrow(
      "leakyRelu: there is no option alpha; the options are slope",
    );
    expect(() => leakyRelu(points, 0.2 as never)).toThrow(
      "leakyRelu: options must be a record such as { slope: … } but is number",
    );
  });
});
