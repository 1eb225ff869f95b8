import { randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { smallFundus } from "./testing.ts";
import { nextBatch, type Picture, splitOff, syntheticData } from "./training-data.ts";

function pictures(count: number): Picture[] {
  const { image, vessels, fieldOfView } = smallFundus(1);
  return Array.from({ length: count }, (_, i) => ({
    id: `${i}`.padStart(2, "0"),
    photograph: image,
    vessels,
    fieldOfView,
  }));
}

const idsOf = (kept: readonly Picture[]) => kept.map(({ id }) => id);

describe("images kept back", () => {
  it.each([
    [2, undefined, 1],
    [20, undefined, 2],
    [21, undefined, 3],
    [20, 5, 5],
  ])("of %i images, %s asked for: %i, and never trained on", (count, asked, kept) => {
    const { training, validation, pick } = splitOff(pictures(count), asked, 7);
    expect(validation).toHaveLength(kept);
    expect([...training, ...idsOf(validation)].sort()).toEqual(idsOf(pictures(count)));
    const random = randomState(1);
    const picked = new Set(Array.from({ length: 50 * count }, () => pick(random).id));
    expect([...picked].sort()).toEqual(training);
  });

  it("are chosen by the seed", () => {
    const choose = (seed: number) => idsOf(splitOff(pictures(20), 2, seed).validation).join();
    expect(choose(1)).toBe(choose(1));
    expect(new Set([1, 2, 3, 4].map(choose)).size).toBeGreaterThan(1);
  });
});

describe("synthetic pictures", () => {
  it("keep coming, differ, and leave the validation's and the built-in one out", () => {
    const { validation, pick } = syntheticData(48, 3, 1);
    const random = randomState(1);
    const picked = new Set(Array.from({ length: 60 }, () => pick(random).id));
    expect(picked.size).toBeGreaterThan(10);
    for (const { id } of validation) expect(picked).not.toContain(id);
    for (const id of picked) expect(Number(id.replace("synthetic-", ""))).toBeGreaterThanOrEqual(1000);
  });
});

describe("a batch", () => {
  const data = splitOff(pictures(3), 1, 1);

  it("holds crops that show vessels", () => {
    const { x, target } = nextBatch(data, 5, 16, randomState(2));
    expect([x.shape, target.shape]).toEqual([
      [5, 16, 16, 3],
      [5, 16, 16, 1],
    ]);
    expect(x.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(new Set(target.data)).toEqual(new Set([0, 1]));
    for (let n = 0; n < 5; n++) expect(target.data.subarray(n * 256, (n + 1) * 256)).toContain(1);
  });

  it("is never the same twice in a run", () => {
    const random = randomState(2);
    expect(nextBatch(data, 1, 16, random).x.data).not.toEqual(nextBatch(data, 1, 16, random).x.data);
  });
});
