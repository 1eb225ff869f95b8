import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClasses } from "@saunet/model";
import { expect, it, vi } from "vitest";
import { saunet, smallFundus, tiny, write, writeFreshWeights } from "../testing.ts";

vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

it("the JSON of saunet segment has the names of the classes in the threshold's place", async () => {
  const here = await mkdtemp(join(tmpdir(), "saunet-segment-classes-"));
  try {
    await writeFreshWeights(join(here, "classes.safetensors"), withClasses(tiny, ["vein"]));
    await writeFreshWeights(join(here, "tiny.safetensors"));
    await write(join(here, "left.png"), smallFundus(1).image);
    const segment = async (weights: string) => {
      const argv = ["segment", "left.png", "--weights", weights, "-o", "out", "--json"];
      const { images, seconds: _, ...how } = JSON.parse((await saunet(here, argv)).out);
      expect(images).toHaveLength(1);
      return how;
    };
    const weights = "classes.safetensors";
    expect(await segment(weights)).toEqual({ failed: [], classes: ["background", "vein"], weights });
    expect(await segment("tiny.safetensors")).toEqual({
      ...{ failed: [], threshold: 0.5, weights: "tiny.safetensors" },
    });
  } finally {
    await rm(here, { recursive: true });
  }
});
