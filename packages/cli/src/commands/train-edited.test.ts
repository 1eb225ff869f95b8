// Runs that changed between two starts: photographs replaced, weights gone, files edited by hand. What cannot be gone on
// with is refused in one line; what can, is; runs of earlier versions among it.

import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors, writeSafetensors } from "@saunet/core";
import { readWeights } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { losses, saunet, smallFundus, tiny, write, writeFolder, writeFreshWeights } from "../testing.ts";

// What was edited are files, whatever computes; train.test.ts trains and resumes with the generated ones.
vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

const old = fileURLToPath(new URL("../../../../fixtures/runs/", import.meta.url));
let here: string;
const at = (...names: string[]) => join(here, ...names);
const resume = (run: string, ...argv: string[]) => saunet(here, ["train", "--resume", run, ...argv]);
/** A copy of a run that was interrupted after the first of two epochs. */
async function copy(name: string): Promise<string> {
  await cp(at("half"), at(name), { recursive: true });
  return name;
}

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-edited-"));
  await writeFreshWeights(at("tiny.safetensors"));
  await writeFolder(at("set"), ["a", "b", "c", "d"]);
  const argv = ["--dataset", "folder", "--data", "set", "--weights", "tiny.safetensors", "--crop", "16"];
  const sizes = ["--batch", "2", "--epochs", "2", "--steps", "3"];
  await saunet(here, ["train", "-o", "whole", ...argv, ...sizes, "--no-report"]);
  let heard = 0;
  await saunet(here, ["train", "-o", "half", ...argv, ...sizes, "--no-report"], {
    // The end of the first epoch is printed to stdout.
    onEndRequest: (listener) => {
      const timer = setInterval(async () => {
        const log = await readFile(at("half/log.jsonl"), "utf8").catch(() => "");
        if (log.includes('"epoch","step":3') && heard++ === 0) {
          listener({ exitCode: 130, reason: "SIGINT", isSignal: true });
        }
      }, 1);
      return () => clearInterval(timer);
    },
  });
  expect((await losses(at("half"))).length).toBeLessThan(8);
});
afterAll(() => rm(here, { recursive: true }));

describe("a run goes on", () => {
  it("when the weights that it started from are gone, to the same end", async () => {
    const run = await copy("without-weights");
    await rename(at("tiny.safetensors"), at("moved.safetensors"));
    try {
      expect(await resume(run)).toMatchObject({ code: 0, err: "" });
    } finally {
      await rename(at("moved.safetensors"), at("tiny.safetensors"));
    }
    expect(await losses(at(run))).toEqual(await losses(at("whole")));
    for (const file of ["last.safetensors", "best.safetensors"])
      expect(await readFile(at(run, file))).toEqual(await readFile(at("whole", file)));
  });

  it("without a report where it was begun without one, and with one where that is asked for", async () => {
    const run = await copy("reported");
    const { files } = JSON.parse((await resume(run, "--json")).out);
    expect(Object.keys(files).sort()).toEqual(["best", "checkpoint", "config", "last", "log"]);
    const { files: more } = JSON.parse((await resume(run, "--json", "--report")).out);
    expect(more).toEqual({
      ...files,
      report: `${run}/report.html`,
      evaluation: `${run}/evaluation.json`,
    });
    // All of a plain folder was trained on: nothing is left to test with.
    expect(JSON.parse(await readFile(at(run, "evaluation.json"), "utf8"))).toEqual({ sets: [] });
    const { out } = await resume(run, "--report");
    expect(out).toMatch(
      / -> reported\/config\.json, .*reported\/report\.html, reported\/evaluation\.json\n$/,
    );
    expect(out).not.toContain("[object");
  });

  it("that version 0.1.0 was interrupted in, without hashes and a lock", async () => {
    await cp(join(old, "0.1.0"), at("old"), { recursive: true });
    await rename(at("tiny.safetensors"), at("moved.safetensors"));
    const before = await losses(at("old"));
    try {
      expect(await resume("old", "--no-report")).toMatchObject({ code: 0, err: "" });
    } finally {
      await rename(at("moved.safetensors"), at("tiny.safetensors"));
    }
    const after = await losses(at("old"));
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.filter((entry) => (entry as { kind: string }).kind === "step")).toHaveLength(12);
    const { config, metadata } = readWeights(await readFile(at("old/last.safetensors")));
    expect([config, metadata]).toMatchObject([tiny, { licence: "none", steps: "12" }]);
  });
});

describe("a run is refused", () => {
  /** One line, exit code 1, and nothing of the run changed. */
  async function expectRefusal(run: string, line: string | RegExp): Promise<void> {
    const before = await readFile(at(run, "log.jsonl"));
    const { code, out, err } = await resume(run);
    expect(err).toMatch(line);
    expect(err.trimEnd()).not.toContain("\n");
    expect(err).not.toMatch(/unexpected|undefined|\[object/);
    expect([code, out]).toEqual([1, ""]);
    expect(await readFile(at(run, "log.jsonl"))).toEqual(before);
  }

  it.each([
    ["photograph", "images"],
    ["mask", "masks"],
  ])("whose %s was replaced under its name", async (_, part) => {
    const run = await copy(`replaced-${part}`);
    const path = at("set", part, "b.png");
    const before = await readFile(path);
    const { image, vessels } = smallFundus(77);
    await write(path, part === "images" ? image : vessels);
    try {
      await expectRefusal(
        run,
        /^saunet: replaced-\w+: the photograph b, or its mask, is not what it was when /,
      );
    } finally {
      await writeFile(path, before);
    }
    expect((await resume(run)).code).toBe(0);
  });

  it("that has no checkpoint yet and whose weights were replaced under their name", async () => {
    const run = await copy("other-weights");
    await rm(at(run, "checkpoint.safetensors"));
    const before = await readFile(at("tiny.safetensors"));
    await writeFreshWeights(at("tiny.safetensors"), tiny, 4);
    try {
      await expectRefusal(run, /tiny\.safetensors: is not the file that other-weights was started with\n$/);
    } finally {
      await writeFile(at("tiny.safetensors"), before);
    }
  });

  it.each<[what: string, change: object, line: RegExp]>([
    ["epochs that are none", { epochs: 0 }, /config\.json: epochs: .* but found 0\n$/],
    [
      "epochs that the checkpoint is past",
      { epochs: 1, steps: 2 },
      /checkpoint\.safetensors: the checkpoint is at step \d of a run that has 2\n$/,
    ],
    ["a text for a number", { steps: "3" }, /config\.json: steps: .* but found "3"\n$/],
    ["a half batch", { batch: 1.5 }, /config\.json: batch: .* but found 1\.5\n$/],
    ["a learning rate below 0", { learningRate: -1 }, /config\.json: learningRate: .* but found -1\n$/],
    ["NaN, as JSON has it", { learningRate: null }, /config\.json: learningRate: .* but found null\n$/],
    ["an average that forgets nothing", { averageDecay: 1 }, /config\.json: averageDecay: .* but found 1\n$/],
    [
      "crops of another size",
      { crops: [{ until: 1, side: 15, batch: 1, scale: [1, 1] }] },
      /config\.json: crops: 15 is no multiple of 2\n$/,
    ],
    ["no crops at all", { crops: [] }, /config\.json: crops: .* but found \[\]\n$/],
    [
      "a data set of an unknown kind",
      { sets: [{ dataset: "rite", data: "x" }] },
      /config\.json: sets\.0\.dataset: .* but found "rite"\n$/,
    ],
    [
      "a network of one stage",
      { network: { ...tiny, channels: [8] } },
      /config\.json: network\.channels: .* but found \[8\]\n$/,
    ],
    [
      "another network",
      { network: { ...tiny, channels: [8, 16] } },
      /checkpoint\.safetensors: the checkpoint does not belong to this network: /,
    ],
    ["no network", { network: undefined }, /config\.json: network: is missing\n$/],
    [
      "other photographs",
      { training: ["a", "b"] },
      /the photographs are not those that the run was started with\n$/,
    ],
    ["names that are none", { validation: [{}] }, /config\.json: validation\.0: .* but found \{\}\n$/],
  ])("whose settings were edited: %s", async (what, change, line) => {
    const run = await copy(what.replaceAll(" ", "-"));
    const config = JSON.parse(await readFile(at(run, "config.json"), "utf8"));
    await writeFile(at(run, "config.json"), JSON.stringify({ ...config, ...change }));
    await expectRefusal(run, line);
  });

  it.each<[what: string, text: string, line: RegExp]>([
    ["no JSON", "{", /config\.json: is damaged: it is not JSON\n$/],
    ["a list", "[]", /config\.json: .* but found \[\]\n$/],
    ["null", "null", /config\.json: .* but found null\n$/],
    ["nothing", "", /config\.json: is damaged: it is not JSON\n$/],
  ])("whose settings are %s", async (what, text, line) => {
    const run = await copy(`config-${what.replaceAll(" ", "-")}`);
    await writeFile(at(run, "config.json"), text);
    await expectRefusal(run, line);
  });

  it.each<[what: string, line: string, refusal: RegExp]>([
    ["no JSON", "nonsense", /log\.jsonl: line 2 is no JSON: nonsense\n$/],
    ["null", "null", /log\.jsonl: line 2 is no line of a training log: /],
    [
      "a loss in words",
      '{"kind":"step","epoch":1,"step":2,"loss":"low","learningRate":1}',
      /line 2 .*: loss: .* but found "low"\n$/,
    ],
    [
      "a step below 1",
      '{"kind":"step","epoch":1,"step":-2,"loss":1,"learningRate":1}',
      /line 2 .*: step: .* but found -2\n$/,
    ],
    [
      "a figure above 1",
      '{"kind":"epoch","epoch":1,"step":3,"loss":1,"f1":7,"seconds":1}',
      /line 2 .*: f1: .* but found 7\n$/,
    ],
    [
      "NaN",
      '{"kind":"step","epoch":1,"step":2,"loss":NaN,"learningRate":1}',
      /log\.jsonl: line 2 is no JSON: /,
    ],
  ])("whose log has a line that is %s, and so is its report", async (what, line, refusal) => {
    const run = await copy(`log-${what.replaceAll(" ", "-")}`);
    const [first, , ...rest] = (await readFile(at(run, "log.jsonl"), "utf8")).split("\n");
    await writeFile(at(run, "log.jsonl"), [first, line, ...rest].join("\n"));
    await expectRefusal(run, refusal);
    const { code, err } = await saunet(here, ["report", run]);
    expect([code, err]).toEqual([1, expect.stringMatching(refusal)]);
  });

  /** The checkpoint's metadata, as whoever edits it meets it. */
  type State = { position: { step: unknown }; random: unknown[]; watches: unknown; learningRate: unknown };
  it.each<[what: string, edit: (state: State) => unknown, line: RegExp]>([
    ["no state", () => undefined, /: the file is no checkpoint: it does not say where the run stands\n$/],
    ["a state that is no JSON", () => "{", /: the checkpoint is damaged: its state is not JSON\n$/],
    [
      "a step in words",
      (state) => ({ ...state, position: { ...state.position, step: "one" } }),
      /: the checkpoint is damaged: position\.step must be .* but found "one"\n$/,
    ],
    [
      "a step past the end",
      (state) => ({ ...state, position: { ...state.position, step: 7 } }),
      /: the checkpoint is at step 7 of a run that has 6\n$/,
    ],
    [
      "random numbers that are none",
      (state) => ({ ...state, random: [1, 2, 3, -4] }),
      / random\.3 must be .* but found -4\n$/,
    ],
    [
      "too few random numbers",
      (state) => ({ ...state, random: [1] }),
      / random must be .* but found \[1\]\n$/,
    ],
    [
      "no watch",
      (state) => ({ ...state, watches: {} }),
      /: the checkpoint is damaged: watches\.plateau is missing\n$/,
    ],
    [
      "a learning rate below 0",
      (state) => ({ ...state, learningRate: -1 }),
      / learningRate must be .* but found -1\n$/,
    ],
  ])("whose checkpoint has %s", async (what, edit, line) => {
    const run = await copy(`checkpoint-${what.replaceAll(" ", "-")}`);
    const path = at(run, "checkpoint.safetensors");
    const { tensors, metadata } = readSafetensors(await readFile(path));
    const state = edit(JSON.parse(metadata.state));
    const text = typeof state === "string" ? state : JSON.stringify(state);
    await writeFile(path, writeSafetensors(tensors, text === undefined ? {} : { state: text }));
    await expectRefusal(run, line);
  });

  it("whose checkpoint holds a weight that is no number, or is cut short", async () => {
    const run = await copy("not-finite");
    const path = at(run, "checkpoint.safetensors");
    const bytes = await readFile(path);
    const broken = Buffer.from(bytes);
    broken.writeFloatLE(Number.NaN, broken.length - 4);
    await writeFile(path, broken);
    await expectRefusal(
      run,
      /checkpoint\.safetensors: the checkpoint is damaged: [\w.]+ holds a value that is no number\n$/,
    );
    await writeFile(path, bytes.subarray(0, bytes.length / 2));
    await expectRefusal(run, /checkpoint\.safetensors: safetensors: /);
  });
});
