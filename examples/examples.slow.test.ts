// Every example runs as it stands, and learns what it says.

import { afterAll, beforeAll, expect, it, vi } from "vitest";

beforeAll(() => {
  vi.spyOn(console, "log").mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
});

it("learns XOR", async () => {
  expect((await import("./xor.mjs")).accuracy).toBe(1);
});

it("tells digits that it has not seen, by dense layers and by depthwise convolutions", async () => {
  const { denseAccuracy, convolutionalAccuracy } = await import("./digits.mjs");
  expect(denseAccuracy).toBeGreaterThan(0.95);
  expect(convolutionalAccuracy).toBeGreaterThan(0.95);
});

it("learns a poem by heart", async () => {
  expect((await import("./text.mjs")).accuracy).toBeGreaterThan(0.95);
});
