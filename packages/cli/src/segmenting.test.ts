// What is found in a photograph wider than high, by networks with fresh weights, which find a little of everything.

import { randomState } from "@saunet/core";
import { syntheticFundus } from "@saunet/data";
import {
  classSegmenterOf,
  evaluate,
  evaluateClasses,
  initialize,
  type NetworkConfig,
  segmenterOf,
  type Weights,
  withClasses,
} from "@saunet/model";
import { decode } from "fast-png";
import { expect, it } from "vitest";
import { type Painted, painterOf } from "./segmenting.ts";
import { tiny } from "./testing.ts";

const fundus = syntheticFundus({ seed: 1, width: 64, height: 48 });
const { image: photograph, vessels: truth, fieldOfView, classes: trueMap } = fundus;
const size = { width: 64, height: 48 };
const weightsOf = (config: NetworkConfig): Weights => ({
  config,
  parameters: initialize(config, randomState(5)),
  metadata: {},
});
/** The share of the field of view that a number has. */
const shareOf = (data: ArrayLike<number>, wanted: number) => {
  const inside = Array.from(data).filter((_, i) => fieldOfView.data[i] === 1);
  return inside.filter((number) => number === wanted).length / inside.length;
};
const pictureOf = async ({ pictures }: Painted, kind: string) => decode(await pictures[kind]());

it("vessels: probabilities and a mask as numbers and as pictures, and how well they agree with a known truth", async () => {
  const weights = weightsOf(tiny);
  const painter = painterOf(weights);
  expect(painter.kinds).toEqual(["probability", "mask", "overlay"]);
  const painted = await painter.paint({ photograph, fieldOfView, truth }, { threshold: 0.4 });
  const { probability, mask } = await segmenterOf(weights).segment(photograph, {
    threshold: 0.4,
    fieldOfView,
  });
  expect(painted).toMatchObject({ ...size, scale: expect.any(Number) });
  expect(painted.networkSeconds).toBeGreaterThan(0);
  expect(painted.vesselShare).toBeCloseTo(shareOf(mask.data, 1), 12);
  expect(painted.f1).toBe(evaluate({ probability, truth: truth.data }, 0.4).f1);
  expect(painted.arrays).toEqual({
    probability: { shape: [48, 64], data: probability },
    mask: { shape: [48, 64], data: mask.data },
  });
  expect(Object.keys(painted.pictures).sort()).toEqual([
    ...["mask", "overlay", "photograph", "probability", "truth"],
  ]);
  const grey = await pictureOf(painted, "probability");
  expect([grey.width, grey.height, [...grey.data]]).toEqual([
    ...[64, 48, Array.from(probability, (value) => Math.round(255 * value))],
  ]);
  expect([...(await pictureOf(painted, "photograph")).data]).toEqual([...photograph.data]);
  const unknown = await painter.paint({ photograph, fieldOfView }, {});
  expect(Object.keys(unknown.pictures)).toEqual(painter.kinds);
  expect(unknown).not.toHaveProperty("f1");
});

it("classes: a map of their numbers, and of each the share and how well it agrees with a known truth", async () => {
  const weights = weightsOf(withClasses(tiny, ["artery", "vein"]));
  const painter = painterOf(weights);
  expect(painter.kinds).toEqual(["classes", "overlay"]);
  const asked: (readonly string[])[] = [];
  const trueClasses = (names: readonly string[]) => {
    asked.push(names);
    return trueMap;
  };
  const painted = await painter.paint({ photograph, fieldOfView, trueClasses }, {});
  const { probability, classes } = await classSegmenterOf(weights).segment(photograph, { fieldOfView });
  const names = ["background", "artery", "vein"];
  expect(asked).toEqual([names]);
  const { byClass } = evaluateClasses({ probability, truth: trueMap.data }, names);
  const shares = [1, 2].map((number) => shareOf(classes.data, number));
  expect(Math.min(...shares)).toBeGreaterThan(0.01);
  expect(painted.classes).toEqual([
    { name: "artery", colour: "#d55e00", share: expect.closeTo(shares[0], 12), f1: byClass.artery.f1 },
    { name: "vein", colour: "#0072b2", share: expect.closeTo(shares[1], 12), f1: byClass.vein.f1 },
  ]);
  expect(painted.vesselShare).toBeCloseTo(shares[0] + shares[1], 12);
  expect(painted).toMatchObject({ ...size, scale: expect.any(Number) });
  expect(painted.networkSeconds).toBeGreaterThan(0);
  expect(painted.arrays).toEqual({
    probability: { shape: [48, 64, 3], data: probability },
    classes: { shape: [48, 64], data: classes.data },
  });
  expect(Object.keys(painted.pictures).sort()).toEqual(["classes", "overlay", "photograph", "truth"]);
  expect([...(await pictureOf(painted, "truth")).data]).toEqual([...trueMap.data]);
  expect([...(await pictureOf(painted, "classes")).data]).toEqual([...classes.data]);
  const unknown = await painter.paint({ photograph, fieldOfView }, {});
  expect(Object.keys(unknown.pictures)).toEqual(painter.kinds);
  expect(unknown.classes?.map((found) => Object.keys(found))).toEqual(
    Array(2).fill(["name", "colour", "share"]),
  );
});
