// The arena: one WebAssembly memory in which all kernels and all threads work, given out from bottom to top.
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

/** Work that does not fit in the memory that the host grants. */
export class MemoryError extends RangeError {
  override readonly name = "MemoryError";
}

/** One WebAssembly memory, given out from bottom to top. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Most bytes that it may grow to: what was asked for, or what the host granted of it. */
  readonly limit: number;
  /** Growing a shared memory makes a new buffer object over the same bytes; arrays keep the one they came with. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();
  #top = LINE;

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

  /** How far the arena is given out. {@link release} takes it back to here. */
  get mark(): number {
    return this.#top;
  }

  /** Takes back everything that was given out since `mark` was read. */
  release(mark: number): void {
    this.#top = mark;
  }

  /**
   * Gives out memory.
   *
   * @returns its address, a multiple of 64
   * @throws MemoryError where it would pass the limit
   */
  reserve(bytes: number): number {
    const address = this.#top;
    const end = address + alignToLine(bytes);
    const { byteLength } = this.memory.buffer;
    if (end > byteLength) {
      if (end > this.limit) {
        throw new MemoryError(
          `arena: ${bytes} bytes more than the ${address} in use do not fit into the limit of ${this.limit}`,
        );
      }
      // Twice the size at each growth, so that there are few of them.
      const wanted = Math.min(this.limit, Math.max(Math.ceil(end / PAGE) * PAGE, 2 * byteLength));
      try {
        this.memory.grow((wanted - byteLength) / PAGE);
      } catch {
        throw new MemoryError(`arena: the host does not grant ${wanted} bytes; ${byteLength} are in use`);
      }
      this.#buffers.add(this.memory.buffer);
    }
    this.#top = end;
    return address;
  }

  /** Whether an array lives here. */
  holds(array: ArrayBufferView): boolean {
    return this.#buffers.has(array.buffer);
  }

  /** Numbers at an address. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  /** Copies an array to an address. */
  write(address: number, array: ArrayBufferView): void {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    new Uint8Array(this.memory.buffer, address, array.byteLength).set(bytes);
  }

  /** Copies what lies at an address into an array. */
  read(address: number, array: ArrayBufferView): void {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    bytes.set(new Uint8Array(this.memory.buffer, address, array.byteLength));
  }
}
