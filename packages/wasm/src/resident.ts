// Results of operators that stay where the kernels work: nothing is copied between one operator and the next.
//
// Such an array is a view of the arena. When the garbage collector has dropped it, a finaliser gives its block back, so
// what counts is the array itself: a view or a buffer taken from it does not keep it. Finalisers run between tasks; a
// loop that never awaits therefore fills its share of the arena, and from then on gets ordinary arrays.

import { type Allocator, installAllocator } from "@saunet/core";
import { type Arena, MemoryError } from "./memory.ts";

/** Smaller arrays are copied in no time, and finalising them would take longer. */
const SMALLEST_BYTES = 2 ** 16;
/** The share of the arena that results may take; programs and operands need the rest. */
const SHARE = 1 / 2;
/**
 * V8 collects garbage when enough of it has piled up, and of a view it counts the few bytes of the object. With each view
 * dies an empty buffer of this share of its size, whose pages are never touched: so collections come neither never nor,
 * as for arrays of the host, after every second of them.
 */
const BALLAST = 1 / 8;

/** A block, or none where the arena has no room: then the host has. */
function reserved(arena: Arena, bytes: number): number | undefined {
  try {
    return arena.reserve(bytes);
  } catch (error) {
    if (error instanceof MemoryError) return undefined;
    throw error;
  }
}

/** Has core's operators put their results into an arena, until it is called off. */
export function keepResultsIn(arena: Arena): () => void {
  const most = SHARE * arena.limit;
  let taken = 0;
  const ballast = new WeakMap<Float32Array, ArrayBuffer>();
  const dropped = new FinalizationRegistry(({ address, bytes }: { address: number; bytes: number }) => {
    taken -= bytes;
    arena.free(address);
  });
  const floats: Allocator["floats"] = (size) => {
    const bytes = 4 * size;
    if (bytes < SMALLEST_BYTES || taken + bytes > most) return new Float32Array(size);
    const address = reserved(arena, bytes);
    if (address === undefined) return new Float32Array(size);
    const array = new Float32Array(arena.memory.buffer as ArrayBuffer, address, size);
    taken += bytes;
    dropped.register(array, { address, bytes });
    ballast.set(array, new ArrayBuffer(Math.ceil(BALLAST * bytes)));
    return array;
  };
  installAllocator({ floats });
  return () => installAllocator({});
}
