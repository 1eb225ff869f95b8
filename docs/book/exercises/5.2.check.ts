import { backward, conv2d, parameter, tensor, zeros } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { gradientOfFilter } from "./5.2.ts";

export function check(answer: typeof gradientOfFilter): void {
  for (const [x, gy] of [
    [
      [58, 45, 42, 52, 58],
      [1, 0.5, 0],
    ],
    [
      [1, -1, 2, 3],
      [2, 4, -1],
    ],
  ]) {
    const w = parameter(zeros([1, x.length - gy.length + 1, 1, 1]));
    backward(
      conv2d(tensor(x, [1, 1, x.length, 1]), w, undefined, { padding: "valid" }),
      tensor(gy, [1, 1, gy.length, 1]),
    );
    expectNumbers(`the gradient of w for x = [${x}], gy = [${gy}]`, answer(x, gy), w.grad!);
  }
}
