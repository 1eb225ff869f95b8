import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Floats,
  installKernel,
  intercept,
  type KernelCall,
  kernel,
  kernelNames,
  withReferences,
} from "./kernel.ts";

const copy = (scale: number) => {
  return ({ out, x }: { out: Float32Array; x: Float32Array }) => {
    for (let i = 0; i < x.length; i++) out[i] = scale * x[i];
  };
};
const test = kernel("test.copy", { out: "write", x: "read" }, copy(1), { portable: copy(10) });

const count = kernel(
  "test.count",
  { count: "write", x: "read" },
  ({ count, x }: { count: Int32Array; x: Floats }) => count.fill(x.length),
  { types: { count: "i32" } },
);

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

  it("has a name of its own", () => {
    expect(() => kernel("test.copy", { out: "write", x: "read" }, copy(1))).toThrow(
      "kernel: there is a kernel named test.copy already; a name must be unique",
    );
    expect(kernelNames()).toContain("test.copy");
    expect(kernelNames()).toContain("test.count");
  });

  it.each([
    [
      { count: new Int32Array(1), x: new Uint8Array(4) },
      "test.count: x must be Float32Array but is Uint8Array",
    ],
    [{ count: new Int32Array(1), x: [1, 2] }, "test.count: x must be Float32Array but is Array"],
    [{ count: new Int32Array(1), x: "12" }, "test.count: x must be Float32Array but is string"],
    [
      { count: new Int32Array(1), x: new Int32Array(4) },
      "test.count: x must be Float32Array but is Int32Array",
    ],
    [
      { count: new Float32Array(1), x: new Float32Array(4) },
      "test.count: count must be Int32Array but is Float32Array",
    ],
    [
      { count: new Int32Array(1), x: Buffer.alloc(16) },
      "test.count: x must be Float32Array but is Uint8Array",
    ],
  ])("refuses arrays of other types than it declares: %#", (arrays, message) => {
    expect(() => count(arrays as never, undefined)).toThrow(new TypeError(message));
  });

  it("takes floats, doubles and arrays of another realm", () => {
    const x = runInNewContext("new Float32Array(3)") as Float32Array;
    for (const array of [x, new Float32Array(3), new Float64Array(3)]) {
      const result = new Int32Array(1);
      count({ count: result, x: array }, undefined);
      expect(result[0]).toBe(3);
    }
  });
});
