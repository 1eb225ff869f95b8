// What a training tells of its report, which is played here.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { saunet, writeFreshWeights } from "../testing.ts";

vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));
const report = vi.hoisted(() => ({ failed: [] as string[] }));
vi.mock("../report/write-report.ts", () => ({
  writeReport: async (run: string) => ({ files: { report: `${run}/report.html` }, failed: report.failed }),
}));

let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-reported-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
});
afterAll(() => rm(here, { recursive: true }));

it.each<[string, string[], object | undefined]>([
  ["some", ["07_test", "09_test"], { failed: ["07_test", "09_test"] }],
  ["none", [], {}],
])(
  "the images that its report could not test are in its JSON, and do not make it fail: %s",
  async (name, failed, wanted) => {
    report.failed = failed;
    const { code, out, err } = await saunet(here, [
      ...["train", "--dataset", "synthetic", "--picture-size", "48", "--validation", "0", "--json"],
      ...["--crop", "16", "--batch", "1", "--epochs", "1", "--steps", "1"],
      ...["--weights", "tiny.safetensors", "-o", name],
    ]);
    expect([code, err]).toEqual([0, ""]);
    const { network, ending, steps, seconds: _, best, memory, files, ...others } = JSON.parse(out);
    expect([network, ending, steps, best, memory]).toEqual(["tiny", "finished", 1, null, null]);
    expect(files.report).toBe(`${name}/report.html`);
    expect(others).toEqual(wanted);
  },
);
