import { tensor } from "@saunet/core";
import { mccLoss } from "@saunet/model";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { softMcc } from "./8.2.ts";

export function check(answer: typeof softMcc): void {
  expectNumber("the MCC of a perfect answer", answer([1, 0, 1], [1, 0, 1]), 1);
  expectNumber("the MCC of an inverted answer", answer([0, 1, 0], [1, 0, 1]), -1);
  const logits = [-2, 0.5, 3, -1, 0.25];
  const truth = [0, 1, 1, 0, 0];
  const wanted = 1 - mccLoss(tensor(logits), tensor(truth)).item();
  const probability = logits.map((x) => 1 / (1 + Math.exp(-x)));
  expectNumber("the MCC of five pixels", answer(probability, truth), wanted, 1e-5);
}
