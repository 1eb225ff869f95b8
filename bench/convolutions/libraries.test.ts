// Libraries that are not installed, played with our own operators: what they are given, and the layout that they give back.

import { expect, it, vi } from "vitest";
import { alive } from "../contenders/testing.ts";
import { outputsOf } from "../forms.ts";
import { partOf } from "../parts.ts";
import { parseShape } from "../shapes.ts";
import { errorOfOutputs, TOLERANCE } from "../verify.ts";
import { convolutionContenders } from "./contenders.ts";
import { exchanged } from "./layouts.ts";

vi.mock("../contenders/install.ts", async () => ({
  loadPeer: (await import("../contenders/testing.ts")).playedPeer,
}));

const convolutions = [
  ...["13x12x3 -> 5, 3x5, stride 2, batch 2", "12x10x4 -> 6, 3x3, dilation 2", "9x8x6 -> 6, 3x3, groups 6"],
  ...["9x8x4 -> 8, 3x3, groups 4", "7x6x5 -> 3, 2x2, stride 2, transposed, batch 2"],
];
const everything = [...convolutions, "11x12x4 -> 8, 3x3, groups 2, stride 2"];
const served: Readonly<Record<string, readonly string[]>> = {
  "onnxruntime-web": everything,
  "tfjs-wasm": convolutions,
  "jax-js": everything.filter((text) => !text.includes("transposed")),
};

it.each(Object.keys(served))("%s gives the reference's numbers, as often as it is asked to", async (name) => {
  const { serves, planar, prepare } = convolutionContenders.find((contender) => contender.name === name)!;
  for (const text of everything) {
    const spec = parseShape(text);
    const kernel = spec.op === "conv2d" ? "forward" : "transposed";
    expect([text, serves(spec, kernel)]).toEqual([text, served[name].includes(text)]);
    if (!serves(spec, kernel)) continue;
    const { output, run } = await prepare!(spec, kernel, 1, 3);
    const before = alive.size;
    await run();
    const found = (await output()).slice();
    expect(alive.size).toBe(before);
    const part = partOf(spec, kernel);
    const ours = planar ? exchanged(found, spec.N, spec.O, found.length / spec.N / spec.O) : found;
    expect(errorOfOutputs([ours], outputsOf(part, part.kernel.reference))).toBeLessThan(TOLERANCE);
  }
});
