// Holds a generated kernel to its reference: for tests and benches.

import type { Tensor } from "@saunet/core";
import type { Arrays, FlatArray, Prepared, Work } from "@saunet/core/kernels";
import { relativeError } from "@saunet/core/testing";
import { Arena } from "./memory.ts";
import type { CodeFeatures, Generator } from "./plan.ts";
import { alone, type Crew, lengthsOf, Runner } from "./runner.ts";

const GUARD = 32;

/** A copy of an array between two bands of NaN (or of -1 for integers) that nobody may touch. */
function guarded(array: FlatArray): { whole: FlatArray; inside: FlatArray } {
  const Type = array.constructor as new (length: number) => FlatArray;
  const whole = new Type(array.length + 2 * GUARD).fill(array instanceof Float32Array ? Number.NaN : -1);
  const inside = whole.subarray(GUARD, GUARD + array.length) as FlatArray;
  inside.set(array);
  return { whole, inside };
}

/** Memories and compiled code of before, by what they are for: making them takes longer than most calls. */
const runners = new Map<string, Runner>();

function runnerFor(crew: Crew, features: CodeFeatures): Runner {
  if (crew !== alone) return new Runner(new Arena(false, 2 ** 28), crew, features);
  const key = JSON.stringify(features);
  const found = runners.get(key) ?? new Runner(new Arena(false, 2 ** 28), alone, features);
  runners.set(key, found);
  return found;
}

/**
 * Runs a generator's code on copies of the arrays and compares everything it writes with the reference.
 *
 * @param arrays inputs with their values; outputs with any values, of the right length
 * @param options `typical` is how large elements usually are, as `relativeError` of core takes it
 * @returns the largest error of any output, relative to its largest element
 * @throws Error where there is no plan, a guard band was touched, or an input was changed
 */
export function errorOf(
  generator: Generator,
  arrays: Arrays,
  dims: unknown,
  {
    crew = alone,
    features = { relaxed: false },
    typical = 0,
  }: { crew?: Crew; features?: CodeFeatures; typical?: number } = {},
): number {
  const { kernel } = generator;
  const runner = runnerFor(crew, features);
  const plan = runner.plan(generator, lengthsOf(kernel, arrays), dims);
  if (plan === undefined) throw new Error(`${kernel.name}: no plan for ${JSON.stringify(dims)}`);
  const roles = Object.entries(kernel.roles) as [string, string][];
  const present = roles.filter(([name]) => arrays[name] !== undefined);
  const wanted = Object.fromEntries(present.map(([name]) => [name, arrays[name]!.slice()]));
  kernel.reference(wanted as never, dims as never);

  // In the arena, so that the guards lie right beside the kernel's memory.
  const placed = present.map(([name, role]) => {
    const { whole } = guarded(role === "write" ? arrays[name]!.slice().fill(Number.NaN) : arrays[name]!);
    const address = runner.arena.reserve(whole.byteLength);
    runner.arena.write(address, whole);
    const Type = whole.constructor as new (
      buffer: ArrayBufferLike,
      offset: number,
      length: number,
    ) => FlatArray;
    const all = new Type(runner.arena.memory.buffer, address, whole.length);
    const inside = all.subarray(GUARD, GUARD + arrays[name]!.length) as FlatArray;
    return { name, role, address, all, inside };
  });
  runner.run(kernel, plan, Object.fromEntries(placed.map(({ name, inside }) => [name, inside])));

  let error = 0;
  for (const { name, role, all, inside } of placed) {
    const bands = [all.subarray(0, GUARD), all.subarray(GUARD + inside.length)];
    const isGuard = (value: number) => Number.isNaN(value) || value === -1 || value === 2 ** 32 - 1;
    if (!bands.every((band) => band.every(isGuard))) {
      throw new Error(`${plan.name}: wrote outside ${name}`);
    }
    if (role !== "read") error = Math.max(error, relativeError(inside, wanted[name], typical));
    else if (inside.some((value, i) => !Object.is(value, arrays[name]![i])))
      throw new Error(`${plan.name}: changed ${name}`);
  }
  for (const { address } of placed) runner.arena.free(address);
  return error;
}

/** Takes work up again whenever what it waits for has ended, as whoever runs programs does. */
export async function driven<T>(work: Work<T>): Promise<T> {
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
    await next.value.ended;
  }
}

/** Runs a program on other threads than the caller's. */
export const runFree = (prepared: Prepared, inputs: readonly Tensor[]): Promise<Tensor[]> =>
  driven(prepared.start(inputs));
