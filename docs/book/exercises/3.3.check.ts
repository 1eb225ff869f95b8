import { conv2dDims } from "@saunet/core/kernels";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { multiplications } from "./3.3.ts";

export function check(answer: typeof multiplications): void {
  for (const [height, width, C, O] of [
    [5, 5, 1, 1],
    [592, 592, 3, 16],
    [148, 96, 32, 48],
  ]) {
    const { flops } = conv2dDims("exercise", [1, height, width, C], [3, 3, C, O]);
    expectNumber(`multiplications(${height}, ${width}, ${C}, ${O})`, answer(height, width, C, O), flops / 2);
  }
}
