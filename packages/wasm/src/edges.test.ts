// Every generated kernel with each of its arrays in turn at either end of memory (testing-edges.ts), over channels and
// sizes that suit no tile, in every arithmetic and with every algorithm of the convolutions. And whether equal keys mean equal
// code, since what has a known key runs the code that it had before.

import { createHash } from "node:crypto";
import {
  adam,
  add,
  backward,
  capture,
  mul,
  normal,
  type Padding,
  type Program,
  parameter,
  randomState,
  sgd,
  sum,
  Tensor,
} from "@saunet/core";
import {
  type AnyKernel,
  type Arrays,
  exactKey,
  intercept,
  type KernelCall,
  matmulForward,
  type ProgramCall,
  prepareWithKernels,
} from "@saunet/core/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuseAll, fusedGenerators } from "./fusions/index.ts";
import { arraysOf, cases } from "./kernels/conv/testing.ts";
import { generators } from "./kernels/index.ts";
import { arithmetics, channels, sizeOf, sizes } from "./kernels/testing.ts";
import { productCases, sizesOf } from "./kernels/testing-products.ts";
import { CONVOLUTIONS, type CodeFeatures, type Generator, type Lengths, type Plan } from "./plan.ts";
import { lengthsOf } from "./runner.ts";
import { type Case, convolutions, maps } from "./testing-edge-families.ts";
import { checkEdges, codeOf } from "./testing-edges.ts";

/** The portable convolutions do so many products in a few milliseconds. */
const MOST_PRODUCTS = 1e5;
/** Elements of the largest map: whole strips and the beginning of others. */
const MOST_ELEMENTS = 4e4;

const features = arithmetics.flatMap((relaxed) =>
  CONVOLUTIONS.map((convolutions) => ({ relaxed, convolutions })),
);
const generatorOf = new Map([...generators, ...fusedGenerators].map((each) => [each.kernel.name, each]));
/** The names of the plans that each kernel was met with. */
const met = new Map([...generatorOf.keys()].map((name) => [name, new Set<string>()]));
const checked = new Set<string>();
/** The calls of which nothing is left to check: programs of one case share most of theirs. */
const checkedCalls = new Set<string>();

/** The code of each key. */
const hashes = new Map<string, string>();
const compared = new Set<string>();

/** Throws where a plan has the key of another one but other code: of another call, or with other features. */
function expectKeyOfItsOwn(generator: Generator, plan: Plan, call: string, features: string): void {
  const seen = [`${plan.key} ${call}`, `${plan.key} ${features}`];
  if (seen.every((each) => compared.has(each))) return;
  for (const each of seen) compared.add(each);
  const code = createHash("sha1").update(codeOf(generator, plan)).digest("hex");
  if ((hashes.get(plan.key) ?? code) !== code) throw new Error(`two kinds of code have the key ${plan.key}`);
  hashes.set(plan.key, code);
}

/** What tells a call from others: its kernel, the lengths of its arrays, its integers. */
const keyOf = (kernel: AnyKernel, lengths: Lengths<Arrays>, dims: unknown): string =>
  exactKey([kernel.name, lengths, dims]);

/** The plans of a call with all features, but for those that were checked before. */
function newPlans(kernel: AnyKernel, lengths: Lengths<Arrays>, dims: unknown) {
  const generator = generatorOf.get(kernel.name);
  if (generator === undefined) return [];
  const call = keyOf(kernel, lengths, dims);
  const found = new Map<string, { generator: Generator; plan: Plan; features: CodeFeatures }>();
  for (const each of features) {
    const plan = generator.plan(dims, lengths, each);
    const key = `${plan?.key} ${Object.values(lengths)}`;
    if (plan === undefined) continue;
    expectKeyOfItsOwn(generator, plan, call, exactKey(each));
    // The first of equal ones: its code was assembled just now.
    if (!checked.has(key) && !found.has(key)) found.set(key, { generator, plan, features: each });
  }
  return [...found];
}

/** Checks a call at the edges with all features. */
function checkCall({ kernel, arrays, dims }: KernelCall): void {
  const lengths = lengthsOf(kernel, arrays);
  const call = keyOf(kernel, lengths, dims);
  if (checkedCalls.has(call)) return;
  for (const [key, { generator, plan, features }] of newPlans(kernel, lengths, dims)) {
    checked.add(key);
    checkEdges(generator, arrays, dims, features, plan);
    met.get(kernel.name)!.add(plan.name);
  }
  checkedCalls.add(call);
}

/** Whether nothing is left to check of a call of a program. */
function isKnown({ kernel, buffers, dims }: ProgramCall, program: Program): boolean {
  const lengths = Object.fromEntries(
    Object.keys(kernel.roles).map((name) => {
      const buffer = buffers[name];
      return [name, buffer === undefined ? undefined : program.buffers[buffer].length];
    }),
  );
  return checkedCalls.has(keyOf(kernel, lengths, dims)) || newPlans(kernel, lengths, dims).length === 0;
}

/** The numbers of each seed, drawn once. */
const drawn = new Map<number, Float32Array>();

function random(shape: readonly number[], seed: number): Tensor {
  const size = sizeOf(shape);
  const before = drawn.get(seed);
  const numbers =
    before !== undefined && before.length >= size
      ? before
      : normal([Math.max(size, MOST_ELEMENTS)], randomState(seed)).data;
  drawn.set(seed, numbers);
  return new Tensor(numbers.slice(0, size), shape);
}

/** Checks the calls of a case: its results alone, and with all gradients; as they are and rewritten. */
function checkCase({ shapes, apply }: Case): void {
  const operands = shapes.map((shape, i) => random(shape, i + 1));
  const trained = (inputs: readonly Tensor[]) => {
    const parameters = inputs.map((input) => parameter(input));
    const results = apply(parameters);
    const scores = results.map((result) => sum(mul(result, random(result.shape, 9))));
    backward(scores.reduce((a, b) => add(a, b)));
    return [...results, ...parameters.flatMap(({ grad, shape }) => (grad ? [new Tensor(grad, shape)] : []))];
  };
  for (const body of [apply, trained]) {
    const program = capture(body, operands);
    const fused = CONVOLUTIONS.map((convolutions) => fuseAll(program, [], { relaxed: false, convolutions }));
    for (const each of [program, ...fused]) {
      if (each.calls.every((call) => isKnown(call, each))) continue;
      const { runSync } = prepareWithKernels(each);
      intercept(
        (call) => {
          checkCall(call);
          call.run();
        },
        () => runSync(operands),
      );
    }
  }
}

/** Each family of convolutions meets every so many-th map, the next family the next ones. */
const EVERY = 8;

/** Every number of channels at every size, two images where there is room. */
const everyMap = channels.flatMap((C, c) =>
  sizes.map(([H, W], s) => ({
    N: 2 * H * W * C <= MOST_ELEMENTS ? 1 + ((c + s) % 2) : 1,
    H,
    W,
    C,
    turn: 7 * c + s,
  })),
);

// In this order always: the last test asks what those before it have met.
describe("at the ends of memory", { shuffle: false }, () => {
  it.each(Object.keys(convolutions))("%s", (name) => {
    const at = Object.keys(convolutions).indexOf(name);
    for (const { turn, ...map } of everyMap.filter(({ turn }) => (turn + at) % EVERY === 0)) {
      const rotated = channels.map((_, i) => channels[(turn + i) % channels.length]);
      const O = rotated.find((O) => sizeOf([map.N, map.H, map.W, map.C, O]) <= MOST_PRODUCTS);
      const found = O === undefined ? undefined : convolutions[name]({ ...map, O });
      if (found) checkCase(found);
    }
  });

  it.each(Object.keys(maps))("%s", (name) => {
    // Every third map, along the diagonals: every number of channels, and every size.
    const at = Object.keys(maps).indexOf(name);
    for (const { turn, ...map } of everyMap.filter(({ turn }) => (turn + at) % 3 === 0)) {
      const found =
        sizeOf([map.N, map.H, map.W, map.C]) > MOST_ELEMENTS ? undefined : maps[name]({ ...map, O: 1 });
      if (found) checkCase(found);
    }
  });

  it.each([512, 515, 1003, 5001])("steps of the optimisers, %i elements", (length) => {
    for (const make of [adam, sgd, (w: { w: Tensor }) => sgd(w, { momentum: 0.9, nesterov: true })]) {
      const w = parameter(random([length], 1));
      w.grad = random([length], 2).data;
      intercept(checkCall, () => make({ w }).step());
    }
  });

  it("matrix products of any shape", () => {
    for (const d of productCases) {
      const [sizeY, sizeA, sizeB] = sizesOf(d);
      const arrays = { y: new Float32Array(sizeY), a: random([sizeA], 1).data, b: random([sizeB], 2).data };
      checkCall({ kernel: matmulForward, arrays, dims: d } as unknown as KernelCall);
    }
    const names = [...met.get("matmul.forward")!].join();
    for (const form of ["_nn_", "_np_", "_tp_", "_tn_", "_strips_", "_dots_"]) expect(names).toContain(form);
  });

  it.each(["conv2d.forward", "conv2d.transposed", "conv2d.filterGradient"])("%s of any geometry", (name) => {
    const generator = generatorOf.get(name)!;
    const size = fc.constantFrom(1, 2, 3, 5, 7);
    const geometry = fc.record({
      kernel: fc.tuple(size, size),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      dilation: fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 2, 3)),
      padding: fc.constantFrom<Padding>("same", "valid", 1, { top: 2, bottom: 0, left: 1, right: 5 }),
    });
    fc.assert(
      fc.property(cases(geometry, { products: 1e5 }), fc.constantFrom(...features), (call, each) => {
        expect(checkEdges(generator, arraysOf(generator, call), call.d, each)).toBeDefined();
      }),
      { numRuns: 60 },
    );
  });

  it("meet every generator and every algorithm of the convolutions", () => {
    for (const [name, plans] of met) expect(plans.size, name).toBeGreaterThan(0);
    const all = ["direct", "planar", "winograd4", "winograd6"];
    for (const [name, algorithms] of [
      ["conv2d.forward", all],
      ["conv2d.transposed", all],
      ["conv2d.filterGradient", ["direct", "winograd4", "winograd6"]],
      ["conv2d.joined", ["winograd4", "winograd6"]],
    ] as const)
      for (const algorithm of algorithms)
        expect([...met.get(name)!].join(), `${name} ${algorithm}`).toContain(algorithm);
  });
});
