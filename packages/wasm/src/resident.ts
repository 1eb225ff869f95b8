// Results of operators that stay where the kernels work: nothing is copied between one operator and the next.
//
// Such an array is a view of the arena. When the garbage collector has dropped it, a finaliser gives its block back, so
// what counts is the array itself: a view or a buffer taken from it does not keep it. Finalisers run between tasks: in a
// loop that never lets the event loop turn nothing comes back. How much results may take before the next turn is
// therefore what earlier stretches between two turns would have needed, twice; what goes beyond gets ordinary arrays.

import { type Allocator, installAllocator } from "@saunet/core/kernels";
import { type Arena, MemoryError } from "./memory.ts";

/** Smaller arrays are copied in no time, and finalising them would take longer. */
const SMALLEST_BYTES = 2 ** 16;
/** The share of the arena that results may take; programs and operands need the rest. */
const SHARE = 1 / 2;
/** What results may take before the first turn of the event loop, in bytes. */
const FIRST_STRETCH = 2 ** 28;
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

/**
 * Has core's operators put their results into an arena, until it is called off.
 *
 * @param onFree called whenever a result has given its place back
 */
export function keepResultsIn(arena: Arena, onFree: () => void = () => {}): () => void {
  const most = SHARE * arena.limit;
  let taken = 0;
  const ballast = new WeakMap<Float32Array, ArrayBuffer>();
  const dropped = new FinalizationRegistry(({ address, bytes }: { address: number; bytes: number }) => {
    taken -= bytes;
    arena.free(address);
    onFree();
  });
  /** Bytes asked for since the event loop turned, and the most of any stretch before. */
  let [asked, longest] = [0, 0];
  const askFor = (bytes: number): boolean => {
    if (asked === 0) {
      after(0, () => {
        longest = Math.max(longest, asked);
        asked = 0;
      });
    }
    asked += bytes;
    return asked <= Math.max(FIRST_STRETCH, 2 * longest);
  };
  const floats: Allocator["floats"] = (size) => {
    const bytes = 4 * size;
    if (bytes < SMALLEST_BYTES || !askFor(bytes) || taken + bytes > most) return new Float32Array(size);
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

/** Calls back after so many milliseconds, if the process is still there: in Node the timer would otherwise keep it alive. */
export function after(milliseconds: number, call: () => void): unknown {
  const timer = setTimeout(call, milliseconds);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
