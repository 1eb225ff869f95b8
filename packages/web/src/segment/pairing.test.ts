import { describe, expect, it } from "vitest";
import { distinct, type Named, pairOf } from "./pairing.ts";

const named = (id: number, fileName: string, width = 40, height = 30): Named => ({
  id,
  fileName,
  width,
  height,
});

describe("pairOf", () => {
  it.each([
    ["Image_01L.jpg", "Image_01L_1stHO.png", "Image_01R_1stHO.png"],
    ["21_training.tif", "21_manual1.gif", "22_manual1.gif"],
    ["21_training.tif", "21_training_mask.gif", "2_training_mask.gif"],
    ["01_h.jpg", "01_h.tif", "01_dr.tif"],
    ["01_h.jpg", "01_h_mask.tif", "011_h_mask.tif"],
    ["im0001.ppm", "im0001.ah.ppm", "im0002.ah.ppm"],
    ["im0001.ppm.gz", "im0001.ah.ppm.gz", "im0002.ah.ppm.gz"],
    ["1_A.png", "1_A.png", "1_G.png"],
    ["eye.png", "eye-truth.png", "eyes-truth.png"],
    // Another number is another eye.
    ["im1.png", "im1.second.png", "im12.png"],
    ["m\u00fcller_1.png", "mu\u0308ller_1_mask.png", "muller_1_mask.png"],
    ["synthetic-1.png", "synthetic-1-vessels.png", "synthetic-2-vessels.png"],
  ])("gives %s the mask %s and not %s", (photograph, mask, other) => {
    const photographs = [named(1, photograph), named(2, "another eye.jpg")];
    expect(pairOf(named(9, mask), photographs)).toEqual({ photograph: 1 });
    expect(pairOf(named(9, other), photographs)).toEqual({
      photograph: undefined,
      reason: "no photograph here has a name like it",
    });
  });

  it.each([
    ...["groundtruth", "label", "labels", "vessel", "vessels", "seg", "segmentation", "segmented"],
    ...["annotation", "annotated", "expert", "observer", "reader", "mask", "gt", "truth", "manual", "fov"],
  ])("knows that %s says what a file is, not which eye it shows", (word) => {
    const photographs = [named(1, "left 7.jpg"), named(2, "left 8.jpg")];
    expect(pairOf(named(9, `${word}_left_7.png`), photographs)).toEqual({ photograph: 1 });
  });

  it("takes the name that agrees most", () => {
    const photographs = [named(1, "a.png"), named(2, "a-b.png"), named(3, "a-b-c.png")];
    expect(pairOf(named(9, "a-b_mask.png"), photographs)).toEqual({ photograph: 2 });
    expect(pairOf(named(9, "A-B-C.tif"), photographs)).toEqual({ photograph: 3 });
  });

  it("takes a mask without a name of its own where there is one photograph", () => {
    expect(pairOf(named(9, "mask.png"), [named(1, "eye.jpg")])).toEqual({ photograph: 1 });
    expect(pairOf(named(9, "mask.png"), [named(1, "eye.jpg"), named(2, "ear.jpg")])).toMatchObject({
      photograph: undefined,
    });
  });

  it("does not take two names that say nothing for one", () => {
    const photographs = [named(1, "photo.jpg"), named(2, "image.jpg")];
    expect(pairOf(named(9, "mask.png"), photographs)).toMatchObject({ photograph: undefined });
  });

  it("says what differs where only names or only sizes agree", () => {
    const photographs = [named(1, "eye.jpg", 400, 300)];
    expect(pairOf(named(9, "eye-mask.png"), photographs)).toEqual({
      photograph: undefined,
      reason: "it has 40 × 30 pixels, eye.jpg has 400 × 300",
    });
    expect(pairOf(named(9, "ear.png"), photographs)).toEqual({
      photograph: undefined,
      reason: "no photograph here has its 40 × 30 pixels",
    });
  });
});

describe("distinct", () => {
  it("numbers names that are taken, before their ending", () => {
    const taken = new Set(["a.png", "a (2).png", "b"]);
    expect(distinct("a.png", taken)).toBe("a (3).png");
    expect(distinct("b", taken)).toBe("b (2)");
    expect(distinct("c.x.png", taken)).toBe("c.x.png");
  });
});
