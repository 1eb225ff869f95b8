import { expectNumber } from "../../../scripts/book/expect.ts";
import type { cosineRate } from "./9.2.ts";

export function check(answer: typeof cosineRate): void {
  expectNumber("the first rate", answer(0, 100, 0.002, 0.00001), 0.002);
  expectNumber("the rate in the middle", answer(50, 100, 0.002, 0), 0.001);
  expectNumber("the last rate", answer(100, 100, 0.002, 0.00001), 0.00001, 1e-9);
  expectNumber("the rate after a third", answer(100, 300, 4, 0), 3);
}
