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

  it("places the largest first, so that small ones do not stand in its way", () => {
    const buffers = [
      { bytes: 64, first: 0, last: 0 },
      { bytes: 64, first: 0, last: 1 },
      { bytes: 128, first: 1, last: 1 },
    ];
    expect(planArena(buffers)).toMatchObject({ offsets: [0, 128, 0], bytes: 192, lowerBound: 192 });
  });

  it("cannot do with less than what is alive at one time", () => {
    fc.assert(
      fc.property(lifetimes, (buffers) => {
        const alive = Array.from({ length: 31 }, (_, moment) =>
          buffers
            .filter(({ first, last }) => first <= moment && moment <= last)
            .reduce((sum, { bytes }) => sum + bytes, 0),
        );
        expect(planArena(buffers, 1).lowerBound).toBe(Math.max(...alive));
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
