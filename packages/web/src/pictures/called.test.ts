import { decode } from "fast-png";
import { expect, it } from "vitest";
import { thresholdText } from "../segment/look.ts";
import { foundOf, savedOf } from "../segment/saved.ts";
import { calledVessel } from "./called.ts";
import { maskPng, probabilityPng } from "./png.ts";
import { mix, RAMP_COLOURS, RAMP_GRADIENT } from "./ramp.ts";

const found = { probability: Float32Array.of(0.25, 0.5, 0.75, 0.9), field: Uint8Array.of(1, 1, 1, 0) };

it("calls vessel what reaches the threshold, in the field of view or everywhere", () => {
  expect([...calledVessel(found, 0.5, true)]).toEqual([0, 1, 1, 0]);
  expect([...calledVessel(found, 0.5, false)]).toEqual([0, 1, 1, 1]);
  expect([...calledVessel(found, 0.75, false)]).toEqual([0, 0, 1, 1]);
});

it("writes masks in black and white and probabilities in 16 bits, one channel each", async () => {
  const [mask, probability] = await Promise.all(
    [maskPng(2, 2, Uint8Array.of(0, 1, 1, 0)), probabilityPng(2, 2, Float32Array.of(0, 1, 0.5, 0.25))].map(
      async (blob) => {
        expect(blob.type).toBe("image/png");
        return decode(await blob.arrayBuffer());
      },
    ),
  );
  expect(mask).toMatchObject({ width: 2, height: 2, channels: 1, depth: 8 });
  expect([...mask.data]).toEqual([0, 255, 255, 0]);
  expect(probability).toMatchObject({ width: 2, height: 2, channels: 1, depth: 16 });
  expect([...probability.data]).toEqual([0, 65535, 32768, 16384]);
});

it("goes along a ramp evenly from its first colour to its last, and no farther", () => {
  const ramp = [
    [0, 10, 20],
    [10, 20, 30],
    [110, 20, 10],
  ] as const;
  expect([-1, 0, 0.25, 0.5, 0.75, 1, 2].map((share) => mix(ramp, share))).toEqual([
    [0, 10, 20],
    [0, 10, 20],
    [5, 15, 25],
    [10, 20, 30],
    [60, 20, 20],
    [110, 20, 10],
    [110, 20, 10],
  ]);
  expect([RAMP_COLOURS.length, RAMP_COLOURS[0], RAMP_COLOURS[255]]).toEqual([
    256,
    [0, 0, 4],
    [252, 253, 191],
  ]);
  expect(RAMP_COLOURS[51]).toEqual([59, 15, 112]);
  expect(RAMP_GRADIENT).toMatch(
    /^linear-gradient\(to right, rgb\(0 0 4\), rgb\(59 15 112\), .*rgb\(252 253 191\)\)$/,
  );
});

it("writes thresholds with as many digits as they have, two at least", () => {
  expect([0, 500, 312, 10, 1000].map(thresholdText)).toEqual(["0.00", "0.50", "0.312", "0.01", "1.00"]);
});

it("hands the drawing worker of a result what it draws, and nothing else", () => {
  const [file, probability, field, truth] = ["a", "b", "c", "d"].map((text) => new Blob([text]));
  const result = { probability, field, truth, width: 4, height: 3, doubts: ["x"], seconds: 1 } as never;
  expect(foundOf(result)).toEqual({ probability, field, truth });
  const saved = savedOf({ file, name: "eye.png" } as never, result);
  expect(saved).toEqual({ file, width: 4, height: 3, found: { probability, field, truth } });
});
