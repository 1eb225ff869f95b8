import { afterEach, describe, expect, it } from "vitest";
import { installKernel, intercept, type KernelCall, kernel, withReferences } from "./kernel.ts";

const copy = (scale: number) => {
  return ({ out, x }: { out: Float32Array; x: Float32Array }) => {
    for (let i = 0; i < x.length; i++) out[i] = scale * x[i];
  };
};
const test = kernel("test.copy", { out: "write", x: "read" }, copy(1), { portable: copy(10) });

function call(): number {
  const out = new Float32Array(1);
  test({ out, x: new Float32Array([1]) }, undefined);
  return out[0];
}

describe("kernel", () => {
  afterEach(() => installKernel(test, undefined));

  it("runs its portable form, an installed one instead, or the reference on demand", () => {
    expect(call()).toBe(10);
    installKernel(test, copy(100));
    expect(call()).toBe(100);
    expect(withReferences(call)).toBe(1);
    installKernel(test, undefined);
    expect(call()).toBe(10);
  });

  it("tells its name and roles", () => {
    expect(test.name).toBe("test.copy");
    expect(test.roles).toEqual({ out: "write", x: "read" });
  });

  it("lets an interceptor decide, the innermost first, and forgets it after an error", () => {
    const seen: string[] = [];
    const inner = ({ kernel: { name }, run }: KernelCall) => {
      seen.push(name);
      run();
    };
    const outcome = intercept(
      () => seen.push("outer"),
      () => intercept(inner, call),
    );
    expect([outcome, seen]).toEqual([10, ["test.copy"]]);
    expect(intercept(() => {}, call)).toBe(0);
    expect(() =>
      intercept(
        () => {},
        () => {
          throw new Error("stop");
        },
      ),
    ).toThrow("stop");
    expect(call()).toBe(10);
  });
});
