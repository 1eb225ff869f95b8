import { expect, test } from "vitest";
import { type FunctionBuilder, type Local, ModuleBuilder } from "../asm/index.ts";
import {
  EXP_BOUND,
  exponential,
  LOG1P_BOUND,
  log1p,
  onePlusExpOfNegative,
  onePlusPowerOfTwo,
} from "./exp.ts";
import { arithmetics } from "./testing.ts";

/** Applies vector code to numbers, four at a time. */
function apply(prepare: (f: FunctionBuilder) => (xs: Local<"v128">[]) => void): (xs: number[]) => number[] {
  const m = new ModuleBuilder();
  m.exportMemory("memory", { initial: 1 });
  m.func("apply", { params: {} }, (f) => {
    const code = prepare(f);
    const x = f.let("x", f.v128.load(0));
    code([x]);
    f.v128.store(16, x);
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()));
  const floats = new Float32Array((exports.memory as WebAssembly.Memory).buffer, 0, 8);
  return (xs) =>
    Array.from({ length: Math.ceil(xs.length / 4) }, (_, i) => {
      floats.fill(0);
      floats.set(xs.slice(4 * i, 4 * i + 4));
      (exports.apply as () => void)();
      return [...floats.subarray(4)];
    })
      .flat()
      .slice(0, xs.length);
}

const evenly = (low: number, high: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.fround(low + ((high - low) * i) / (count - 1)));

function worst(actual: number[], wanted: number[]): number {
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value / wanted[i] - 1)), 0);
}

test.each([1, -1] as const)("e^x is off by its bound at most, sign %d", (sign) => {
  const exp = apply((f) => exponential(f, sign));
  for (const xs of [evenly(-86.9, 88.7, 200_003), evenly(-1, 1, 50_001)]) {
    const signed = xs.map((x) => sign * x);
    expect(worst(exp(signed), xs.map(Math.exp))).toBeLessThan(EXP_BOUND);
  }
});

test.each([1, -1] as const)("e^x is exact at the special values, sign %d", (sign) => {
  const exp = apply((f) => exponential(f, sign));
  const special = [0, -0, Infinity, -Infinity, NaN, 88.8, 89, 1e9, 3e38, -88, -89, -150, -1e9, -3e38];
  expect(exp(special.map((x) => sign * x))).toEqual([
    ...[1, 1, Infinity, 0, NaN],
    ...[Infinity, Infinity, Infinity, Infinity],
    ...[0, 0, 0, 0, 0],
  ]);
});

test("e^x rises from 0 to ∞ without a step down", () => {
  const xs = evenly(-90, 90, 100_001);
  const ys = apply((f) => exponential(f, 1))(xs);
  const falls = ys.filter((y, i) => i > 0 && y < ys[i - 1] * (1 - EXP_BOUND));
  expect(falls).toEqual([]);
});

test("1 + e^-x is what the logistic function divides by", () => {
  const divisor = apply((f) => onePlusExpOfNegative(f));
  expect(divisor([0, Infinity, -Infinity, NaN])).toEqual([2, 1, Infinity, NaN]);
});

test.each(arithmetics)("1 + 2^-t is off by its bound at most, times a factor, relaxed %s", (relaxed) => {
  const ts = [...evenly(-125, 126, 200_003), ...evenly(-2, 2, 50_001)];
  for (const factor of [1, Math.LOG2E]) {
    const divisor = apply((f) => onePlusPowerOfTwo(f, { factor, relaxed }));
    expect(
      worst(
        divisor(ts),
        ts.map((t) => factor * (1 + 2 ** -t)),
      ),
    ).toBeLessThan(EXP_BOUND);
    const special = divisor([0, Infinity, -Infinity, NaN, -129, 3e38, -3e38]);
    const one = Math.fround(factor);
    expect(special).toEqual([2 * one, one, Infinity, NaN, Infinity, one, Infinity]);
  }
});

test("log(1 + t) is off by its bound at most", () => {
  const ts = [...evenly(1e-6, 1, 100_001), 1e-38, 1e-30, 1e-20, 1e-10];
  expect(worst(apply(log1p)(ts), ts.map(Math.log1p))).toBeLessThan(LOG1P_BOUND);
  expect(apply(log1p)([0, 1, NaN])).toEqual([0, Math.fround(Math.LN2), NaN]);
});
