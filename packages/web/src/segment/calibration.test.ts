import { createHash } from "node:crypto";
import { signal } from "@preact/signals";
import { writeCalibration } from "@saunet/model";
import { beforeEach, expect, it, vi } from "vitest";
import { calibration, endCalibration, isAtCalibration, isFittedTo, openCalibration } from "./calibration.ts";
import { notice } from "./items.ts";
import { threshold } from "./look.ts";
import { hashesOfWeights, weightsInUse } from "./queue.ts";

vi.mock("./queue.ts", async () => ({
  weightsInUse: signal({ name: "shipped" }),
  hashesOfWeights: vi.fn(),
}));

const [OWN, OTHER] = ["a".repeat(64), "b".repeat(64)];
const settled = () => new Promise((resolve) => setImmediate(resolve));
const fileOf = (weights: string, at = 0.312) => {
  const figures = {
    threshold: at,
    photographs: 3,
    before: 0.7,
    fitted: 0.8,
    leaveOneOut: null,
    warnings: [],
  };
  return new File([writeCalibration({ ...figures, weights, sources: [OTHER] })], "camera.json");
};

beforeEach(async () => {
  vi.mocked(hashesOfWeights).mockResolvedValue([OWN]);
  endCalibration();
  weightsInUse.value = { name: "shipped" };
  await settled();
  notice.value = undefined;
});

it("sets the threshold of a calibration of these weights, until a person moves it", async () => {
  notice.value = "before";
  await openCalibration(fileOf(OWN));
  expect([threshold.value, calibration.value?.name, isAtCalibration.value]).toEqual([
    312,
    "camera.json",
    true,
  ]);
  expect(notice.value).toBeUndefined();
  threshold.value = 400;
  expect(isAtCalibration.value).toBe(false);
  endCalibration();
  expect([threshold.value, isAtCalibration.value]).toEqual([500, false]);
});

it("refuses that of other weights, and what is none, in words for a person", async () => {
  await openCalibration(fileOf(OTHER));
  expect(notice.value).toBe(
    "camera.json is not used: it was made for other weights than those in use (shipped), and a threshold suits one network alone.",
  );
  await openCalibration(new File(["{}"], "x.json"));
  expect(notice.value).toBe(
    "x.json is not used: text must be a file of saunet calibrate, but its kind is undefined.",
  );
  expect([threshold.value, calibration.value]).toEqual([500, undefined]);
});

it("asks again where other weights come into use while a file is read", async () => {
  vi.mocked(hashesOfWeights).mockImplementationOnce(async () => {
    weightsInUse.value = { name: "own" };
    vi.mocked(hashesOfWeights).mockResolvedValue([OTHER]);
    return [OWN];
  });
  await openCalibration(fileOf(OWN));
  expect(calibration.value).toBeUndefined();
  expect(notice.value).toContain("those in use (own)");
});

it("goes with its weights, and stays with the file that they were rounded from", async () => {
  await openCalibration(fileOf(OWN));
  vi.mocked(hashesOfWeights).mockResolvedValue([OTHER, OWN]);
  weightsInUse.value = { name: "rounded" };
  await settled();
  expect(calibration.value?.name).toBe("camera.json");
  vi.mocked(hashesOfWeights).mockRejectedValue(new Error("no https"));
  weightsInUse.value = { name: "own" };
  await settled();
  expect([calibration.value, threshold.value]).toEqual([undefined, 500]);
  expect(notice.value).toBe("camera.json belongs to other weights than own, so the threshold is 0.50 again.");
});

it("knows the photographs that it was fitted to", async () => {
  const sources = [createHash("sha256").update("eye").digest("hex")];
  await openCalibration(fileOf(OWN));
  const own = { ...calibration.value!, sources };
  expect(await isFittedTo(own, new Blob(["eye"]))).toBe(true);
  expect(await isFittedTo(own, new Blob(["ear"]))).toBe(false);
});
