import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCalibration } from "@saunet/model";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openCalibration } from "./calibrations.ts";
import { UsageError, WorkError } from "./errors.ts";
import { sha256 } from "./files.ts";
import { keeper, tiny, writeFreshWeights } from "./testing.ts";

const CALIBRATION = {
  ...{ threshold: 0.4, photographs: 1, before: 0.7, fitted: 0.8, leaveOneOut: null, warnings: [] },
  sources: ["0123456789abcdef".repeat(4)],
};
let here: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-calibrations-"));
  await writeFreshWeights(join(here, "tiny.safetensors"));
  await writeFreshWeights(join(here, "other.safetensors"), tiny, 4);
  const weights = sha256(await readFile(join(here, "tiny.safetensors")));
  await writeFile(join(here, "camera.json"), writeCalibration({ ...CALIBRATION, weights }));
});
afterAll(() => rm(here, { recursive: true }));
const host = () => ({ stdout: keeper().stream, stderr: keeper().stream, cwd: here });
const calibration = "camera.json";
const named = { weights: "tiny.safetensors", calibration };
const open = (options: Parameters<typeof openCalibration>[0], config = tiny) =>
  openCalibration(options, { config }, host());

it("is read where one is named, and none otherwise", async () => {
  expect(await open(named)).toMatchObject(CALIBRATION);
  expect(await open({ weights: "tiny.safetensors", threshold: 0.3 })).toBeUndefined();
});

it("is refused where it goes with none of the rest", async () => {
  await expect(open({ ...named, threshold: 0.3 })).rejects.toThrow(
    new UsageError(
      "option '--calibration <file>' is a threshold, and '--threshold <p>' another: leave one out",
    ),
  );
  await expect(open(named, { ...tiny, classes: ["background", "artery"] })).rejects.toThrow(
    new UsageError("option '--calibration <file>' does not go with weights that tell classes apart"),
  );
  for (const [options, whose] of [
    [{ weights: "other.safetensors", calibration }, "other.safetensors"],
    [{ calibration }, "those that come with saunet"],
  ] as const)
    await expect(open(options)).rejects.toThrow(
      new WorkError(
        `camera.json: was made for other weights than ${whose}, and a threshold suits one network alone`,
      ),
    );
});
