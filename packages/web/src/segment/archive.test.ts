// The ZIP of all results, written over a drawing worker that is played and read back by another library.

import { BlobReader, TextWriter, ZipReader } from "@zip.js/zip.js";
import { beforeEach, expect, it, vi } from "vitest";
import { tallyOf } from "../pictures/tally.ts";
import { archiving, saveAll, stopSaving, tableOfAll } from "./archive.ts";
import { type Item, items, notice, type Result } from "./items.ts";
import { fieldOnly, threshold } from "./look.ts";
import { addMask, masks } from "./masks.ts";

const given = vi.hoisted(() => ({ files: [] as { name: string; blob: Blob }[] }));
const view = vi.hoisted(() => ({ png: vi.fn(), judge: vi.fn() }));
vi.mock("./view.ts", () => ({ view }));
vi.mock("./queue.ts", async () => {
  const { signal } = await import("@preact/signals");
  return { weightsInUse: signal({ name: "shipped" }), hashesOfWeights: async () => [], newId: () => 99 };
});
vi.mock("../ui/worker.ts", () => ({ started: () => ({}), startUp: async () => {}, WorkerError: class {} }));
vi.mock("../ui/download.ts", async (original) => ({
  ...(await original<object>()),
  download: (name: string, blob: Blob) => given.files.push({ name, blob }),
}));

const tally = tallyOf({ probability: Float32Array.of(0.2, 0.8), field: Uint8Array.of(1, 1) });
const done = (id: number, name: string): Item => {
  const detected = new Blob(["f"]);
  const figures = { width: 2, height: 1, scale: 1, seconds: 1, threads: 1, weights: "shipped", doubts: [] };
  const result: Result = { ...figures, tally, detected, field: detected, probability: new Blob(["p"]) };
  const size = { width: 2, height: 1 };
  return { id, name, fileName: name, file: new Blob([name]), size, progress: { kind: "done", result } };
};

beforeEach(() => {
  view.judge.mockResolvedValue(tally);
  [given.files, masks.value, notice.value] = [[], [], undefined];
  items.value = [
    done(1, "eye.png"),
    done(2, "eye.tif"),
    { ...done(3, "bad.png"), progress: { kind: "failed", message: "bad.png is empty." } },
  ];
  view.png
    .mockReset()
    .mockImplementation(async ({ file }, kind) => new Blob([`${kind} of ${await file.text()}`]));
});

async function archive(): Promise<Record<string, string>> {
  await saveAll();
  expect(given.files.map(({ name }) => name)).toEqual(["saunet.zip"]);
  const entries = await new ZipReader(new BlobReader(given.files[0].blob)).getEntries();
  const contents = entries.map(async (entry) => [
    entry.filename,
    await ("getData" in entry ? entry.getData(new TextWriter()) : ""),
  ]);
  return Object.fromEntries(await Promise.all(contents));
}

it("holds the table, and of everything that is finished a mask and probabilities, under names of their own", async () => {
  const { "saunet.csv": table, ...pictures } = await archive();
  expect(table).toBe(tableOfAll());
  expect(table.split("\r\n").map((row) => row.split(",")[0])).toEqual([
    "photograph",
    "eye.png",
    "eye.tif",
    "bad.png",
    "",
  ]);
  expect(pictures).toEqual({
    "eye-mask.png": "mask of eye.png",
    "eye-probability.png": "probability of eye.png",
    "eye (2)-mask.png": "mask of eye.tif",
    "eye (2)-probability.png": "probability of eye.tif",
  });
  expect(archiving.value).toBeUndefined();
});

it("holds the truths that were drawn, and pictures as they are looked at", async () => {
  threshold.value = 312;
  fieldOnly.value = false;
  await addMask(
    { id: 11, name: "eye-corrected.png", kind: "vessels", width: 2, height: 1, mask: new Blob() },
    2,
  );
  const files = await archive();
  expect(Object.keys(files).filter((name) => name.endsWith("truth.png"))).toEqual(["eye (2)-truth.png"]);
  expect(view.png.mock.calls[0][2]).toMatchObject({
    threshold: 0.312,
    fieldOnly: false,
    opacity: 0.85,
    layer: "mask",
  });
  expect(files["saunet.csv"]).toMatch(/0\.312/);
});

it("tells how far it is, and ends where a person stops it or something fails", async () => {
  const seen: unknown[] = [];
  view.png.mockImplementation(async () => {
    seen.push(archiving.value);
    if (seen.length === 3) stopSaving();
    return new Blob();
  });
  await saveAll();
  expect(seen).toEqual([
    { done: 0, all: 2 },
    { done: 0, all: 2 },
    { done: 1, all: 2 },
  ]);
  expect([given.files, notice.value, archiving.value]).toEqual([[], undefined, undefined]);
  view.png.mockRejectedValue(new Error("no memory"));
  await saveAll();
  expect([given.files, notice.value, archiving.value]).toEqual([
    [],
    "The ZIP could not be written: no memory.",
    undefined,
  ]);
});
