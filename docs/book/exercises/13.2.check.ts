import { expectNumber } from "../../../scripts/book/expect.ts";
import type { drawnMean } from "./13.2.ts";

export function check(answer: typeof drawnMean): void {
  const values = [0.8, 0.82, 0.7, 0.9];
  const drawing = (numbers: readonly number[]) => {
    let calls = 0;
    return { random: () => numbers[calls++ % numbers.length], count: () => calls };
  };
  const once = drawing([0, 0.3, 0.6, 0.99]);
  expectNumber("the mean where each value is drawn once", answer(values, once.random), 0.805);
  expectNumber("how often random is called for four values", once.count(), 4);
  expectNumber(
    "the mean of four times the last value",
    answer(values, () => 0.999999),
    0.9,
  );
  expectNumber("the mean of two values, twice each", answer(values, drawing([0.1, 0.55]).random), 0.75);
}
