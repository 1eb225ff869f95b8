import {
  capture,
  concat,
  conv2d,
  groupNorm,
  mul,
  normal,
  ones,
  prepare,
  randomState,
  sigmoid,
  Tensor,
  zeros,
} from "@saunet/core";
import { withAllocator, withReferences } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type AccelerateOptions, accelerate, restore } from "./accelerate.ts";
import { observe } from "./observe.ts";
import { CONVOLUTIONS } from "./plan.ts";

const [major] = process.versions.node.split(".").map(Number);

describe("accelerate", () => {
  afterEach(restore);

  it.each([
    [{ threads: 0 }, /^accelerate: threads must be/],
    [{ threads: 1.5 }, /^accelerate: threads must be/],
    [{ memoryLimit: 1 }, /^accelerate: memoryLimit must lie between/],
    [
      { convolutions: "fft" },
      "accelerate: convolutions must be one of fastest, winograd6, winograd4, direct but is fft",
    ],
    [
      { withoutFusions: ["everything"] },
      /^accelerate: withoutFusions must be among .* but names everything$/,
    ],
    [{ thread: 2 }, /^accelerate: there is no option thread; .*; threads may be meant$/],
    [{ worker: "worker.js" }, "accelerate: worker must be a function but is string"],
  ])("refuses %j", async (options, message) => {
    await expect(accelerate(options as AccelerateOptions)).rejects.toThrow(message);
  });

  it.runIf(major >= 22)(
    "multiplies and adds in one instruction on current hosts, unless told not to",
    async () => {
      expect(await accelerate({ threads: 1 })).toMatchObject({ relaxed: true, reasons: [] });
      expect(await accelerate({ threads: 1, relaxed: false })).toMatchObject({ relaxed: false });
    },
  );

  it("leaves doubles to the references, which keep all of their digits", async () => {
    const x = new Tensor(Float64Array.from({ length: 4096 }, (_, i) => i + 0.1) as never, [4096]);
    const doubles = { floats: (size: number) => new Float64Array(size) as never };
    const squares = () => withAllocator(doubles, () => mul(x, x)).data;
    const wanted = squares();
    expect(wanted[7]).toBe(7.1 * 7.1);
    // One array of doubles among others is enough.
    const mixed = () => mul(x, new Tensor(Float32Array.from(x.data), [4096])).data;
    const rounded = mixed();
    await accelerate({ threads: 1 });
    expect(squares()).toEqual(wanted);
    expect(mixed()).toEqual(rounded);
  });

  it("keeps to the algorithm that it is given, all of them right and the direct one most", async () => {
    const [x, w] = [
      normal([1, 48, 48, 16], randomState(1)),
      normal([3, 3, 16, 16], randomState(2), { deviation: 0.1 }),
    ];
    const wanted = withReferences(() => conv2d(x, w));
    const errors: Record<string, number> = {};
    for (const convolutions of CONVOLUTIONS) {
      await accelerate({ threads: 1, convolutions });
      const program = prepare(capture(([image]) => [conv2d(image, w)], [x]));
      const names: string[] = [];
      const [y] = observe(
        ({ name }) => names.push(name),
        () => program.runSync([x]),
      );
      expect(names[0]).toContain(convolutions === "fastest" ? "winograd6" : convolutions);
      expect(conv2d(x, w).data).toEqual(y.data);
      errors[convolutions] = relativeError(y.data, wanted.data);
    }
    expect(errors.direct).toBeLessThan(1e-6);
    for (const tile of ["winograd4", "winograd6"]) {
      expect(errors[tile]).toBeGreaterThan(errors.direct);
      expect(errors[tile]).toBeLessThan(1e-4);
    }
  });

  it.each(CONVOLUTIONS)("keeps to it where convolutions are joined with others: %s", async (convolutions) => {
    const w = normal([3, 3, 16, 16], randomState(2), { deviation: 0.1 });
    const gated = normal([3, 3, 32, 16], randomState(3), { deviation: 0.1 });
    const body = ([image, gate]: readonly Tensor[]) => {
      const x = groupNorm(conv2d(image, w), ones([16]), zeros([16]), { groups: 4 });
      return [conv2d(concat([x, mul(image, sigmoid(gate))], -1), gated)];
    };
    const inputs = [normal([1, 48, 48, 16], randomState(1)), normal([1, 48, 48, 1], randomState(4))];
    const [wanted] = withReferences(() => body(inputs));
    await accelerate({ threads: 1, convolutions });
    const program = prepare(capture(body, inputs));
    const names: string[] = [];
    const [y] = observe(
      ({ name }) => names.push(name),
      () => program.runSync(inputs),
    );
    const run = names.filter((name) => name.startsWith("conv2d"));
    expect(run.length).toBeGreaterThan(1);
    for (const name of run) expect(name).toContain(convolutions === "fastest" ? "winograd6" : convolutions);
    expect(relativeError(y.data, wanted.data)).toBeLessThan(convolutions === "direct" ? 1e-6 : 1e-4);
  });
});
