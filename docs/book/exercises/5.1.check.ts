import { convTranspose2d, tensor } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { gradientOfInput } from "./5.1.ts";

export function check(answer: typeof gradientOfInput): void {
  for (const [gy, w] of [
    [
      [1, 0.5, 0],
      [1, -2, 1],
    ],
    [
      [3, -1, 2, 5],
      [0.5, 4],
    ],
  ]) {
    const wanted = convTranspose2d(
      tensor(gy, [1, 1, gy.length, 1]),
      tensor(w, [1, w.length, 1, 1]),
      undefined,
      { padding: "valid" },
    );
    expectNumbers(`the gradient of x for gy = [${gy}], w = [${w}]`, answer(gy, w), wanted.data);
  }
}
