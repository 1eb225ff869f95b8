import { expectNumber } from "../../../scripts/book/expect.ts";
import type { quotient } from "./4.3.ts";

export function check(answer: typeof quotient): void {
  expectNumber(
    "the quotient of x² at 3",
    answer((x) => x * x, 3, 0.5),
    6,
  );
  expectNumber("the quotient of sin at 0", answer(Math.sin, 0, 1e-3), 1);
  expectNumber(
    "the quotient of x³ at 1 with steps of 0.5",
    answer((x) => x ** 3, 1, 0.5),
    3.25,
  );
}
