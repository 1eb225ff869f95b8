import { siluForward, sumForward, walkOver } from "@saunet/core/kernels";
import { expect, test } from "vitest";
import { Arena } from "../memory.ts";
import { alone, lengthsOf, Runner } from "../runner.ts";
import { generators } from "./index.ts";
import { generatorFor, numbers } from "./testing.ts";

test("every kernel has one generator", () => {
  const names = generators.map(({ kernel }) => kernel.name);
  expect(new Set(names).size).toBe(names.length);
});

test("a thousand calls take no memory and give the same bits", () => {
  const runner = new Runner(new Arena(false, 2 ** 24), alone, { relaxed: false });
  const x = numbers(10_000);
  const walk = walkOver([10_000], [[10_000], [1]]);
  const calls = [
    { kernel: siluForward, arrays: { y: x.slice(), x }, dims: undefined },
    { kernel: sumForward, arrays: { out: new Float32Array(1), x }, dims: { walk, scale: 1 } },
  ];
  const results = new Set<string>();
  for (let turn = 0; turn < 500; turn++)
    for (const { kernel, arrays, dims } of calls) {
      const plan = runner.plan(generatorFor(kernel), lengthsOf(kernel, arrays), dims)!;
      runner.run(kernel as never, plan, arrays);
      expect(runner.arena.used).toBe(0);
      const [written] = Object.values(arrays);
      results.add(`${kernel.name} ${written}`);
    }
  expect(results.size).toBe(2);
});
