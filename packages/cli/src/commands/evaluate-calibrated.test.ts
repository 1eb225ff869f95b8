import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCalibration } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sha256 } from "../files.ts";
import { saunet, writeFolder, writeFreshWeights } from "../testing.ts";

vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

let here: string;
const hashOf = async (...path: string[]) => sha256(await readFile(join(here, ...path)));
/** A calibration with these photographs. */
async function writeFitted(file: string, names: readonly string[]): Promise<void> {
  const text = writeCalibration({
    ...{ threshold: 0.37, photographs: names.length, before: 0.7, fitted: 0.8 },
    ...{ leaveOneOut: null, warnings: [] },
    weights: await hashOf("tiny.safetensors"),
    sources: await Promise.all(names.map((name) => hashOf("set", "images", `${name}.png`))),
  });
  await writeFile(join(here, file), text);
}

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-calibrated-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFolder(join(here, "set"), ["a", "b", "c"]);
});
afterAll(() => rm(here, { recursive: true }));

const evaluate = (...argv: readonly string[]) =>
  saunet(here, [
    "evaluate",
    "--weights",
    "tiny.safetensors",
    "--calibration",
    "fitted.json",
    "--json",
    ...argv,
  ]);

describe("saunet evaluate with a calibration", () => {
  it.each<[string[], string]>([
    [["b"], "the threshold was fitted to b, so the figures of this image flatter"],
    [["c", "a"], "the threshold was fitted to a, c, so the figures of these images flatter"],
  ])("takes its threshold, and warns of the photographs that it was fitted to: %j", async (names, line) => {
    await writeFitted("fitted.json", names);
    const { code, out, err } = await evaluate("--dataset", "folder", "--data", "set");
    expect([code, err]).toEqual([0, `saunet: warning: ${line}\n`]);
    const found = JSON.parse(out);
    expect([found.threshold, found.data, found.images.length]).toEqual([0.37, "set", 3]);
  });

  it("warns of none where it was fitted to others", async () => {
    await writeFitted("fitted.json", ["b"]);
    // One of the same name, and another content.
    await writeFolder(join(here, "other"), ["b"]);
    const { err } = await evaluate("--dataset", "folder", "--data", "other", "--max-pixels", "9999");
    expect(err).toBe("");
    const synthetic = await evaluate("--dataset", "synthetic", "--images", "1", "--picture-size", "48");
    expect([synthetic.code, synthetic.err, JSON.parse(synthetic.out).threshold]).toEqual([0, "", 0.37]);
  });
});
