import { randomState } from "@saunet/core";
import { describe, expect, it } from "vitest";
import { eye, fixture } from "./files/datasets/testing.ts";
import { readMask, readPhotograph } from "./files/read.ts";
import { jitter, paperAugmentation, rotateMask, rotatePhotograph } from "./paper-augmentation.ts";

const variants = (seed: number) =>
  paperAugmentation(eye.image, eye.vessels, eye.fieldOfView, randomState(seed));

/** How many samples differ, and by how much at most. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): { share: number; most: number } {
  let [count, most] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) count++;
    most = Math.max(most, Math.abs(a[i] - b[i]));
  }
  expect(a.length).toBe(b.length);
  return { share: count / a.length, most };
}

describe("against Pillow", () => {
  it.each([37, 90, 211])("a rotation by %i degrees", async (degrees) => {
    const wanted = await readPhotograph(fixture(`paper-rotated-${degrees}.png`));
    const { share, most } = difference(rotatePhotograph(eye.image, degrees).data, wanted.data);
    expect(most).toBeLessThanOrEqual(1);
    expect(share).toBeLessThan(0.001);
    expect(rotateMask(eye.vessels, degrees)).toEqual(
      await readMask(fixture(`paper-rotated-${degrees}-vessels.png`)),
    );
  });

  it.each([
    ["colour", 2.3, 1, 1, 1],
    ["brightness", 1, 1.4, 1, 1],
    ["contrast", 1, 1, 1.7, 1],
    ["sharpness", 1, 1, 1, 2.6],
    ["smooth", 1, 1, 1, 0],
    ["all", 0.4, 1.2, 1.1, 1.9],
  ])("a jitter of %s", async (name, colour, brightness, contrast, sharpness) => {
    const wanted = await readPhotograph(fixture(`paper-jitter-${name}.png`));
    const { data } = jitter(eye.image, { colour, brightness, contrast, sharpness });
    expect(difference(data, wanted.data)).toEqual({ share: 0, most: 0 });
  });
});

describe("paperAugmentation", () => {
  it("makes thirteen pictures of one size, the original first", () => {
    const made = variants(1);
    const numbered = ["rotation", "jitter", "noise"].flatMap((name) => [1, 2, 3].map((i) => `${name}-${i}`));
    const flips = ["flip-horizontal", "flip-vertical", "flip-both"];
    expect(made.map(({ name }) => name)).toEqual(["original", ...numbered, ...flips]);
    for (const { photograph, vessels, fieldOfView } of made) {
      expect([photograph.data.length, vessels.data.length, fieldOfView.data.length]).toEqual([
        5760, 1920, 1920,
      ]);
      expect(Math.max(...vessels.data)).toBe(1);
    }
    expect(made[0]).toMatchObject({
      photograph: eye.image,
      vessels: eye.vessels,
      fieldOfView: eye.fieldOfView,
    });
  });

  it("is repeated by its seed, and no two of its pictures are alike", () => {
    expect(variants(7)).toEqual(variants(7));
    const pictures = [...variants(7), ...variants(8).slice(1, 10)].map(({ photograph }) =>
      photograph.data.join(),
    );
    expect(new Set(pictures).size).toBe(pictures.length);
  });

  // The paper's code: colour and sharpness from 0 to 3, brightness and contrast from 1 to 2, in steps of 0.1.
  it("draws factors of jitter from the paper's ranges", () => {
    const steps = (low: number, high: number) =>
      Array.from({ length: high - low + 1 }, (_, i) => (low + i) / 10);
    const grey = { ...eye.image, data: new Uint8Array(eye.image.data.length).fill(10) };
    const brightnesses = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      for (const { name, photograph } of paperAugmentation(
        grey,
        eye.vessels,
        eye.fieldOfView,
        randomState(seed),
      ))
        if (name.startsWith("jitter")) brightnesses.add(photograph.data[0] / 10);
    }
    // Of one grey, colour, contrast and sharpness change nothing.
    expect([...brightnesses].toSorted((a, b) => a - b)).toEqual(steps(10, 20));
  });

  it("moves labels with the picture, and leaves them where only colours change", () => {
    const made = variants(3);
    for (const { name, photograph, vessels, fieldOfView } of made) {
      if (/jitter|noise/.test(name)) expect([vessels, fieldOfView]).toEqual([eye.vessels, eye.fieldOfView]);
      if (/rotation|flip/.test(name)) {
        expect(vessels).not.toEqual(eye.vessels);
        // The photograph is dark outside the field of view that belongs to it.
        const outside = [...fieldOfView.data.keys()].filter((pixel) => fieldOfView.data[pixel] === 0);
        const mean = outside.reduce((sum, pixel) => sum + photograph.data[3 * pixel], 0) / outside.length;
        expect(mean, name).toBeLessThan(30);
      }
    }
    const [horizontal, vertical, both] = made.slice(-3);
    expect(horizontal.vessels.data[0 * 48 + 5]).toBe(eye.vessels.data[0 * 48 + 42]);
    expect([...vertical.photograph.data.subarray(0, 144)]).toEqual([...eye.image.data.subarray(39 * 144)]);
    expect([...both.vessels.data]).toEqual([...eye.vessels.data].reverse());
  });

  it("adds the noise that the paper's scripts add, as counted there: 74 % stay, 26 % lose a level", () => {
    const grey = { width: 600, height: 500, data: new Uint8Array(900_000).fill(100) };
    const mask = { width: 600, height: 500, data: new Uint8Array(300_000) };
    const noisy = paperAugmentation(grey, mask, mask, randomState(1))[7];
    expect(noisy.name).toBe("noise-1");
    const count = (level: number) =>
      noisy.photograph.data.filter((value) => value === level).length / 900_000;
    expect(count(100)).toBeCloseTo(0.744, 2);
    expect(count(99)).toBeCloseTo(0.252, 2);
    expect(count(101)).toBeCloseTo(0.0038, 3);
    expect(count(98)).toBeLessThan(1e-4);
  });

  it("takes RGBA, and refuses labels of another size", () => {
    const rgba = new Uint8Array(1920 * 4).fill(255);
    for (let i = 0; i < 1920; i++) rgba.set(eye.image.data.subarray(3 * i, 3 * i + 3), 4 * i);
    const made = paperAugmentation(
      { ...eye.image, data: rgba },
      eye.vessels,
      eye.fieldOfView,
      randomState(1),
    );
    expect([...made[4].photograph.data]).toEqual([...variants(1)[4].photograph.data]);
    const small = { width: 40, height: 48, data: eye.vessels.data };
    expect(() => paperAugmentation(eye.image, small, eye.fieldOfView, randomState(1))).toThrow(
      "paperAugmentation: vessels is 40 x 48 but the photograph is 48 x 40",
    );
  });
});
