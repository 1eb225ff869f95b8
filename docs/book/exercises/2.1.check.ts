import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { stridesOf } from "./2.1.ts";

export function check(answer: typeof stridesOf): void {
  expectNumbers("stridesOf([2, 3, 2])", answer([2, 3, 2]), [6, 2, 1]);
  expectNumbers("stridesOf([1, 592, 592, 3])", answer([1, 592, 592, 3]), [1051392, 1776, 3, 1]);
  expectNumbers("stridesOf([5])", answer([5]), [1]);
  expectNumbers("stridesOf([])", answer([]), []);
}
