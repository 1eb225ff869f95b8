import { expectNumber } from "../../../scripts/book/expect.ts";
import type { timeOf } from "./12.3.ts";

export function check(answer: typeof timeOf): void {
  expectNumber("timeOf([])", answer([]), 0);
  expectNumber("timeOf([[5], [7]])", answer([[5], [7]]), 12);
  expectNumber(
    "timeOf([[5, 3], [2, 4]])",
    answer([
      [5, 3],
      [2, 4],
    ]),
    9,
  );
  expectNumber(
    "timeOf([[1, 1, 6], [2, 0, 2], [3, 3, 3]])",
    answer([
      [1, 1, 6],
      [2, 0, 2],
      [3, 3, 3],
    ]),
    11,
  );
}
