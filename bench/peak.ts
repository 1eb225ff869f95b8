// The most that one core can do: multiplications and additions on numbers that never leave the registers. A chain
// s ← s · f + a waits for its own result, so twelve independent ones keep the units busy; with factor and addend
// that is 14 of the 16 registers of x86. They converge on a / (1 - f), so no number is ever denormal.
//
// And how fast one core reads: sums of vectors over as much memory as each level of its caches holds.

import { ModuleBuilder } from "@saunet/wasm/asm";
import type { Bandwidth, Peak } from "./schema.ts";

/** Runs the chains for so many steps; what comes out is some number. */
export type Chains = (steps: number) => number;

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

function gflops(lanes: number, chains: Chains): number {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    if (!Number.isFinite(chains(STEPS))) throw new Error("peak: a chain left the range of numbers");
    best = Math.min(best, performance.now() - start);
  }
  return (2 * CHAINS * lanes * STEPS) / best / 1e6;
}

/** A double at a time. */
export function scalarChains(steps: number): number {
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

/** Four floats at a time, with two instructions or a fused one. */
export function simdChains(relaxed: boolean): Chains {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(simdModule(relaxed)));
  return exports.chains as Chains;
}

/** What fits into each level of most cores of today (32 KB, 512 KB, some MB), and what fits into none. */
const LEVELS = { l1: 2 ** 14, l2: 2 ** 18, l3: 2 ** 22, memory: 2 ** 28 };
const SWEPT_BYTES = 2 ** 26;
const VECTOR = 16;
/** Vectors that one round of the loop reads into sums of their own, since an addition takes three cycles. */
const UNROLL = 8;

/** Billions of bytes per second that one core reads from each level. */
export function measureBandwidth(): Bandwidth {
  const sweep = memorySweep(LEVELS.memory);
  const of = (bytes: number): number => {
    const times = Math.max(1, SWEPT_BYTES / bytes);
    let best = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < 4; repeat++) {
      const start = performance.now();
      sweep(bytes, times);
      best = Math.min(best, performance.now() - start);
    }
    return (bytes * times) / best / 1e6;
  };
  const level = (bytes: number) => Math.round(of(bytes) * 10) / 10;
  return { l1: level(LEVELS.l1), l2: level(LEVELS.l2), l3: level(LEVELS.l3), memory: level(LEVELS.memory) };
}

/**
 * Gives a function that reads the first so many bytes of `size` bytes again and again, and gives the sum of what it read: each
 * vector begins with its place in the round of the loop, from 1 on.
 */
export function memorySweep(size: number): (bytes: number, times: number) => number {
  const m = new ModuleBuilder();
  m.exportMemory("memory", { initial: size / 65536 });
  m.func("sweep", { params: { bytes: "i32", times: "i32" }, results: ["f32"] }, (f, { bytes, times }) => {
    const { i32, f32, f32x4, v128 } = f;
    const sums = Array.from({ length: UNROLL }, (_, i) => f.let(`sum${i}`, f32x4.splat(f32.const(0))));
    const at = f.local("at", "i32");
    f.loop((again) => {
      f.set(at, bytes);
      f.loop((further) => {
        f.set(at, i32.sub(at, UNROLL * VECTOR));
        sums.forEach((sum, i) => {
          f.set(sum, f32x4.add(sum, v128.load(at, { offset: i * VECTOR })));
        });
        f.brIf(further, at);
      });
      f.set(times, i32.sub(times, 1));
      f.brIf(again, times);
    });
    for (const sum of sums.slice(1)) f.set(sums[0], f32x4.add(sums[0], sum));
    return f32x4.extract_lane(sums[0], 0);
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()));
  // Pages that were never written may all be the same page of zeros.
  const floats = new Float32Array((exports.memory as WebAssembly.Memory).buffer);
  const lanes = VECTOR / floats.BYTES_PER_ELEMENT;
  for (let i = 0; i < floats.length; i += lanes) floats[i] = ((i / lanes) % UNROLL) + 1;
  return exports.sweep as (bytes: number, times: number) => number;
}
