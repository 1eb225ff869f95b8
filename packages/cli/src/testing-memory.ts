// Arrays in every kind of memory that a caller may have, and whether they are still what they were.

import { expect } from "vitest";

/** Arrays of one kind of memory, which are remembered with everything around them. */
export interface Memory {
  bytes(values: ArrayLike<number>): Uint8Array;
  floats(values: ArrayLike<number>): Float32Array;
  /** Throws where an array, or memory around it, is not what it was. */
  expectUnchanged(): void;
}

const AROUND = 12;
const GUARD = 0xa5;
export type Bytes = Uint8Array | Uint8ClampedArray;

/** What makes an array of each kind. */
export const KINDS: Readonly<Record<string, (values: ArrayLike<number>) => Bytes>> = {
  "plain arrays": (values) => Uint8Array.from(values),
  Buffers: (values) => Buffer.from(Uint8Array.from(values)),
  "Buffers with an offset": (values) =>
    Buffer.alloc(values.length + 2 * AROUND, GUARD)
      .subarray(AROUND, AROUND + values.length)
      .fill(Uint8Array.from(values)),
  "views with an offset": (values) => around(new ArrayBuffer(values.length + 2 * AROUND), values),
  "clamped arrays": (values) => Uint8ClampedArray.from(values),
  "shared memory": (values) => around(new SharedArrayBuffer(values.length + 2 * AROUND), values),
};

function around(buffer: ArrayBufferLike, values: ArrayLike<number>): Uint8Array {
  new Uint8Array(buffer).fill(GUARD);
  const view = new Uint8Array(buffer, AROUND, values.length);
  view.set(values);
  return view;
}

/** Memory of a kind. */
export function memoryOf(kind: string): Memory {
  const remembered: (() => void)[] = [];
  const remember = <T extends Bytes | Float32Array>(array: T): T => {
    // The pool that small Buffers are cut from belongs to others too.
    const isPooled = array instanceof Buffer && array.buffer.byteLength === Buffer.poolSize;
    const seen = () =>
      isPooled
        ? new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
        : new Uint8Array(array.buffer);
    const before = Uint8Array.from(seen());
    remembered.push(() => expect(Buffer.compare(seen(), before)).toBe(0));
    return array;
  };
  return {
    bytes: (values) => remember(KINDS[kind](values)) as Uint8Array,
    floats(values) {
      const floats = Float32Array.from(values);
      const { buffer, byteOffset } = KINDS[kind](new Uint8Array(floats.buffer));
      const array = new Float32Array(buffer, byteOffset, floats.length);
      return buffer.byteLength === Buffer.poolSize ? array : remember(array);
    },
    expectUnchanged: () => {
      for (const check of remembered) check();
    },
  };
}

/** Freezes everything but arrays of numbers, which cannot be frozen. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value)) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}
