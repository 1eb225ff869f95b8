import { backward, parameter, tensor } from "@saunet/core";
import { mccLoss } from "@saunet/model";
import { expectNumbers } from "../../../scripts/book/expect.ts";
import type { gradientOfMcc } from "./8.3.ts";

export function check(answer: typeof gradientOfMcc): void {
  const values = [-2, 0.5, 3, -1, 0.25];
  const truth = [0, 1, 1, 0, 0];
  const logits = parameter(tensor(values));
  backward(mccLoss(logits, tensor(truth)));
  const probability = values.map((x) => 1 / (1 + Math.exp(-x)));
  // The engine's gradient is of the loss and by the logits: the chain rule leads from one to the other.
  const wanted = probability.map((p, i) => -logits.grad![i] / (p * (1 - p)));
  expectNumbers("the gradient", answer(probability, truth), wanted, 1e-4);
}
