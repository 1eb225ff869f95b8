import { expect, it } from "vitest";
import { makeInputs, readInputs, shippedWeights, writeInputs } from "./inputs.ts";

it("come out of their file as they went in, for training without DropBlock", () => {
  const made = makeInputs(32, 40);
  expect([made.image.shape, made.target.shape]).toEqual([
    [1, 32, 40, 3],
    [1, 32, 40, 1],
  ]);
  const [low, high] = [Math.min(...made.image.data), Math.max(...made.image.data)];
  expect([low >= 0, high > 0.5, high <= 1]).toEqual([true, true, true]);
  expect(new Set(made.target.data)).toEqual(new Set([0, 1]));
  const bytes = writeInputs(made);
  const { config } = shippedWeights();
  for (const discipline of ["model", "train"] as const) {
    const read = readInputs(bytes, discipline);
    expect(read.image).toEqual(made.image);
    expect(read.target).toEqual(made.target);
    expect(read.parameters).toEqual(made.parameters);
    const { dropBlock, ...others } = read.config;
    const { dropBlock: shipped, ...same } = config;
    expect(others).toEqual(same);
    expect(dropBlock).toEqual(discipline === "train" ? { rate: 0, size: 7 } : shipped);
  }
});
