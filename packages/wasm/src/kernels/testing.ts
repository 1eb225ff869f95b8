// What the tests of the kernels share: each kernel is held to its reference, and to itself with its items shared out
// in other ways.

import { setFlagsFromString } from "node:v8";
import { randomState, uniform } from "@saunet/core";
import type { Arrays, FlatArray } from "@saunet/core/kernels";
import { detectFeatures } from "../features.ts";
import { Arena } from "../memory.ts";
import type { Generator } from "../plan.ts";
import { type Crew, lengthsOf, Runner } from "../runner.ts";
import { errorOf } from "../testing.ts";
import { generators } from "./index.ts";

// Off by default in Node 20; where it is on by default the flag may be gone.
if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");

/** The ways in which a kernel may multiply and add on this host. */
export const arithmetics = [false, true].filter(
  (relaxed) => !relaxed || detectFeatures().relaxedSimd.available,
);

/** The channels that sweeps go through. */
export const channels = [1, 2, 3, 4, 5, 16, 17, 32, 48, 64, 96];

/** Heights and widths that suit no tile. */
export const sizes = [
  [1, 1],
  [1, 97],
  [131, 1],
  [2, 3],
  [7, 5],
  [13, 24],
  [33, 29],
  [131, 97],
] as const;

/** `[N,H,W,C]`: every number of channels on a dot, on two odd pictures, and a few on larger ones. */
export const shapes: readonly (readonly [number, number, number, number])[] = [
  ...channels.map((C) => [1, 1, 1, C] as const),
  ...channels.map((C) => [2, 7, 16, C] as const),
  ...channels.map((C) => [1, 33, 29, C] as const),
  ...[3, 16].map((C) => [1, 131, 97, C] as const),
];

/** How many elements. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

/** The generator of a kernel. */
export function generatorFor(kernel: { readonly name: string }): Generator {
  const found = generators.find((generator) => generator.kernel.name === kernel.name);
  if (found === undefined) throw new Error(`${kernel.name}: has no generator`);
  return found;
}

/** `count` random numbers between -spread and spread; other seeds give others. */
export function numbers(count: number, seed = 1, spread = 3): Float32Array {
  return uniform([count], randomState(seed), { low: -spread, high: spread }).data;
}

/** Shares the items of every phase out among so many ranges, one after the other. */
const inParts = (parts: number): Crew => ({
  threads: parts,
  load: () => {},
  run: ({ code, items, shared, own, ownBytes, addresses }) => {
    for (let t = parts - 1; t >= 0; t--) {
      const [from, to] = [t, t + 1].map((end) => Math.floor((items * end) / parts)) as [number, number];
      code(from, to, shared, own + t * ownBytes, ...addresses);
    }
  },
});

/** One memory for each number of ranges. */
const runners = [1, 2, 3, 4].map((parts) => {
  const [arena, crew] = [new Arena(false, 2 ** 26), inParts(parts)];
  return {
    arena,
    plain: new Runner(arena, crew, { relaxed: false }),
    relaxed: new Runner(arena, crew, { relaxed: true }),
  };
});

interface CodeOptions {
  readonly parts?: number;
  readonly inPlace?: Readonly<Record<string, string>>;
  readonly relaxed?: boolean;
}

/**
 * What a kernel's code makes of some arrays; `undefined` where there is none. The arrays stay as they are.
 *
 * @param parts how many ranges the items are shared out into
 * @param inPlace written arrays that lie where a read one does
 * @param relaxed whether a product and a sum may be one instruction
 */
export function outputsOf(
  generator: Generator,
  arrays: Arrays,
  dims: unknown,
  { parts = 1, inPlace = {}, relaxed = false }: CodeOptions = {},
): Record<string, FlatArray> | undefined {
  const { arena, ...by } = runners[parts - 1];
  const runner = relaxed ? by.relaxed : by.plain;
  const plan = runner.plan(generator, lengthsOf(generator.kernel, arrays), dims);
  if (plan === undefined) return undefined;
  const placed: Record<string, FlatArray> = {};
  for (const [name, array] of Object.entries(arrays) as [string, FlatArray][]) {
    if (name in inPlace) continue;
    const address = arena.reserve(array.byteLength);
    arena.write(address, array);
    const Type = array.constructor as Float32ArrayConstructor;
    placed[name] = new Type(arena.memory.buffer as ArrayBuffer, address, array.length);
  }
  for (const [written, read] of Object.entries(inPlace)) placed[written] = placed[read];
  // Every phase of more than one item is shared out, however small.
  const phases = plan.phases.map((phase) => ({ ...phase, grain: 1 }));
  let outputs: Record<string, FlatArray>;
  try {
    runner.run(generator.kernel, { ...plan, phases }, placed);
    outputs = Object.fromEntries(Object.entries(placed).map(([name, array]) => [name, array.slice()]));
  } finally {
    for (const { byteOffset } of new Set(Object.values(placed))) arena.free(byteOffset);
  }
  if (arena.used > 0) throw new Error(`${plan.name}: left memory in use`);
  return outputs;
}

/**
 * Runs a kernel's code, in each arithmetic that it has: against its reference between guard bands; in one to four
 * ranges, which must give the same bits; and in place where the kernel allows it, which must give them too.
 *
 * @param typical how large elements usually are, as `relativeError` of core takes it
 * @returns its error relative to the largest element, or `undefined` where the portable form is to run
 */
export function check(
  kernel: { readonly name: string },
  arrays: Arrays,
  dims?: unknown,
  typical?: number,
): number | undefined {
  return checkCode(generatorFor(kernel), arrays, dims, typical);
}

/** {@link check} for code that is not in the list. */
export function checkCode(
  generator: Generator,
  arrays: Arrays,
  dims: unknown,
  typical?: number,
): number | undefined {
  const lengths = lengthsOf(generator.kernel, arrays);
  const keys = arithmetics.map((relaxed) => generator.plan(dims, lengths, { relaxed })?.key);
  if (keys[0] === undefined) return undefined;
  const different = arithmetics.filter((_, i) => keys.indexOf(keys[i]) === i);
  return Math.max(...different.map((relaxed) => checkArithmetic(generator, arrays, dims, relaxed, typical)));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: FlatArray): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

function checkArithmetic(
  generator: Generator,
  arrays: Arrays,
  dims: unknown,
  relaxed: boolean,
  typical?: number,
): number {
  const { kernel } = generator;
  const { inPlace, roles } = kernel;
  const whole = outputsOf(generator, arrays, dims, { relaxed })!;
  const others = [2, 3, 4].map((parts) => ({
    how: `${parts} ranges`,
    options: { parts, relaxed } as object,
  }));
  if (Object.entries(inPlace).every(([written, read]) => arrays[written]?.length === arrays[read!]?.length))
    others.push({ how: "in place", options: { parts: 2, inPlace, relaxed } });
  for (const { how, options } of others) {
    const outputs = outputsOf(generator, arrays, dims, options)!;
    for (const [name, role] of Object.entries(roles)) {
      if (role === "read" || arrays[name] === undefined) continue;
      const wanted = whole[name];
      if (bytesOf(outputs[name]).equals(bytesOf(wanted))) continue;
      const differs = outputs[name].findIndex(
        (value, i) => value !== wanted[i] && !Object.is(value, wanted[i]),
      );
      if (differs >= 0) throw new Error(`${kernel.name}: ${name}[${differs}] is another number with ${how}`);
    }
  }
  return errorOf(generator, arrays, dims, { features: { relaxed }, ...(typical && { typical }) });
}
