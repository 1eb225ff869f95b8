import { syntheticFundus } from "@saunet/data";
import { f1ByThreshold } from "@saunet/model";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { bestThreshold } from "./13.1.ts";

export function check(answer: typeof bestThreshold): void {
  expectNumber("bestThreshold([0.15, 0.85, 0.35], [0, 1, 1])", answer([0.15, 0.85, 0.35], [0, 1, 1]), 0.2);
  for (const seed of [2, 3, 4]) {
    const { image, vessels } = syntheticFundus({ seed, width: 96, height: 96 });
    // The threshold of a sum of bytes is met exactly, however the tenths are rounded.
    const probability = Float32Array.from(vessels.data, (_, i) => 1 - (image.data[3 * i + 1] + 0.5) / 256);
    const f1 = f1ByThreshold({ probability, truth: vessels.data });
    const steps = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const wanted = steps.reduce((best, step) => (f1[100 * step] > f1[100 * best] ? step : best), 1);
    expectNumber(
      `the best threshold of synthetic eye ${seed}`,
      answer(probability, vessels.data),
      wanted / 10,
    );
  }
}
