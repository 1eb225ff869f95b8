import { sigmoidCrossEntropy, tensor } from "@saunet/core";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { crossEntropy } from "./8.1.ts";

export function check(answer: typeof crossEntropy): void {
  for (const logit of [-1000, -40, -1, 0, 0.5, 30, 1000])
    for (const target of [0, 0.25, 1]) {
      const wanted = sigmoidCrossEntropy(tensor([logit]), tensor([target])).item();
      expectNumber(`crossEntropy(${logit}, ${target})`, answer(logit, target), wanted);
    }
}
