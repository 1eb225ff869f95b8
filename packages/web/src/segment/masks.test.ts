// Which mask counts for which photograph, whatever order a person drops, gives and takes them in.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { change, type Item, items, notice, type Result, resultOf } from "./items.ts";
import {
  addMask,
  chooseMask,
  forgetPhotograph,
  giveMask,
  type MaskFile,
  maskInUse,
  masks,
  masksOf,
  pairMasks,
  removeMask,
} from "./masks.ts";

vi.mock("./view.ts", () => ({ view: { judge: async (found: object) => ({ judged: found }) } }));

const blob = (text: string) => new Blob([text]);
const photograph = (id: number, fileName: string, width = 4, height = 3): Item => ({
  ...{ id, name: fileName, fileName, file: blob(fileName), size: { width, height } },
  progress: { kind: "waiting" },
});
const mask = (id: number, name: string, kind: MaskFile["kind"] = "vessels", width = 4, height = 3) => ({
  ...{ id, name, kind, width, height },
  mask: blob(name),
});
const inUse = (id: number, kind: MaskFile["kind"] = "vessels") => maskInUse(id, kind)?.name;
const reasonOf = (id: number) => masks.value.find((each) => each.id === id)?.reason;
const settled = () => new Promise((resolve) => setImmediate(resolve));

function finish(id: number): void {
  const detected = blob("field");
  const result = { probability: blob("p"), field: detected, detected, tally: {}, doubts: [] };
  change(id, { progress: { kind: "done", result: result as unknown as Result } });
}

beforeEach(() => {
  // What was chosen for them before.
  for (const id of [1, 2, 3]) forgetPhotograph(id);
  [items.value, masks.value, notice.value] = [
    [photograph(1, "eye.png"), photograph(2, "ear.png")],
    [],
    undefined,
  ];
});

describe("a mask", () => {
  it("goes to the photograph that it is named like, the first observer's counts", async () => {
    await addMask(mask(11, "eye_2ndHO.png"));
    await addMask(mask(12, "eye_1stHO.png"));
    await addMask(mask(13, "eye_mask.png", "field"));
    expect(masksOf(1, "vessels").map(({ id }) => id)).toEqual([12, 11]);
    expect([inUse(1), inUse(1, "field"), inUse(2)]).toEqual(["eye_1stHO.png", "eye_mask.png", undefined]);
    chooseMask(1, "vessels", 11);
    expect([inUse(1), inUse(1, "field")]).toEqual(["eye_2ndHO.png", "eye_mask.png"]);
    chooseMask(1, "vessels", null);
    expect([inUse(1), inUse(1, "field")]).toEqual([undefined, "eye_mask.png"]);
    chooseMask(1, "vessels", 11);
    await removeMask(11);
    // The choice is gone with its mask.
    expect(inUse(1)).toBe("eye_1stHO.png");
  });

  it("waits for its photograph, and says why", async () => {
    items.value = [photograph(2, "ear.png"), { ...photograph(1, "eye.png"), size: undefined as never }];
    await addMask(mask(11, "eye-truth.png"));
    expect([inUse(1), reasonOf(11)]).toEqual([undefined, "no photograph here has a name like it"]);
    change(1, { size: { width: 4, height: 3 } });
    await pairMasks();
    expect([inUse(1), reasonOf(11)]).toEqual(["eye-truth.png", undefined]);
  });

  it("goes where a person gives it, and nothing gives back what was put aside", async () => {
    await addMask(mask(11, "eye-truth.png"), 2);
    expect([inUse(1), inUse(2)]).toEqual([undefined, "eye-truth.png"]);
    await giveMask(11, 1);
    expect([inUse(1), inUse(2)]).toEqual(["eye-truth.png", undefined]);
    await giveMask(11);
    expect([inUse(1), reasonOf(11)]).toEqual([undefined, "it was put aside"]);
    await pairMasks();
    expect(inUse(1)).toBeUndefined();
    await giveMask(11, 1);
    expect([inUse(1), reasonOf(11)]).toEqual(["eye-truth.png", undefined]);
    await giveMask(99, 2);
    expect(masks.value).toHaveLength(1);
    forgetPhotograph(1);
    expect(masks.value).toEqual([]);
  });

  it("counts on for photograph 11 when photograph 1 is taken out, whose own choices go", async () => {
    items.value = [...items.value, photograph(11, "nose.png")];
    for (const [id, photograph] of [
      [21, 1],
      [22, 1],
      [31, 11],
      [32, 11],
    ])
      await addMask(mask(id, `m${id}.png`), photograph);
    chooseMask(1, "vessels", 22);
    chooseMask(11, "vessels", 32);
    forgetPhotograph(1);
    expect(inUse(11)).toBe("m32.png");
    // Another one under the same number starts without choices.
    masks.value = [...masks.value, ...[21, 22].map((id) => ({ ...mask(id, `m${id}.png`), photograph: 1 }))];
    expect(inUse(1)).toBe("m21.png");
    forgetPhotograph(11);
  });

  it("that a person gives counts before those that came by name", async () => {
    await addMask(mask(11, "a-truth.png"), 1);
    await addMask(mask(12, "eye-truth.png"));
    expect(inUse(1)).toBe("a-truth.png");
    await giveMask(12, 1);
    expect(inUse(1)).toBe("eye-truth.png");
  });

  it.each([
    [5, 3],
    [4, 4],
  ])(
    "of %d x %d pixels is not given to a photograph of others, and stays where it was",
    async (width, height) => {
      await addMask(mask(11, "eye-truth.png"));
      masks.value = masks.value.map((each) => ({ ...each, width, height }));
      await giveMask(11, 2);
      const reason = `it has ${width} × ${height} pixels, ear.png has 4 × 3`;
      expect([inUse(1), notice.value]).toEqual(["eye-truth.png", `eye-truth.png is not used: ${reason}.`]);
      await addMask({ ...mask(12, "x.png"), width, height }, 2);
      expect([inUse(2), reasonOf(12)]).toEqual([undefined, reason]);
      items.value = [...items.value, { ...photograph(3, "new.png"), size: undefined as never }];
      await giveMask(12, 3);
      expect(reasonOf(12)).toBe(`it has ${width} × ${height} pixels, new.png has not been read`);
    },
  );
});

describe("a result", () => {
  const judged = (id: number) => {
    const result = resultOf(items.value.find((item) => item.id === id));
    return { truth: result?.truth, field: result?.field, detected: result?.detected };
  };

  it("is counted anew with each mask that comes or goes, the field of view as it was detected without one", async () => {
    finish(1);
    finish(2);
    const { detected } = judged(1);
    await addMask(mask(11, "eye-truth.png"));
    await addMask(mask(12, "eye_fov.png", "field"));
    const [truth, field] = masks.value.map((each) => each.mask);
    expect(judged(1)).toEqual({ truth, field, detected });
    expect(resultOf(items.value[0])!.tally).toMatchObject({ judged: { truth, field } });
    chooseMask(1, "field", null);
    await settled();
    expect(judged(1)).toEqual({ truth, field: detected, detected });
    await giveMask(11, 2);
    expect(judged(1).truth).toBeUndefined();
    expect(judged(2).truth).toBe(truth);
    await removeMask(11);
    expect(judged(2).truth).toBeUndefined();
  });

  it("is left alone where its masks stay the same, or another has taken its place", async () => {
    await addMask(mask(11, "eye-truth.png"));
    finish(1);
    chooseMask(1, "vessels", 11);
    await settled();
    const before = resultOf(items.value[0]);
    expect(before?.truth).toBe(masks.value[0].mask);
    chooseMask(1, "field", null);
    await settled();
    expect(resultOf(items.value[0])).toBe(before);
    chooseMask(1, "vessels", null);
    finish(1);
    const later = resultOf(items.value[0]);
    await settled();
    expect(resultOf(items.value[0])).toBe(later);
  });
});
