// The most that one core can do: multiplications and additions on numbers that never leave the registers. A chain
// s ← s · f + a waits for its own result, so twelve independent ones keep the units busy; with factor and addend
// that is 14 of the 16 registers of x86. They converge on a / (1 - f), so no number is ever denormal.

import { ModuleBuilder } from "@saunet/wasm/asm";

/** FLOP/s of one core, in billions. */
export interface Peak {
  /** Plain TypeScript: one double at a time. */
  readonly typescript: number;
  /** WebAssembly, four floats at a time, a multiplication and an addition. */
  readonly simd: number;
  /** The same with the fused instruction of relaxed SIMD; null where the host does not have it. */
  readonly relaxedSimd: number | null;
}

const CHAINS = 12;
const FACTOR = 0.999;
const ADDEND = 0.001;
const STEPS = 400_000;
const REPEATS = 25;

/** Measures the peak: the best of many short runs, for this is about the machine and not about its neighbours. */
export function measurePeak(): Peak {
  return {
    typescript: gflops(1, scalarChains),
    simd: gflops(4, simdChains(false)),
    relaxedSimd: hasRelaxedSimd() ? gflops(4, simdChains(true)) : null,
  };
}

function gflops(lanes: number, chains: (steps: number) => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    if (!Number.isFinite(chains(STEPS))) throw new Error("peak: a chain left the range of numbers");
    best = Math.min(best, performance.now() - start);
  }
  return (2 * CHAINS * lanes * STEPS) / best / 1e6;
}

function scalarChains(steps: number): number {
  let a = 1;
  let b = 2;
  let c = 3;
  let d = 4;
  let e = 5;
  let f = 6;
  let g = 7;
  let h = 8;
  let i = 9;
  let j = 10;
  let k = 11;
  let l = 12;
  for (let step = 0; step < steps; step++) {
    a = a * FACTOR + ADDEND;
    b = b * FACTOR + ADDEND;
    c = c * FACTOR + ADDEND;
    d = d * FACTOR + ADDEND;
    e = e * FACTOR + ADDEND;
    f = f * FACTOR + ADDEND;
    g = g * FACTOR + ADDEND;
    h = h * FACTOR + ADDEND;
    i = i * FACTOR + ADDEND;
    j = j * FACTOR + ADDEND;
    k = k * FACTOR + ADDEND;
    l = l * FACTOR + ADDEND;
  }
  return a + b + c + d + e + f + g + h + i + j + k + l;
}

function simdModule(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  m.func("chains", { params: { steps: "i32" }, results: ["f32"] }, (f, { steps }) => {
    const { i32, f32, f32x4 } = f;
    const factor = f.let("factor", f32x4.splat(f32.const(FACTOR)));
    const addend = f.let("addend", f32x4.splat(f32.const(ADDEND)));
    const sums = Array.from({ length: CHAINS }, (_, i) => f.let(`sum${i}`, f32x4.splat(f32.const(i + 1))));
    f.loop((again) => {
      for (const sum of sums) {
        f.set(
          sum,
          relaxed ? f32x4.relaxed_madd(sum, factor, addend) : f32x4.add(f32x4.mul(sum, factor), addend),
        );
      }
      f.set(steps, i32.sub(steps, 1));
      f.brIf(again, steps);
    });
    for (const sum of sums.slice(1)) f.set(sums[0], f32x4.add(sums[0], sum));
    return f32x4.extract_lane(sums[0], 0);
  });
  return m.build();
}

/** Whether the host runs the fused multiply-add of relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(simdModule(true));
}

function simdChains(relaxed: boolean): (steps: number) => number {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(simdModule(relaxed)));
  return exports.chains as (steps: number) => number;
}
