// The folder of a run: what is written, what is thrown away, and what stops a second process or a run that is edited.

import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adam, randomState } from "@saunet/core";
import { initialize, readWeights, type TrainingState, writeCheckpoint } from "@saunet/model";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { UsageError, WorkError } from "./errors.ts";
import { parseLog } from "./log-entries.ts";
import type { RunConfig } from "./run-config.ts";
import { expectNoRun, filesOfRun, openRun, readConfig, startRun } from "./run-folder.ts";
import { keeper, shortRun, tiny } from "./testing.ts";

/** Files that are listed, and gone by the time that they are looked at. */
const gone = vi.hoisted(() => ({ names: [] as string[] }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const readdir = async (path: string) => [...(await real.readdir(path)), ...gone.names];
  return { ...real, readdir };
});
afterEach(() => {
  gone.names = [];
});

let here: string;
let count = 0;
let run: string;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-folder-"));
});
afterAll(() => rm(here, { recursive: true }));
beforeEach(() => {
  run = `run${count++}`;
});
const at = (name: string) => join(here, run, name);
const host = () => ({ stdout: keeper().stream, stderr: keeper().stream, cwd: here });
const config: RunConfig = {
  ...shortRun,
  ...{ network: tiny, sets: [], training: [], validation: [] },
} as RunConfig;
const start = () => startRun(host(), run, config);
const step = (at: number) => ({ kind: "step", step: at, epoch: 1, loss: 0.5, learningRate: 0.1 }) as const;
const logged = async () =>
  (await readFile(at("log.jsonl"), "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe("a run's folder", () => {
  it("is made with its settings, which are read again, and holds one run", async () => {
    expectNoRun(host(), run);
    const folder = await start();
    expect([folder.folder, folder.hasCheckpoint, folder.files]).toEqual([run, false, filesOfRun(run)]);
    expect(await readConfig(host(), run)).toEqual(config);
    expect(await readFile(at("config.json"), "utf8")).toMatch(/^\{\n {2}"recipe": "best",\n[\s\S]*\}\n$/);
    await folder.close();
    const message = `option '--out <folder>': ${run} holds a training run already; go on with it (--resume ${run}) or choose another folder`;
    expect(() => expectNoRun(host(), run)).toThrow(new UsageError(message));
    await expect(start()).rejects.toThrow(message);
    await expect(readConfig(host(), "nowhere")).rejects.toThrow(
      "option '--resume <folder>': nowhere holds no training run (nowhere/config.json is missing)",
    );
    await writeFile(at("config.json"), "{");
    await expect(readConfig(host(), run)).rejects.toThrow(`${run}/config.json: is damaged: it is not JSON`);
  });

  it("is one process's at a time, also after a failure", async () => {
    const folder = await start();
    await expect(openRun(host(), run)).rejects.toThrow(
      new WorkError(`${run}: process ${process.pid} is working in it; one at a time can`),
    );
    await folder.close();
    // What could not be started leaves no lock.
    await expect(start()).rejects.toThrow(UsageError);
    await (await openRun(host(), run)).close();
    expect(await readFile(at(".lock"), "utf8")).toBe(String(process.pid));
  });

  it("loses what a killed process was writing, and nothing else", async () => {
    await (await start()).close();
    const others = ["notes.tmp", "log.jsonl.txt", "mask.png", "checkpoint.safetensors.tmp.bak"];
    const leftovers = [
      "log.jsonl.12.tmp",
      "best.safetensors.a.tmp",
      "report.html.1.tmp",
      "evaluation.json.1.tmp",
    ];
    for (const name of [...others, ...leftovers]) await writeFile(at(name), "");
    await (await openRun(host(), run)).close();
    expect((await readdir(join(here, run))).toSorted()).toEqual(
      [".lock", "config.json", "log.jsonl", ...others].toSorted(),
    );
  });

  it("does not mind that a report which was being written has got its name meanwhile", async () => {
    await (await start()).close();
    gone.names = ["report.html.7.tmp"];
    const folder = await openRun(host(), run);
    expect(folder.folder).toBe(run);
    await folder.close();
  });

  it("logs a line an entry, and forgets what came after a step", async () => {
    const folder = await start();
    for (const each of [step(1), step(2), { ...step(2), kind: "epoch", seconds: 1 } as const, step(3)])
      await folder.log(each);
    await appendFile(at("log.jsonl"), '{"kind":"note"}\n{"kind":"step","st');
    await folder.rewindLog(2);
    expect(await logged()).toEqual([
      step(1),
      step(2),
      { ...step(2), kind: "epoch", seconds: 1 },
      { kind: "note" },
    ]);
    // What follows goes to the same file.
    await folder.log(step(3));
    expect((await logged()).at(-1)).toEqual(step(3));
    await folder.rewindLog(0);
    expect(await logged()).toEqual([{ kind: "note" }]);
    await folder.close();
  });

  it.each<[string, () => Promise<unknown>]>([
    ["removed", () => rm(at("log.jsonl"))],
    ["moved", () => rename(at("log.jsonl"), at("old.jsonl"))],
    [
      "replaced",
      async () => {
        await rename(at("log.jsonl"), at("old.jsonl"));
        await writeFile(at("log.jsonl"), "");
      },
    ],
  ])("notices a log that was %s", async (_, change) => {
    const folder = await start();
    await folder.log(step(1));
    await change();
    await expect(folder.log(step(2))).rejects.toThrow(
      `${run}/log.jsonl: is gone, or is another file now; somebody removed or moved it during the run`,
    );
    await folder.close();
  });

  it("is whole with the files that every run leaves, and names the first that is gone", async () => {
    const folder = await start();
    const weights = { config: tiny, parameters: initialize(tiny, randomState(1)), metadata: { steps: "7" } };
    await folder.saveWeights("last", weights);
    await folder.saveCheckpoint(new Uint8Array(8));
    folder.expectWhole();
    for (const name of ["last.safetensors", "checkpoint.safetensors", "log.jsonl", "config.json"]) {
      await rename(at(name), at("away"));
      expect(() => folder.expectWhole()).toThrow(
        `${run}/${name}: is gone; somebody removed it during the run`,
      );
      await rename(at("away"), at(name));
    }
    expect(existsSync(at("best.safetensors"))).toBe(false);
    await folder.saveWeights("best", weights);
    expect(readWeights(await readFile(at("best.safetensors"))).config).toEqual(tiny);
    await folder.close();
  });

  it("brings a run back from its checkpoint, where it has one, and tells what its last weights say", async () => {
    const parameters = initialize(tiny, randomState(1));
    const state: TrainingState = { parameters, optimizer: adam(parameters), random: randomState(2) };
    const folder = await start();
    expect([await folder.restore(state, 12), await folder.lastMetadata()]).toEqual([undefined, undefined]);
    await folder.saveCheckpoint(writeCheckpoint(state, { step: 8 }));
    await folder.saveWeights("last", { config: tiny, parameters, metadata: { steps: "8" } });
    await folder.close();
    const again = await openRun(host(), run);
    expect([again.hasCheckpoint, await again.lastMetadata()]).toEqual([true, { steps: "8" }]);
    expect((await again.restore(state, 12))?.step).toBe(8);
    await expect(again.restore(state, 7)).rejects.toThrow(
      `${run}/checkpoint.safetensors: the checkpoint is at step 8 of a run that has 7`,
    );
    await again.close();
  });

  it("is no file, and lies where the command was started", async () => {
    await mkdir(join(here, "files"), { recursive: true });
    await writeFile(join(here, "files", "a"), "");
    await expect(startRun(host(), "files/a", config)).rejects.toThrow(/^files\/a: /);
  });
});

describe("a line of the log", () => {
  const epoch = { kind: "epoch", epoch: 1, step: 2, loss: 0.5, seconds: 3 };
  it.each<[string, unknown]>([
    ["a step", step(1)],
    ["a step whose loss is no number", { ...step(1), loss: null }],
    ["a step with more", { ...step(1), extra: [1] }],
    ["an epoch", epoch],
    ["an epoch with its F1", { ...epoch, f1: 1 }],
    ["an epoch whose F1 is not defined", { ...epoch, f1: null }],
    ["what a newer version logs", { kind: "note" }],
    ["what a newer version logs of a step", { kind: "note", step: 4 }],
  ])("is %s", (_, entry) => {
    const line = JSON.stringify(entry);
    const { kind } = entry as { readonly kind: string };
    expect(parseLog(`\n${line}\n  \n`)).toEqual([{ line, kind: kind === "note" ? "other" : kind, entry }]);
  });

  it.each<[string, unknown, string]>([
    ["no record", 7, "line 2 is no line of a training log: "],
    ["nothing", null, "line 2 is no line of a training log: "],
    ["of no kind", { step: 1 }, "line 2 is no line of a training log: kind: is missing"],
    ["of a step 0", step(0), "line 2 is no line of a training log: step: "],
    ["of half a step", step(1.5), "line 2 is no line of a training log: step: "],
    ["of an epoch 0", { ...step(1), epoch: 0 }, "line 2 is no line of a training log: epoch: "],
    [
      "of a negative rate",
      { ...step(1), learningRate: -0.1 },
      "line 2 is no line of a training log: learningRate: ",
    ],
    ["of a loss in words", { ...step(1), loss: "0.5" }, "line 2 is no line of a training log: loss: "],
    ["of an F1 above 1", { ...epoch, f1: 1.1 }, "line 2 is no line of a training log: f1: "],
    ["of an F1 below 0", { ...epoch, f1: -0.1 }, "line 2 is no line of a training log: f1: "],
    ["of negative seconds", { ...epoch, seconds: -1 }, "line 2 is no line of a training log: seconds: "],
  ])("is refused: %s", (_, entry, message) => {
    expect(() => parseLog(`${JSON.stringify(step(1))}\n${JSON.stringify(entry)}\n`)).toThrow(message);
  });

  it("that is no JSON is told by its beginning, and one without its end is left out", () => {
    expect(() => parseLog(`{"kind": ${"x".repeat(99)}\n`)).toThrow(
      new WorkError(`line 1 is no JSON: {"kind": ${"x".repeat(31)}`),
    );
    expect(parseLog(`${JSON.stringify(step(1))}\n{"kind`)).toHaveLength(1);
    expect(parseLog('{"kind"')).toEqual([]);
  });
});
