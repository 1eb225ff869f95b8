import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { VERSION } from "./shared.ts";

const KEY = Symbol.for("@saunet/core");
const world = globalThis as { [KEY]?: unknown };

/** Another copy of this package, as a bundle beside a plain import brings it. */
async function copyOfCore(): Promise<typeof import("./index.ts") & typeof import("./kernels.ts")> {
  vi.resetModules();
  return { ...(await import("./index.ts")), ...(await import("./kernels.ts")) };
}

describe("two copies of this package in one process", () => {
  const own = world[KEY];
  afterEach(() => {
    world[KEY] = own;
  });

  it("pass gradients to each other", async () => {
    const [one, other] = [await copyOfCore(), await copyOfCore()];
    expect(one.add).not.toBe(other.add);
    const w = one.parameter(one.tensor([2, 3]));
    // Forth and back: the order of execution is that of both together.
    const squares = other.mul(w, w);
    const y = one.sum(one.mul(other.relu(squares), w));
    other.backward(y);
    expect([...w.grad!]).toEqual([12, 27]);
  });

  it("record, intercept, install and allocate together", async () => {
    const [one, other] = [await copyOfCore(), await copyOfCore()];
    const w = one.parameter(one.tensor([2]));
    expect(one.noGrad(() => other.mul(w, w)).history).toBeUndefined();
    const seen: string[] = [];
    one.intercept(
      ({ kernel: { name } }) => seen.push(name),
      () => other.mul(w, w),
    );
    expect(seen).toEqual(["mul.forward"]);
    one.installKernel(one.mulForward, ({ out }) => out.fill(7));
    expect(other.mul(w, w).data[0]).toBe(7);
    other.installKernel(other.mulForward, undefined);
    expect(one.mul(w, w).data[0]).toBe(4);
    const doubled = one.capture(([x]) => [other.add(x, x)], [one.zeros([1])]);
    expect(other.prepare(doubled).runSync([w])[0].data[0]).toBe(4);
  });

  // By these names a copy that was built earlier, of the same version, finds what this one made.
  it("know the parts of their state by name", async () => {
    world[KEY] = undefined;
    await copyOfCore();
    const { parts } = world[KEY] as unknown as { parts: Map<string, unknown> };
    expect([...parts.keys()].sort()).toEqual(["autograd", "kernel", "run", "tensor"]);
  });

  it("of different versions are an error that says what to do", async () => {
    await copyOfCore();
    world[KEY] = { version: "0.0.1", parts: new Map() };
    await expect(copyOfCore()).rejects.toThrow(
      `@saunet/core: version ${VERSION} cannot share a process with version 0.0.1, which is loaded already; install one version`,
    );
  });
});

it("the version is that of the manifest", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(VERSION).toBe(manifest.version);
});
