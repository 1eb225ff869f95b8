import { normal, type Padding, randomState } from "@saunet/core";
import {
  type GroupedConv2dDims,
  groupedConv2dDims,
  groupedConv2dFilterGradient,
  groupedConv2dForward,
  groupedConv2dTransposed,
} from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkEdges } from "../../testing-edges.ts";
import { arithmetics, check, generatorFor } from "../testing.ts";

/** Depthwise calls have few products; groups may go through Winograd's algorithms, which round a little more. */
const [DEPTHWISE, APART] = [2e-6, 2e-5];

const size = fc.constantFrom(1, 2, 3, 3, 3, 5, 7);
const geometry = {
  N: fc.integer({ min: 1, max: 2 }),
  H: fc.integer({ min: 1, max: 12 }),
  W: fc.integer({ min: 1, max: 80 }),
  kernel: fc.tuple(size, size),
  stride: fc.tuple(fc.constantFrom(1, 1, 2, 3), fc.constantFrom(1, 1, 1, 2, 3)),
  dilation: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 1, 2, 3)),
  padding: fc.constantFrom<Padding>("same", "same", "valid", 1, { top: 2, bottom: 0, left: 1, right: 5 }),
  bias: fc.boolean(),
};

interface Case {
  readonly d: GroupedConv2dDims;
  readonly bias: boolean;
}

/** Calls with so many channels in and out of each group, and so many groups. */
const cases = (D: readonly number[], E: readonly number[], groups: readonly number[]): fc.Arbitrary<Case> =>
  fc
    .record({
      ...geometry,
      D: fc.constantFrom(...D),
      E: fc.constantFrom(...E),
      G: fc.constantFrom(...groups),
    })
    .map(({ N, H, W, kernel, bias, D, E, G, ...options }) => {
      try {
        const d = groupedConv2dDims("conv2d", [N, H, W, D * G], [...kernel, D, E * G], {
          ...options,
          groups: G,
        });
        return d.flops < 1e6 ? { d, bias } : undefined;
      } catch {
        return undefined;
      }
    })
    .filter((found) => found !== undefined);

const depthwise = cases([1], [1], [1, 2, 3, 4, 5, 7, 16, 18, 30, 33, 96]);
const apart = cases([1, 2, 3, 4, 16], [1, 2, 4, 5, 16], [2, 3, 5]);

const kernels = [groupedConv2dForward, groupedConv2dTransposed, groupedConv2dFilterGradient] as const;

function arraysOf(kernel: (typeof kernels)[number], { d, bias }: Case) {
  const [x, y] = [d.N * d.H * d.W * d.C, d.N * d.OH * d.OW * d.O];
  const w = (d.KH * d.KW * d.C * d.O) / d.groups;
  const sizes: Readonly<Record<string, number>> = { x, y, w, gw: w, gy: y, b: d.O };
  const random = randomState(1);
  const present = Object.keys(kernel.roles).filter((name) => name !== "b" || bias);
  return Object.fromEntries(present.map((name) => [name, normal([sizes[name]], random).data]));
}

/** What an element of the result usually is: a sum of n products of normal numbers has a deviation of √n. */
const typicalOf = (kernel: (typeof kernels)[number], { d, bias }: Case): number => {
  const [written] = Object.entries(kernel.roles).find(([, role]) => role === "write")!;
  return Math.sqrt(d.flops / 2 / arraysOf(kernel, { d, bias })[written].length);
};

describe.each([
  ["depthwise", depthwise, DEPTHWISE],
  ["in groups", apart, APART],
] as const)("%s", (_, calls, bound) => {
  it.each(kernels.map((kernel) => [kernel.name, kernel] as const))(
    "%s is right for any geometry, in any number of ranges, and touches nothing else",
    (_, kernel) => {
      fc.assert(
        fc.property(calls, fc.constantFrom(...arithmetics), (call, relaxed) => {
          const arrays = arraysOf(kernel, call);
          expect(check(kernel, arrays, call.d, typicalOf(kernel, call))).toBeLessThan(bound);
          expect(checkEdges(generatorFor(kernel), arrays, call.d, { relaxed })).toBeDefined();
        }),
        { numRuns: 30 },
      );
    },
  );
});

it("cuts rows of three taps into tiles, whatever the channels and the columns", () => {
  for (const C of [4, 5, 6, 7, 8, 15, 16, 17, 31, 64])
    for (const W of [1, 2, 3, 4, 5, 7, 8, 9, 14, 130]) {
      const d = groupedConv2dDims("conv2d", [1, 4, W, C], [3, 3, 1, C], { groups: C });
      for (const kernel of kernels.slice(0, 2)) {
        const arrays = arraysOf(kernel, { d, bias: W % 2 === 0 });
        expect(check(kernel, arrays, d)).toBeLessThan(DEPTHWISE);
        expect(checkEdges(generatorFor(kernel), arrays, d)?.name).toContain("depthwise_1x4");
      }
    }
});

it("reads rows ahead where an image is larger than the second cache, and none outside of it", () => {
  for (const stride of [1, 2])
    for (const [H, W] of [
      [65, 66],
      [2, 2100],
    ]) {
      const d = groupedConv2dDims("conv2d", [1, H, W, 65], [3, 3, 1, 65], { groups: 65, stride });
      for (const kernel of kernels.slice(0, 2)) {
        const arrays = arraysOf(kernel, { d, bias: false });
        expect(check(kernel, arrays, d)).toBeLessThan(DEPTHWISE);
        expect(checkEdges(generatorFor(kernel), arrays, d)).toBeDefined();
      }
    }
});

it("chooses an algorithm for each group as for an image by itself", () => {
  const names = (options: Parameters<typeof groupedConv2dDims>[3], D: number, size: number) => {
    const d = groupedConv2dDims("conv2d", [1, 40, 40, 2 * D], [size, size, D, 2 * D], {
      ...options,
      groups: 2,
    });
    return generatorFor(groupedConv2dForward).plan(d, { y: 1, x: 1, w: 1, b: undefined } as never, {
      relaxed: false,
    })!.name;
  };
  expect(names({}, 16, 3)).toContain("winograd");
  expect(names({ dilation: 2 }, 16, 3)).toContain("direct");
});
