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
});
