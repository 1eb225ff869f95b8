import { groupNorm, ones, tensor, zeros } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { normalise } from "./6.1.ts";

export function check(answer: typeof normalise): void {
  for (const [x, epsilon] of [
    [[58, 45, 42, 52, 58], 0],
    [[1, 2, 4], 0.001],
    [[7, 7], 0.001],
  ] as const) {
    const wanted = groupNorm(tensor([...x], [1, x.length, 1]), ones([1]), zeros([1]), { groups: 1, epsilon });
    expectNumbers(`normalise([${x}], ${epsilon})`, answer(x, epsilon), wanted.data);
  }
}
