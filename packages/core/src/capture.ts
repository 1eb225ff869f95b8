// A captured program: the kernel calls of one run as a list, to be planned once and replayed many times.
//
// While a function is captured its kernel calls are written down, not run. What they read and write are buffers:
//
//   external   existed before, or was filled by the host: parameters, inputs, constants, optimiser and random state;
//              keeps its identity, so what is written there between runs is seen by the next one
//   temporary  written by a kernel before anything reads it: lives from that call to the last that touches it, and
//              shares one planned block of memory with the others
//
// So forward pass, backward pass and optimiser step are captured alike, and what changes between runs must lie in
// arrays: a learning rate, a step count. A number read on the host would be frozen into the program; that is an error.

import { kindOf } from "./errors.ts";
import { type AnyKernel, type FlatArray, intercept, type KernelCall, writtenBy } from "./kernel.ts";
import { type ArenaPlan, planArena } from "./plan.ts";
import type { Shape } from "./shape.ts";
import { Tensor, withAllocator, withoutReading } from "./tensor.ts";

/** One array of a program. */
export interface ProgramBuffer {
  readonly length: number;
  readonly type: "f32" | "i32" | "u32";
  /** The array itself, where it is not temporary. */
  readonly external: FlatArray | undefined;
}

/** One kernel call of a program; arrays are numbers of buffers. */
export interface ProgramCall {
  readonly kernel: AnyKernel;
  readonly buffers: Readonly<Record<string, number | undefined>>;
  readonly dims: unknown;
}

/** A tensor that goes into a program or comes out of it. */
export interface ProgramTensor {
  readonly buffer: number;
  readonly shape: Shape;
}

/** A list of kernel calls over numbered buffers. */
export interface Program {
  readonly buffers: readonly ProgramBuffer[];
  readonly calls: readonly ProgramCall[];
  readonly inputs: readonly ProgramTensor[];
  readonly outputs: readonly ProgramTensor[];
}

const TYPES: Readonly<Record<string, ProgramBuffer["type"]>> = {
  Float32Array: "f32",
  Int32Array: "i32",
  Uint32Array: "u32",
};

function typeOf(array: FlatArray): ProgramBuffer["type"] {
  const type = TYPES[kindOf(array)];
  if (type === undefined) throw new TypeError(`capture: a program has no place for a ${kindOf(array)}`);
  return type;
}

/** Arrays from outside keep what they share only where they are one and the same: a program has a copy of each. */
function expectApart(externals: readonly FlatArray[], written: ReadonlySet<FlatArray>): void {
  const byBuffer = new Map<ArrayBufferLike, FlatArray[]>();
  for (const array of externals) {
    const others = byBuffer.get(array.buffer) ?? [];
    for (const other of others) {
      const start = Math.max(array.byteOffset, other.byteOffset);
      const end = Math.min(array.byteOffset + array.byteLength, other.byteOffset + other.byteLength);
      if (start >= end || !(written.has(array) || written.has(other))) continue;
      throw new RangeError(
        `capture: two arrays share ${end - start} bytes and one of them is written; use one array, or copies`,
      );
    }
    byBuffer.set(array.buffer, [...others, array]);
  }
}

/**
 * Writes down the kernel calls of a function of tensors.
 *
 * @param body receives the inputs and returns what the program is to give; runs once
 * @param inputs tensors of the shapes that the program will take; their values do not matter
 * @throws Error where `body` reads a number on the host (`loss.item()`); TypeError where it returns a promise or works on
 *   doubles; RangeError where it writes an array that overlaps with another one
 * @example
 * const w = parameter(tensor([2]));
 * const program = capture(([x]) => [mul(x, w)], [zeros([1])]);
 * console.log(program.calls.map(({ kernel }) => kernel.name)); // [ 'mul.forward' ]
 */
export function capture(
  body: (inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
): Program {
  const made = new Set<FlatArray>();
  const keep = <A extends FlatArray>(array: A): A => {
    made.add(array);
    return array;
  };
  const listed: KernelCall[] = [];
  // Fresh input arrays: the caller's own may be parameters too.
  const placeholders = inputs.map(({ data, shape }) => new Tensor(new Float32Array(data.length), shape));
  const allocator = {
    floats: (size: number) => keep(new Float32Array(size)),
    indices: (size: number) => keep(new Int32Array(size)),
  };
  const note = (call: KernelCall) => listed.push(call);
  const list = () => intercept(note, () => body(placeholders));
  const outputs = withoutReading(
    "no value is known while a program is captured; return the tensor from the captured function and read it after a run",
    () => withAllocator(allocator, list),
  );

  if (!Array.isArray(outputs)) {
    throw new TypeError(
      `capture: body must return a list of tensors at once but returned a ${kindOf(outputs)}`,
    );
  }
  const numbers = new Map<FlatArray, number>();
  const buffers: ProgramBuffer[] = [];
  const numberOf = (array: FlatArray, temporary: boolean): number => {
    const known = numbers.get(array);
    if (known !== undefined) return known;
    numbers.set(array, buffers.length);
    buffers.push({ length: array.length, type: typeOf(array), external: temporary ? undefined : array });
    return buffers.length - 1;
  };
  const inputBuffers = placeholders.map(({ data, shape }) => ({ buffer: numberOf(data, false), shape }));
  const calls = listed.map(({ kernel, arrays, dims }) => {
    const used = Object.entries(kernel.roles).map(([name, role]) => {
      const array = arrays[name];
      return [name, array && numberOf(array, role === "write" && made.has(array))];
    });
    return { kernel, buffers: Object.fromEntries(used), dims };
  });
  const outputBuffers = outputs.map(({ data, shape }) => ({ buffer: numberOf(data, false), shape }));
  const externals = buffers.flatMap(({ external }) => (external === undefined ? [] : [external]));
  const written = listed.flatMap(({ kernel, arrays }) => writtenBy(kernel, arrays));
  expectApart(externals, new Set(written));
  return { buffers, calls, inputs: inputBuffers, outputs: outputBuffers };
}

/**
 * The first and the last call that touches each temporary buffer; outputs live to the end.
 *
 * @example
 * const program = capture(([x]) => [relu(relu(relu(x)))], [zeros([16])]);
 * console.log(planProgram(program).bytes); // 128
 */
export function planProgram({
  buffers,
  calls,
  outputs,
}: Program): ArenaPlan & { readonly temporaries: readonly number[] } {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  calls.forEach((call, at) => {
    for (const buffer of Object.values(call.buffers)) {
      if (buffer === undefined || buffers[buffer].external !== undefined) continue;
      if (!first.has(buffer)) first.set(buffer, at);
      last.set(buffer, at);
    }
  });
  for (const { buffer } of outputs) if (first.has(buffer)) last.set(buffer, calls.length);
  const temporaries = [...first.keys()];
  const lifetimes = temporaries.map((buffer) => ({
    bytes: 4 * buffers[buffer].length,
    first: first.get(buffer)!,
    last: last.get(buffer)!,
  }));
  return { ...planArena(lifetimes), temporaries };
}

/**
 * Lets results take the place of operands that nobody reads any more, where their kernels allow it: the two become
 * one buffer.
 *
 * @example
 * const program = capture(([x]) => [relu(neg(x))], [zeros([16])]);
 * const temporaries = (of: Program) => planProgram(of).temporaries.length;
 * console.log(temporaries(program), temporaries(shareInPlace(program))); // 2 1
 */
export function shareInPlace(program: Program): Program {
  const { buffers, calls, outputs } = program;
  const lastTouch = new Map<number, number>();
  calls.forEach((call, at) => {
    for (const buffer of Object.values(call.buffers)) if (buffer !== undefined) lastTouch.set(buffer, at);
  });
  for (const { buffer } of outputs) lastTouch.set(buffer, calls.length);
  /** Which buffer stands for another one. */
  const place = new Map<number, number>();
  const resolve = (buffer: number): number => place.get(buffer) ?? buffer;
  const shared = calls.map((call, at) => {
    for (const [written, read] of Object.entries(call.kernel.inPlace)) {
      const [from, to] = [read, written].map((name) => (name === undefined ? name : call.buffers[name]));
      if (from === undefined || to === undefined || place.has(to)) continue;
      const source = resolve(from);
      const fits = buffers[source].external === undefined && buffers[to].external === undefined;
      const dies = lastTouch.get(source) === at;
      const once =
        Object.values(call.buffers).filter((buffer) => buffer !== undefined && resolve(buffer) === source)
          .length === 1;
      if (!fits || !dies || !once || buffers[source].length !== buffers[to].length) continue;
      place.set(to, source);
      lastTouch.set(source, lastTouch.get(to)!);
    }
    const renamed = Object.entries(call.buffers).map(([name, buffer]) => [
      name,
      buffer === undefined ? buffer : resolve(buffer),
    ]);
    return { ...call, buffers: Object.fromEntries(renamed) };
  });
  return {
    ...program,
    calls: shared,
    outputs: outputs.map(({ buffer, shape }) => ({ buffer: resolve(buffer), shape })),
  };
}
