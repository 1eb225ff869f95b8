import { expectNumber } from "../../../scripts/book/expect.ts";
import type { placeOf } from "./1.1.ts";

export function check(answer: typeof placeOf): void {
  expectNumber("placeOf(592, 0, 0, 0)", answer(592, 0, 0, 0), 0);
  expectNumber("placeOf(592, 0, 1, 2)", answer(592, 0, 1, 2), 5);
  expectNumber("placeOf(592, 396, 306, 1)", answer(592, 396, 306, 1), 704215);
  expectNumber("placeOf(7, 3, 2, 1)", answer(7, 3, 2, 1), 70);
}
