import { readFileSync } from "node:fs";
import { readWeights } from "@saunet/model";
import weights from "@saunet/model/weights";
import { expect, it } from "vitest";
import { MODULE, weightsModule } from "./weights-module.mjs";

it("the weights' module is what `node scripts/weights-module.mjs` makes of the exact weights", () => {
  expect(readFileSync(MODULE, "utf8") === weightsModule()).toBe(true);
});

it("its numbers are the exact ones in 16 bits: a relative difference of at most 2^-11, or what lies below 2^-14", () => {
  const file = new URL("../packages/model/weights/sa-unet-v2.safetensors", import.meta.url);
  const [exact, halves] = [readWeights(readFileSync(file)), readWeights(weights)];
  expect(halves.config).toEqual(exact.config);
  for (const [name, { data }] of Object.entries(exact.parameters)) {
    const half = halves.parameters[name].data;
    expect(half.length, name).toBe(data.length);
    expect(
      half.every((value, i) => Math.abs(value - data[i]) <= Math.max(Math.abs(data[i]), 2 ** -14) * 2 ** -11),
      name,
    ).toBe(true);
  }
});
