import { add, backward, mul, parameter, sub, tensor } from "@saunet/core";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { gradientOfTwo } from "./4.1.ts";

export function check(answer: typeof gradientOfTwo): void {
  for (const [w1, w2, x1, x2, t] of [
    [1, 2, 3, 4, 5],
    [-0.5, 0.25, 2, -3, 1],
  ]) {
    const weights = [parameter(tensor(w1)), parameter(tensor(w2))];
    const error = sub(add(mul(weights[0], x1), mul(weights[1], x2)), t);
    backward(mul(error, error));
    const wanted = weights.map(({ grad }) => grad![0]);
    expectNumbers(`gradientOfTwo(${w1}, ${w2}, ${x1}, ${x2}, ${t})`, answer(w1, w2, x1, x2, t), wanted);
  }
}
