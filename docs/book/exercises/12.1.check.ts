import { addForward } from "@saunet/core/kernels";
import { commute } from "../../../packages/wasm/src/fusions/rewrite.ts";
import type { mayChangePlaces } from "./12.1.ts";

export function check(answer: typeof mayChangePlaces): void {
  // Every pair of sums out = a + b over three buffers, as the engine judges it.
  const three = [0, 1, 2];
  const sums = three.flatMap((out) => three.flatMap((a) => three.map((b) => ({ out, a, b }))));
  const callOf = (buffers: { out: number; a: number; b: number }) =>
    ({ kernel: addForward, buffers, dims: undefined }) as unknown as Parameters<typeof commute>[0];
  for (const first of sums)
    for (const second of sums) {
      const [one, other] = [first, second].map(({ out, a, b }) => ({ reads: [a, b], writes: [out] }));
      const wanted = commute(callOf(first), callOf(second));
      const came: unknown = answer(one, other);
      if (came !== wanted)
        throw new Error(
          `for ${JSON.stringify(one)} and ${JSON.stringify(other)} it must be ${wanted} but is ${String(came)}`,
        );
    }
}
