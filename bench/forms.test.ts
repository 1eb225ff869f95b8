import * as core from "@saunet/core";
import { accelerate, restore } from "@saunet/wasm";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { KernelName } from "./convolutions/convolution.ts";
import { acceleratedForm, CALLS } from "./forms.ts";
import { partOf } from "./parts.ts";
import { parseShape } from "./shapes.ts";

vi.mock("@saunet/core", async (original) => {
  const module = await original<typeof core>();
  return { ...module, capture: vi.fn(module.capture) };
});

beforeAll(async () => void (await accelerate({ threads: 1 })));
afterAll(restore);

const spec = parseShape("9x7x4 -> 6, 3x3");
const [x, gy] = [9 * 7 * 4, 9 * 7 * 6];

it.each<[KernelName, number[]]>([
  ["forward", [x]],
  ["transposed", [gy]],
  ["filterGradient", [x, gy]],
])("a program of %s is given what changes from run to run, which a filter does not", (kernel, lengths) => {
  const capture = vi.mocked(core.capture).mockClear();
  const { release, calls } = acceleratedForm(partOf(spec, kernel), 1);
  release();
  expect(calls).toBe(CALLS);
  expect(capture.mock.calls.map(([, inputs]) => inputs.map(({ data }) => data.length))).toEqual([lengths]);
});
