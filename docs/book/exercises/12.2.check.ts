import { planArena } from "@saunet/core/kernels";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { mostAlive } from "./12.2.ts";

export function check(answer: typeof mostAlive): void {
  expectNumber("mostAlive([])", answer([]), 0);
  for (let seed = 1; seed <= 20; seed++) {
    const buffers = Array.from({ length: 12 }, (_, i) => {
      const first = (seed * 7 + i * 5) % 11;
      return { bytes: 64 * (1 + ((seed + i * i) % 9)), first, last: first + ((seed + 3 * i) % 5) };
    });
    expectNumber(`mostAlive of example ${seed}`, answer(buffers), planArena(buffers).lowerBound);
  }
}
