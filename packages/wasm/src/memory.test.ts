import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arena, MemoryError } from "./memory.ts";

describe("Arena", () => {
  it.each([true, false])(
    "gives out blocks that never overlap and takes them all back, shared %s",
    (shared) => {
      const arena = new Arena(shared, 2 ** 26);
      const steps = fc.array(fc.record({ bytes: fc.nat(200_000), free: fc.boolean(), which: fc.nat() }), {
        maxLength: 60,
      });
      fc.assert(
        fc.property(steps, (list) => {
          const out: { start: number; end: number }[] = [];
          for (const { bytes, free, which } of list) {
            if (free && out.length > 0) {
              const [{ start }] = out.splice(which % out.length, 1);
              arena.free(start);
            } else {
              const start = arena.reserve(bytes);
              expect(start % 64).toBe(0);
              expect(out.every((block) => start + bytes <= block.start || start >= block.end)).toBe(true);
              out.push({ start, end: start + bytes });
            }
          }
          for (const { start } of out) arena.free(start);
          expect(arena.used).toBe(0);
        }),
        { numRuns: 50 },
      );
      // Whole again: one block of almost everything fits.
      arena.free(arena.reserve(2 ** 26 - 64));
    },
  );

  it("says what does not fit", () => {
    const arena = new Arena(false, 2 ** 24);
    arena.reserve(1000);
    expect(() => arena.reserve(2 ** 24)).toThrow(MemoryError);
    expect(() => arena.reserve(2 ** 24)).toThrow(
      "arena: a block of 16777216 bytes does not fit beside the 1024 in use; the limit is 16777216",
    );
    expect(() => arena.free(5)).toThrow("arena: no block begins at 5");
  });

  it("keeps arrays when a shared memory grows, and knows them as its own", () => {
    const arena = new Arena(true, 2 ** 26);
    const early = new Float32Array(arena.memory.buffer, arena.reserve(16), 4);
    early[0] = 7;
    arena.free(arena.reserve(2 ** 25));
    const late = new Float32Array(arena.memory.buffer, early.byteOffset, 4);
    expect(late[0]).toBe(7);
    expect([early, late, new Float32Array(4)].map((array) => arena.holds(array))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("has idle leases give way, the one that was let go first, and no other", () => {
    const arena = new Arena(false, 2 ** 24);
    const quarter = 2 ** 22 - 64;
    const [held, early, late] = [0, 1, 2].map(() => arena.lease(quarter));
    late.letGo();
    early.letGo();
    early.hold();
    early.letGo();
    const fourth = arena.reserve(quarter);
    expect([held.isFree, early.isFree, late.isFree]).toEqual([false, false, false]);
    expect(arena.reserve(quarter)).toBe(late.address);
    expect([held.isFree, early.isFree, late.isFree]).toEqual([false, false, true]);
    arena.reserve(quarter);
    expect(() => arena.reserve(quarter)).toThrow(MemoryError);
    expect([held.isFree, early.isFree]).toEqual([false, true]);
    // What is free already stays so, however often it is let go or given back.
    for (const lease of [early, late]) {
      lease.letGo();
      lease.end();
    }
    arena.free(fourth);
    expect(arena.reserve(quarter)).toBe(fourth);
  });

  it("halves what it may grow to until the host agrees, and passes on other errors", () => {
    const host = WebAssembly as { Memory: typeof WebAssembly.Memory };
    const { Memory } = host;
    /** The numbers of pages that an arena asks for where the host has this to say of them. */
    const askedOf = (answer: (maximum: number) => Error | undefined) => {
      const asked: number[] = [];
      host.Memory = class extends Memory {
        constructor(descriptor: WebAssembly.MemoryDescriptor) {
          const { maximum = 0 } = descriptor;
          asked.push(maximum);
          const error = answer(maximum);
          if (error !== undefined) throw error;
          super(descriptor);
        }
      };
      try {
        return { asked, limit: new Arena(true, 2 ** 29).limit };
      } catch (error) {
        return { asked, error };
      } finally {
        host.Memory = Memory;
      }
    };
    const [much, other] = [new RangeError("too much"), new TypeError("not here")];
    expect(askedOf((maximum) => (maximum > 2000 ? much : undefined))).toEqual({
      asked: [8192, 4096, 2048, 1024],
      limit: 1024 * 65536,
    });
    expect(askedOf(() => much)).toEqual({ asked: expect.arrayContaining([8192, 256]), error: much });
    expect(askedOf(() => other)).toEqual({ asked: [8192], error: other });
  });

  it("knows how far it was ever used", () => {
    const arena = new Arena(false, 2 ** 26);
    expect(arena.touched).toBe(0);
    const address = arena.reserve(1000);
    arena.free(arena.reserve(2 ** 20));
    expect(arena.touched).toBe(address + 1024 + 2 ** 20);
  });

  it("asks for no more than it needs where the host does not grant twice as much", () => {
    const arena = new Arena(true, 2 ** 28);
    const { memory } = arena;
    const grow = memory.grow.bind(memory);
    const asked: number[] = [];
    memory.grow = (pages) => {
      asked.push(pages);
      if (pages > 200) throw new RangeError("no");
      return grow(pages);
    };
    expect(arena.reserve(2 ** 24 + 1)).toBe(64);
    expect(asked).toEqual([256, 1]);
    expect(() => arena.reserve(2 ** 25)).toThrow(
      /^arena: the host does not grant \d+ bytes; it granted 16842752 so far$/,
    );
  });
});
