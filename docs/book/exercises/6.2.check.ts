import { backward, groupNorm, ones, parameter, tensor, zeros } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { gradientOfNormalise } from "./6.2.ts";

export function check(answer: typeof gradientOfNormalise): void {
  for (const [values, g, epsilon] of [
    [[58, 45, 42, 52, 58], [0, 0, 1, 0, 0], 0],
    [[1, 2, 4, -3], [0.5, -1, 2, 0.25], 0.001],
    [[0.1, 0.2], [3, 1], 1],
  ] as const) {
    const x = parameter(tensor([...values], [1, values.length, 1]));
    backward(
      groupNorm(x, ones([1]), zeros([1]), { groups: 1, epsilon }),
      tensor([...g], [1, values.length, 1]),
    );
    expectNumbers(`the gradient for x = [${values}], g = [${g}]`, answer(values, g, epsilon), x.grad!, 1e-4);
  }
}
