import { describe, expect, it } from "vitest";
import { outputsOf } from "../forms.ts";
import { partOf } from "../parts.ts";
import { parseShape } from "../shapes.ts";
import { errorOfOutputs, TOLERANCE } from "../verify.ts";
import { convolutionContenders } from "./contenders.ts";
import type { KernelName } from "./convolution.ts";
import { exchanged } from "./layouts.ts";

const named = (name: string) => convolutionContenders.find((contender) => contender.name === name)!;

/** Sides that strides do not divide, so that padding is uneven, and everything that a line of a list can say. */
const shapes = [
  "13x11x3 -> 5, 3x3",
  "13x12x3 -> 5, 3x5, stride 2, batch 2",
  "14x9x4 -> 6, 2x2, stride 3",
  "12x10x4 -> 6, 3x3, dilation 2",
  "11x12x4 -> 8, 3x3, groups 2, stride 2",
  "9x9x6 -> 6, 3x3, groups 6",
  "7x6x5 -> 3, 3x3, stride 2, transposed",
  "7x6x5 -> 3, 2x2, stride 2, transposed, batch 2",
  "6x7x5 -> 3, 2x2, stride 3, transposed",
];

describe.each(["onnxruntime-node", "accelerated", "accelerated direct", "accelerated winograd4"])(
  "%s",
  (name) => {
    it.each(shapes)("gives the reference's numbers for %s", async (text) => {
      const spec = parseShape(text);
      const kernel: KernelName = spec.op === "conv2d" ? "forward" : "transposed";
      const { serves, planar, prepare } = named(name);
      expect(serves(spec, kernel)).toBe(true);
      const { output, run } = await prepare!(spec, kernel, 1, 2);
      await run();
      const found = await output();
      const part = partOf(spec, kernel);
      const ours = planar ? exchanged(found, spec.N, spec.O, found.length / spec.N / spec.O) : found;
      expect(errorOfOutputs([ours], outputsOf(part, part.kernel.reference))).toBeLessThan(TOLERANCE);
    });
  },
);

it("libraries are asked for what the layer does, and not for its gradients", () => {
  const [layer, grouped] = [parseShape("8x8x4 -> 4, 3x3"), parseShape("8x8x4 -> 4, 3x3, groups 2")];
  expect(named("onnxruntime-node").serves(layer, "filterGradient")).toBe(false);
  expect(named("accelerated direct").serves(layer, "filterGradient")).toBe(true);
  // tfjs has depthwise convolutions and no others with groups.
  expect(named("tfjs-wasm").serves(grouped, "forward")).toBe(false);
});
