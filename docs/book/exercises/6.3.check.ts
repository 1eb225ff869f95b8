import { backward, parameter, tanh, tensor } from "@saunet/core";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { slopeOfTanh } from "./6.3.ts";

export function check(answer: typeof slopeOfTanh): void {
  for (const value of [-2, -0.5, 0, 0.3, 4]) {
    const x = parameter(tensor(value));
    backward(tanh(x));
    expectNumber(`the slope of tanh at ${value}`, answer(value), x.grad![0], 1e-5);
  }
}
