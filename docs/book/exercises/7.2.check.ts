import { backward, conv2d, ones, parameter, slice, sum, type Tensor } from "@saunet/core";
import { expectNumber } from "../../../scripts/book/expect.ts";
import type { receptiveField } from "./7.2.ts";

/** By the engine: which pixels of a row of ones get a gradient from one number in the middle. */
function measured(layers: readonly ("conv" | "pool")[]): number {
  const x = parameter(ones([1, 1, 256, 1]));
  let y: Tensor = x;
  // A mean of two stands for the pooling: a maximum has a gradient for one of its pixels only.
  for (const layer of layers)
    y =
      layer === "conv"
        ? conv2d(y, ones([1, 3, 1, 1]))
        : conv2d(y, ones([1, 2, 1, 1]), undefined, { stride: [1, 2], padding: "valid" });
  const middle = Math.floor(y.shape[2] / 2);
  backward(sum(slice(y, [0, 0, middle, 0], [1, 1, 1, 1])));
  return x.grad!.filter((gradient) => gradient !== 0).length;
}

export function check(answer: typeof receptiveField): void {
  for (const layers of [
    ["conv"],
    ["conv", "conv"],
    ["conv", "pool", "conv"],
    ["conv", "conv", "pool", "conv", "conv", "pool", "conv", "conv", "pool", "conv", "conv"],
  ] as const)
    expectNumber(`receptiveField([${layers}])`, answer(layers), measured(layers));
}
