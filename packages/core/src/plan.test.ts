import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Lifetime, planArena } from "./plan.ts";

const lifetimes = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 500 }), first: fc.nat(20), length: fc.nat(8) })
    .map(({ bytes, first, length }): Lifetime => ({ bytes, first, last: first + length })),
  { maxLength: 40 },
);

describe("planArena", () => {
  // The slow, obviously right way: at every moment, mark every byte that is in use and find none marked twice.
  it("never lets two buffers that are alive together share a byte", () => {
    fc.assert(
      fc.property(lifetimes, (buffers) => {
        const { offsets, bytes } = planArena(buffers, 8);
        for (let moment = 0; moment <= 30; moment++) {
          const used = new Uint8Array(bytes);
          let shared = 0;
          buffers.forEach(({ bytes: size, first, last }, i) => {
            if (moment < first || moment > last) return;
            expect(offsets[i] % 8).toBe(0);
            for (let at = offsets[i]; at < offsets[i] + size; at++) {
              shared += used[at];
              used[at] = 1;
            }
          });
          expect(shared).toBe(0);
        }
      }),
    );
  });

  it("needs at least the lower bound and at most the sum", () => {
    fc.assert(
      fc.property(lifetimes, (buffers) => {
        const { bytes, lowerBound } = planArena(buffers, 1);
        expect(bytes).toBeGreaterThanOrEqual(lowerBound);
        expect(bytes).toBeLessThanOrEqual(buffers.reduce((sum, buffer) => sum + buffer.bytes, 0));
      }),
    );
  });
});
