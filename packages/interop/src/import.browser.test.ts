// @saunet/interop in a real browser, bundled by Vite as it comes: files of Keras and PyTorch, and weights by URL.

import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors } from "@saunet/core";
import type { Browser, Page as Tab } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { largestDifference } from "../../../fixtures/networks.ts";
import { launchChromium } from "../../../scripts/chromium.mjs";
import type { Image, Page } from "../browser/main.ts";
import { permute } from "./permute.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const files = path("../../../fixtures/files");
const bundled = path("../../model/weights/sa-unet-v2.safetensors");

let folder: string;
let server: PreviewServer;
let browser: Browser;
let tab: Tab;
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-interop-"));
  const root = path("../browser");
  await build({ root, configFile: false, logLevel: "error", build: { outDir: folder } });
  await cp(files, join(folder, "files"), { recursive: true });
  await cp(bundled, join(folder, "bundled.safetensors"));
  const whole = await readFile(join(files, "keras2/sa-unet.h5"));
  await writeFile(join(folder, "short.h5"), whole.subarray(0, 100_000));
  server = await preview({
    root: folder,
    configFile: false,
    logLevel: "error",
    build: { outDir: folder },
    preview: { port: 0, host: "127.0.0.1" },
  });
  browser = await launchChromium();
  tab = await browser.newPage();
  tab.on("pageerror", (error) => complaints.push(error.message));
  await tab.goto(server.resolvedUrls!.local[0]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

const takeOver = (file: string, image: Image) =>
  tab.evaluate(([name, x]) => (globalThis as unknown as Page).takeOver(name, x), [file, image] as const);
const load = (url: string, options: { sha256: string }) =>
  tab.evaluate(([where, how]) => (globalThis as unknown as Page).load(where, how), [url, options] as const);

/** A fixture's image as channels-last, and its answer. */
async function example(file: string): Promise<{ image: Image; wanted: Float32Array }> {
  if (file.startsWith("torch")) {
    const { tensors } = readSafetensors(await readFile(join(files, file)));
    const { data, shape } = tensors["saunet.example"];
    const rows = permute(new Float32Array(data), shape, [0, 2, 3, 1]);
    const image = { data: [...rows], shape: [shape[0], shape[2], shape[3], shape[1]] };
    return { image, wanted: new Float32Array(tensors["saunet.answer"].data) };
  }
  const answers = join(files, `${file.replace("/", "/answers/")}.safetensors`);
  const { x, probability } = readSafetensors(await readFile(answers)).tensors;
  return { image: { data: [...x.data], shape: x.shape }, wanted: new Float32Array(probability.data) };
}

describe("in Chromium", () => {
  it.each([
    "keras2/sa-unet-v2.h5",
    "keras2/sa-unet.keras",
    "keras3/sa-unet.weights.h5",
    "torch/spatial.safetensors",
  ])("takes %s over and answers as it did", async (file) => {
    const { image, wanted } = await example(file);
    const outcome = await takeOver(`files/${file}`, image);
    expect(outcome).toHaveProperty("answer");
    if (!("answer" in outcome)) return;
    expect(outcome.answer.length).toBe(wanted.length);
    expect(largestDifference(outcome.answer, wanted)).toBeLessThan(1e-5);
    expect(outcome.onnxBytes).toBeGreaterThan(10_000);
    expect(complaints).toEqual([]);
  });

  it("refuses a damaged file with the library's reason", async () => {
    const outcome = await takeOver("short.h5", { data: [], shape: [0] });
    expect(outcome).toEqual({
      error: expect.stringMatching(/^ImportError: is HDF5 that cannot be read: truncated file: eof/),
    });
  });

  it("loads weights by URL, with progress and a hash", async () => {
    const bytes = await readFile(bundled);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const outcome = await load("bundled.safetensors", { sha256 });
    expect(outcome).toMatchObject({ name: "sa-unet-v2" });
    // Vite's server compresses, so the length that it states is not the file's.
    if ("progress" in outcome) expect(outcome.progress.at(-1)).toEqual([bytes.length, null]);
    expect(await load("bundled.safetensors", { sha256: "0".repeat(64) })).toEqual({
      error: expect.stringContaining(`but is ${sha256}`),
    });
    expect(await load("none.safetensors", { sha256 })).toHaveProperty("error");
  });
});
