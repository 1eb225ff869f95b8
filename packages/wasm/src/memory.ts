// The arena: one WebAssembly memory in which all kernels and all threads work. Blocks are given out at the lowest
// address where they fit.
//
// Programs hold theirs as leases: what lies in one can be made again, so one that is idle gives way where room is needed.
//
// Arrays that live here are used in place; others are copied in before a call and out after it. A shared memory
// starts small and grows up to its limit, and arrays in it stay valid. An unshared one would lose its arrays by
// growing, so it takes its whole limit at the start; pages that nobody has touched cost nothing.

/** WebAssembly counts memory in pages of 64 KiB. */
const PAGE = 65536;
/** Addresses have 32 bits. */
const MOST_PAGES = 65536;
const FIRST_PAGES = 256;
/** A cache line: two threads that write side by side never share one. */
const LINE = 64;

/** Rounds a number of bytes up to whole cache lines. */
export const alignToLine = (bytes: number): number => Math.ceil(bytes / LINE) * LINE;

/**
 * Work that does not fit in the memory that the host grants.
 *
 * @example
 * console.log(new MemoryError("8 GB do not fit") instanceof RangeError); // true
 */
export class MemoryError extends RangeError {
  override readonly name = "MemoryError";
}

/** A block that gives way while nobody holds it. */
export interface Lease {
  readonly address: number;
  /** Whether it has given way, or was given back: what lay there is lost. */
  readonly isFree: boolean;
  /** Keeps it where it is until `letGo`. */
  hold(): void;
  letGo(): void;
  /** Gives it back. */
  end(): void;
}

/** A stretch of memory that is out. */
interface Block {
  readonly start: number;
  readonly end: number;
}

/** `WebAssembly.Memory`, whose own type would ask whoever uses this package for the DOM library. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** One WebAssembly memory, given out in blocks. */
export class Arena {
  readonly memory: LinearMemory;
  readonly shared: boolean;
  /** Most bytes that it may grow to: what was asked for, or what the host granted of it. */
  readonly limit: number;
  /** Growing a shared memory makes a new buffer object over the same bytes; arrays keep the one they came with. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  /** All blocks that are out, by address. */
  readonly #blocks: Block[] = [];
  /** Leases that nobody holds, the one that was let go first in front. */
  readonly #idle = new Set<Lease>();
  /** The end of the highest block that there ever was: pages beyond it were never touched. */
  #top = 0;

  /**
   * @param shared whether other threads work in it too
   * @param limitBytes how far it may grow, at most 4 GiB; halved until the host agrees
   */
  constructor(shared: boolean, limitBytes: number) {
    this.shared = shared;
    let maximum = Math.min(MOST_PAGES, Math.max(FIRST_PAGES, Math.ceil(limitBytes / PAGE)));
    let memory: WebAssembly.Memory | undefined;
    while (memory === undefined) {
      try {
        memory = new WebAssembly.Memory({ initial: shared ? FIRST_PAGES : maximum, maximum, shared });
      } catch (error) {
        if (!(error instanceof RangeError) || maximum <= FIRST_PAGES) throw error;
        maximum = Math.max(FIRST_PAGES, Math.floor(maximum / 2));
      }
    }
    this.memory = memory;
    this.limit = maximum * PAGE;
    this.#buffers.add(memory.buffer);
  }

  /** Bytes that are out. */
  get used(): number {
    return this.#blocks.reduce((bytes, { start, end }) => bytes + end - start, 0);
  }

  /** Bytes that have been in use at one time or another: what the system has given for this arena. */
  get touched(): number {
    return this.#top;
  }

  /**
   * Gives out a block; idle leases give way to it.
   *
   * @returns its address, a multiple of 64
   * @throws MemoryError where no gap is large enough, or the host does not grant the memory
   */
  reserve(bytes: number): number {
    for (;;) {
      try {
        return this.#reserveNow(bytes);
      } catch (error) {
        const [lease] = this.#idle;
        if (lease === undefined) throw error;
        lease.end();
      }
    }
  }

  /** Gives out a block as a lease that is held. */
  lease(bytes: number): Lease {
    const address = this.reserve(bytes);
    let isFree = false;
    const lease: Lease = {
      address,
      get isFree() {
        return isFree;
      },
      hold: () => void this.#idle.delete(lease),
      letGo: () => void (isFree || this.#idle.add(lease)),
      end: () => {
        if (!isFree) this.free(address);
        isFree = true;
        this.#idle.delete(lease);
      },
    };
    return lease;
  }

  #reserveNow(bytes: number): number {
    const size = alignToLine(Math.max(bytes, 1));
    // Address 0 is left out, so that no block is mistaken for "nothing".
    let [address, at] = [LINE, 0];
    while (at < this.#blocks.length && this.#blocks[at].start - address < size)
      address = this.#blocks[at++].end;
    const end = address + size;
    if (end > this.limit) {
      throw new MemoryError(
        `arena: a block of ${bytes} bytes does not fit beside the ${this.used} in use; the limit is ${this.limit}`,
      );
    }
    this.#growTo(end);
    this.#top = Math.max(this.#top, end);
    this.#blocks.splice(at, 0, { start: address, end });
    return address;
  }

  /** Takes a block back. */
  free(address: number): void {
    const at = this.#blocks.findIndex(({ start }) => start === address);
    if (at < 0) throw new RangeError(`arena: no block begins at ${address}`);
    this.#blocks.splice(at, 1);
  }

  #growTo(end: number): void {
    const { byteLength } = this.memory.buffer;
    if (end <= byteLength) return;
    const needed = Math.ceil(end / PAGE) * PAGE;
    // Twice the size at each growth, so that there are few of them; no more than needed where that is not granted.
    const isGranted = [Math.min(this.limit, Math.max(needed, 2 * byteLength)), needed].some((wanted) => {
      try {
        this.memory.grow((wanted - byteLength) / PAGE);
        return true;
      } catch {
        return false;
      }
    });
    if (!isGranted) {
      throw new MemoryError(
        `arena: the host does not grant ${needed} bytes; it granted ${byteLength} so far`,
      );
    }
    this.#buffers.add(this.memory.buffer);
  }

  /** Whether an array lives here. */
  holds(array: ArrayBufferView): boolean {
    return this.#buffers.has(array.buffer);
  }

  /** Copies an array to an address. */
  write(address: number, array: ArrayBufferView): void {
    bytesOf(this.memory.buffer, address, array.byteLength).set(
      bytesOf(array.buffer, array.byteOffset, array.byteLength),
    );
  }

  /** Copies what lies at an address into an array. */
  read(address: number, array: ArrayBufferView): void {
    bytesOf(array.buffer, array.byteOffset, array.byteLength).set(
      bytesOf(this.memory.buffer, address, array.byteLength),
    );
  }
}

const bytesOf = (buffer: ArrayBufferLike, start: number, length: number): Uint8Array =>
  new Uint8Array(buffer, start, length);
