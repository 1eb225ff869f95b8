import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { syntheticSeed } from "./batches.ts";
import { WorkError } from "./errors.ts";
import { keeper, shortRun, smallFundus, write } from "./testing.ts";
import { openTrainingData, splitOff, syntheticData } from "./training-data.ts";

const named = (...ids: string[]) => ids.map((id) => ({ id }));
const numbered = (count: number) =>
  named(...Array.from({ length: count }, (_, i) => `${i}`.padStart(2, "0")));
const idsOf = (kept: readonly { id: string }[]) => kept.map(({ id }) => id);

describe("images kept back", () => {
  it.each([
    [2, undefined, 1],
    [20, undefined, 2],
    [21, undefined, 3],
    [20, 5, 5],
  ])("of %i images, %s asked for: %i, and never trained on", (count, asked, kept) => {
    const { training, validation } = splitOff(numbered(count), asked, 7);
    expect(validation).toHaveLength(kept);
    expect([...idsOf(training), ...idsOf(validation)].sort()).toEqual(idsOf(numbered(count)));
  });

  it("are chosen by the seed", () => {
    const choose = (seed: number) => idsOf(splitOff(numbered(20), 2, seed).validation).join();
    expect(choose(1)).toBe(choose(1));
    expect(new Set([1, 2, 3, 4].map(choose)).size).toBeGreaterThan(1);
  });

  it("are both eyes of a person or none", () => {
    const eyes = named(...Array.from({ length: 10 }, (_, i) => [`Image_0${i}L`, `Image_0${i}R`]).flat());
    for (let seed = 0; seed < 10; seed++) {
      const { validation } = splitOff(eyes, 3, seed);
      const children = idsOf(validation).map((id) => id.slice(0, -1));
      expect([children.length, new Set(children).size]).toEqual([4, 2]);
    }
  });

  it("are a photograph as every observer drew it, or none", () => {
    const drawn = named(
      ...["01L", "01R", "02L", "02R"].flatMap((eye) => [`${eye}, drawn by a`, `${eye}, drawn by b`]),
    );
    const { training, validation } = splitOff(drawn, 1, 2);
    const person = (id: string) => id.slice(0, 2);
    expect(validation).toHaveLength(4);
    expect(new Set(idsOf(validation).map(person)).size).toBe(1);
    expect(idsOf(training).map(person)).not.toContain(person(validation[0].id));
  });

  it("leave something to train on", () => {
    expect(() => splitOff(named("01L", "01R"), 1, 1)).toThrow("2 training images: too few to keep 1 back");
  });
});

describe("synthetic pictures", () => {
  it("to validate with differ, and leave the built-in one out", () => {
    const { training, validation } = syntheticData(48, 3, 1);
    expect(training).toEqual([]);
    expect(new Set(idsOf(validation)).size).toBe(3);
    for (const id of idsOf(validation))
      expect(Number(id.replace("synthetic-", ""))).toBeGreaterThanOrEqual(1000);
    const trainedOn = new Set(Array.from({ length: 10_000 }, (_, number) => syntheticSeed(1, number)));
    for (const id of idsOf(validation)) expect(trainedOn).not.toContain(Number(id.replace("synthetic-", "")));
  });
});

describe("masks without a vessel", () => {
  /** Opens two photographs of which so many have vessels, the one that is kept back among them or not. */
  async function open(isEmpty: (id: string, kept: string) => boolean) {
    const here = await mkdtemp(join(tmpdir(), "saunet-empty-"));
    try {
      const kept = splitOff(named("a", "b"), 1, shortRun.seed).validation[0].id;
      for (const [i, id] of ["a", "b"].entries()) {
        const { image, vessels } = smallFundus(1 + i);
        const none = { ...vessels, data: new Uint8Array(vessels.data.length) };
        await write(join(here, "images", `${id}.png`), image);
        await write(join(here, "masks", `${id}.png`), isEmpty(id, kept) ? none : vessels);
      }
      const host = { stdout: keeper().stream, stderr: keeper().stream, cwd: here };
      const sets = [{ dataset: "folder", data: "." }] as const;
      const { validation } = await openTrainingData({ ...shortRun, sets, keepBack: 1 }, host);
      return [kept, idsOf(validation)];
    } finally {
      await rm(here, { recursive: true });
    }
  }

  it("are refused where all that are trained on are", async () => {
    await expect(open((id, kept) => id !== kept)).rejects.toThrow(
      new WorkError("no photograph to train on has a vessel in its mask"),
    );
  });

  it("are refused where all that are kept back are", async () => {
    await expect(open((id, kept) => id === kept)).rejects.toThrow(
      /^none of the photographs kept back \([ab]\) has a vessel in its mask, so they decide nothing; another --seed keeps others back$/,
    );
    const [kept, validation] = await open(() => false);
    expect(validation).toEqual([kept]);
  });
});
