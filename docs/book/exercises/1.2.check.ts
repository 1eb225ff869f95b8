import { syntheticFundus } from "@saunet/data";
import { evaluate } from "@saunet/model";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { f1Of } from "./1.2.ts";

export function check(answer: typeof f1Of): void {
  expectNumber("the F1 of a perfect answer", answer([0.9, 0.1, 0.5], [1, 0, 1]), 1);
  expectNumber("the F1 of an answer that finds nothing", answer([0.4, 0.1], [1, 0]), 0);
  expectNumber("the F1 where there is nothing to find, and nothing is marked", answer([0.4, 0.1], [0, 0]), 1);
  const { image, vessels } = syntheticFundus({ seed: 3, width: 96, height: 96 });
  const probability = Float32Array.from(vessels.data, (_, i) => 1 - image.data[3 * i + 1] / 255);
  const fieldOfView = vessels.data.map(() => 1);
  const { f1 } = evaluate({ probability, truth: vessels.data, fieldOfView });
  expectNumber("the F1 of a photograph whose dark pixels are marked", answer(probability, vessels.data), f1);
}
