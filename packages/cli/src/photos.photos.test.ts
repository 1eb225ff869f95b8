// The bundled network on real photographs, through the command: `npm run check:photos`.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saunet } from "./testing.ts";

const chase = join(process.env.SAUNET_PHOTOS ?? "", "CHASE_DB1");

describe("the bundled network", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "saunet-photos-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("segments a photograph and writes its three pictures", async () => {
    const { code, out } = await saunet(folder, [
      "segment",
      join(chase, "Image_11L.jpg"),
      "-o",
      "out",
      "--json",
    ]);
    expect(code).toBe(0);
    const [{ width, height, vesselShare, files }] = JSON.parse(out).images;
    expect([width, height]).toEqual([999, 960]);
    expect(vesselShare).toBeGreaterThan(0.04);
    expect(vesselShare).toBeLessThan(0.15);
    for (const file of Object.values<string>(files)) expect(existsSync(join(folder, file))).toBe(true);
  });

  it("finds the vessels of the 8 test images of CHASE_DB1", async () => {
    const { code, out } = await saunet(folder, ["evaluate", "--dataset", "chase", "--data", chase, "--json"]);
    expect(code).toBe(0);
    const { images, macro, micro, comparisons } = JSON.parse(out);
    expect(images).toHaveLength(8);
    const names = comparisons.map(({ prediction, truth }: Record<string, string>) => [prediction, truth]);
    expect(names).toEqual([
      ["network", "1stHO"],
      ["network", "2ndHO"],
      ["2ndHO", "1stHO"],
    ]);
    // How far the two observers agree does not depend on any network.
    expect(comparisons[2].macro.full.f1).toBeCloseTo(0.7977, 4);
    for (const { f1, auc } of [macro.full, macro.fov, micro.full, micro.fov]) {
      expect(f1).toBeGreaterThan(0.75);
      expect(auc).toBeGreaterThan(0.95);
    }
  });
});
