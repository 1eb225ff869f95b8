import { describe, expect, it } from "vitest";
import { syntheticBatches } from "./training-pictures.ts";

const SEED = 3;
const sample = ({ x, target }: { x: Float32Array; target: Float32Array }) => [
  x.length,
  ...x.filter((_, i) => i % 997 === 0),
  ...target.filter((_, i) => i % 97 === 0),
];

describe("syntheticBatches", () => {
  it("gives a step the same batch, whatever came before", () => {
    const inOrder = syntheticBatches(SEED, 4, 32);
    const batches = Array.from({ length: 9 }, (_, step) => sample(inOrder(step)));
    const jumping = syntheticBatches(SEED, 4, 32);
    for (const step of [8, 3, 4]) expect(sample(jumping(step))).toEqual(batches[step]);
    expect(batches[1]).not.toEqual(batches[0]);
  });
});
