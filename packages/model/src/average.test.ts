import { tensor } from "@saunet/core";
import { expect, it } from "vitest";
import { movingAverage } from "./average.ts";

it("follows the parameters, slowly in the end and faster in the beginning", () => {
  const w = tensor([0, 4]);
  const average = movingAverage({ w }, 0.9);
  expect(average.parameters.w.data).toEqual(w.data);
  w.data.set([1, 4]);
  average.update(0);
  expect(average.parameters.w.data[0]).toBeCloseTo(0.9, 6);
  expect(average.parameters.w.data[1]).toBe(4);
  let wanted = average.parameters.w.data[0];
  for (let step = 1; step < 200; step++) {
    w.data[0] = Math.sin(step);
    average.update(step);
    const decay = Math.min(0.9, (1 + step) / (10 + step));
    wanted = decay * wanted + (1 - decay) * Math.sin(step);
  }
  expect(average.parameters.w.data[0]).toBeCloseTo(wanted, 5);
  expect(w.data[0]).toBeCloseTo(Math.sin(199), 6);
});

it("is the parameters themselves at decay 0, and refuses what is no share", () => {
  const w = tensor([0]);
  const average = movingAverage({ w }, 0);
  w.data[0] = 7;
  average.update(5);
  expect(average.parameters.w.data[0]).toBe(7);
  expect(() => movingAverage({ w }, 1.5)).toThrow("movingAverage: decay must lie between 0 and 1");
});
