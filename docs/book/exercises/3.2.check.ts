import { conv2d, zeros } from "@saunet/core";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { outputSize } from "./3.2.ts";

export function check(answer: typeof outputSize): void {
  for (const [size, taps, padding, stride] of [
    [5, 3, 0, 1],
    [5, 3, 1, 1],
    [592, 7, 3, 1],
    [8, 3, 1, 2],
    [9, 2, 0, 2],
    [10, 4, 2, 3],
  ]) {
    const y = conv2d(zeros([1, size, 1, 1]), zeros([taps, 1, 1, 1]), undefined, {
      padding: { top: padding, bottom: padding, left: 0, right: 0 },
      stride: [stride, 1],
    });
    expectNumber(
      `outputSize(${size}, ${taps}, ${padding}, ${stride})`,
      answer(size, taps, padding, stride),
      y.shape[1],
    );
  }
}
