import { createHash } from "node:crypto";
import { adam, randomState } from "@saunet/core";
import {
  initialize,
  type NetworkConfig,
  saUNetV2,
  uNet,
  withClasses,
  writeCheckpoint,
  writeWeights,
} from "@saunet/model";
import { afterEach, expect, it, vi } from "vitest";
import { sha256, titleOf, weightsIn } from "./weights.ts";

afterEach(() => void vi.unstubAllGlobals());
const tiny = { ...saUNetV2, name: "tiny", channels: [8, 8] };
const bytesOf = (config: NetworkConfig) =>
  writeWeights({ config, parameters: initialize(config, randomState(1)), metadata: { by: "me" } });

it("calls networks as their papers do", () => {
  expect(["sa-unet-v2", "sa-unet", "u-net", "tiny"].map(titleOf)).toEqual([
    "SA-UNetv2",
    "SA-UNet",
    "U-Net",
    "tiny",
  ]);
});

it("takes weights and the checkpoints of runs", () => {
  expect(weightsIn(bytesOf(tiny))).toMatchObject({ config: tiny, metadata: { by: "me" } });
  const parameters = initialize(tiny, randomState(1));
  const state = { parameters, optimizer: adam(parameters), random: randomState(2) };
  const own = writeCheckpoint({ ...state, network: { config: tiny, metadata: {} } }, { step: 3 });
  expect(weightsIn(own).config).toEqual(tiny);
  const nameless = writeCheckpoint(state, { step: 3 });
  expect(() => weightsIn(nameless)).toThrow("the checkpoint does not say which network it belongs to");
  expect(weightsIn(nameless, { config: tiny, metadata: {} }).config).toBe(tiny);
});

it("says in words for a person why the page cannot use them", () => {
  expect(() => weightsIn(bytesOf(withClasses(uNet, ["artery", "vein"])))).toThrow(
    "U-Net tells 3 classes apart here (background, artery, vein), but this page shows one: vessel",
  );
  expect(() => weightsIn(bytesOf({ ...tiny, inputChannels: 1 }))).toThrow(
    "tiny takes pictures of 1 channel here, but photographs have 3",
  );
  expect(() => weightsIn(bytesOf({ ...tiny, inputChannels: 4 }))).toThrow("pictures of 4 channels here");
  const page = new TextEncoder().encode("<!doctype html><title>Sign in</title>");
  expect(() => weightsIn(page)).toThrow(/^the file is a web page, not a safetensors file$/);
  const cut = bytesOf(tiny).subarray(0, 2000);
  expect(() => weightsIn(cut)).toThrow(/^(?!weights|safetensors)/);
});

it("hashes as others do, where browsers do", async () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i);
  expect(await sha256(bytes.subarray(7))).toBe(createHash("sha256").update(bytes.subarray(7)).digest("hex"));
  vi.stubGlobal("crypto", {});
  await expect(sha256(bytes)).rejects.toThrow("browsers hash on secure pages only (https)");
});
