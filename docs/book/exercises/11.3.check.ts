import { winograd } from "../../../packages/wasm/src/kernels/conv/bilinear.ts";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { saving } from "./11.3.ts";

export function check(answer: typeof saving): void {
  for (const [m, r] of [
    [2, 3],
    [4, 3],
    [6, 3],
    [2, 5],
    [1, 3],
  ]) {
    const points = Array.from({ length: m + r - 2 }, (_, i) => i);
    const { outputs, taps, points: products } = winograd(m, r, points);
    expectNumber(`saving(${m}, ${r})`, answer(m, r), (outputs * taps) ** 2 / products ** 2);
  }
}
