// What a resumed run takes from its checkpoint, piece by piece: each is changed in the file to what the run could not have by
// itself, and the run must go on from there.

import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { readSafetensors, writeSafetensors } from "@saunet/core";
import type { TrainingPosition } from "@saunet/model";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Host } from "../output.ts";
import { losses, saunet, writeFolder, writeFreshWeights } from "../testing.ts";

// What a checkpoint holds is the same whatever computes; train.test.ts resumes with the generated kernels.
vi.mock("@saunet/wasm", async (original) => (await import("../testing-engine.ts")).portableEngine(original));

/** The state in a checkpoint's metadata. */
interface State {
  readonly position: TrainingPosition;
  readonly random: readonly number[];
  readonly watches: Readonly<Record<string, { readonly best: number; readonly wait: number }>>;
  readonly learningRate: number;
}

/** One picture to train on: 13 for `paper`, in two batches. */
const SETTINGS = ["--dataset", "folder", "--data", "set", "--weights", "tiny.safetensors", "--no-report"];
const RECIPES: Readonly<Record<string, readonly string[]>> = {
  paper: ["--recipe", "paper", "--epochs", "3"],
  best: ["--crop", "16", "--batch", "2", "--epochs", "3", "--steps", "2", "--minutes", "60"],
};

let here: string;
const at = (...names: string[]) => join(here, ...names);
const train = (run: string, recipe: string, host?: Partial<Host>) =>
  saunet(here, ["train", "-o", run, ...SETTINGS, ...RECIPES[recipe]], host);

/** A copy of a run that was interrupted after three of six steps, its state changed. */
async function edited(recipe: string, name: string, change: (state: State) => object): Promise<string> {
  const run = `${recipe}-${name}`;
  await cp(at(`half-${recipe}`), at(run), { recursive: true });
  const path = at(run, "checkpoint.safetensors");
  const { tensors, metadata } = readSafetensors(await readFile(path));
  const state = JSON.parse(metadata.state);
  const text = JSON.stringify({ ...state, ...change(state) });
  await writeFile(path, writeSafetensors(tensors, { ...metadata, state: text }));
  return run;
}

async function resume(run: string) {
  const { code, out, err } = await saunet(here, ["train", "--resume", run, "--json"]);
  expect([code, err]).toEqual([0, ""]);
  const log = (await losses(at(run))) as { kind: string; step: number; learningRate: number }[];
  return { outcome: JSON.parse(out), steps: log.filter(({ kind }) => kind === "step"), log };
}

beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), "saunet-resume-"));
  await writeFreshWeights(at("tiny.safetensors"));
  await writeFolder(at("set"), ["a", "b"]);
  for (const recipe of Object.keys(RECIPES)) {
    expect((await train(`whole-${recipe}`, recipe)).code).toBe(0);
    // Ctrl-C at once when the progress bar is at the third step.
    let ask = () => {};
    const stderr = new Writable({
      write(text, _encoding, done) {
        if (String(text).includes(" 3/6 ")) ask();
        done();
      },
    });
    const host: Partial<Host> = {
      stderr: Object.assign(stderr, { isTTY: true, columns: 200 }),
      onEndRequest(listener) {
        ask = () => listener({ exitCode: 130, reason: "SIGINT", isSignal: true });
        return () => {};
      },
    };
    expect((await train(`half-${recipe}`, recipe, host)).code).toBe(130);
    expect(await losses(at(`half-${recipe}`))).toHaveLength(4);
  }
});
afterAll(() => rm(here, { recursive: true }));

describe.each(Object.keys(RECIPES))("a run of the recipe %s goes on", (recipe) => {
  it("to the end of one that nobody interrupted, though it was killed after it had logged more than it saved", async () => {
    const run = await edited(recipe, "killed", () => ({}));
    const last = '{"kind":"step","epoch":2,"step":4,"loss":0.123,"learningRate":0.1,"seconds":1}\n';
    await appendFile(at(run, "log.jsonl"), `${last}{"kind":"step","ep`);
    const { log } = await resume(run);
    expect(log).toEqual(await losses(at(`whole-${recipe}`)));
    for (const file of ["last.safetensors", "best.safetensors"])
      expect(await readFile(at(run, file))).toEqual(await readFile(at(`whole-${recipe}`, file)));
  });

  it("with the time that it has taken", async () => {
    const run = await edited(recipe, "time", ({ position }) => ({
      position: { ...position, seconds: 7200 },
    }));
    const config = JSON.parse(await readFile(at(run, "config.json"), "utf8"));
    await writeFile(at(run, "config.json"), JSON.stringify({ ...config, minutes: 60 }));
    const { outcome } = await resume(run);
    expect(outcome).toMatchObject({ ending: "minutes", steps: 4 });
    expect(outcome.seconds).toBeGreaterThan(7200);
  });

  it("with the best weights so far, which no later epoch replaces unless it is better", async () => {
    const best = { epoch: 1, score: 2, f1: 0.5 };
    const run = await edited(recipe, "best", ({ position }) => ({ position: { ...position, best } }));
    const before = await readFile(at(run, "best.safetensors"));
    expect((await resume(run)).outcome.best).toEqual(best);
    expect(await readFile(at(run, "best.safetensors"))).toEqual(before);
  });

  it("with the first of two that are equally good", async () => {
    const { select } = JSON.parse(await readFile(at(`half-${recipe}`, "config.json"), "utf8"));
    const whole = (await losses(at(`whole-${recipe}`))) as Readonly<Record<string, number>>[];
    const score = Math.max(...whole.slice(4).map((entry) => entry[select] ?? 0));
    const best = { epoch: 1, score, f1: 0.5 };
    const run = await edited(recipe, "tie", ({ position }) => ({ position: { ...position, best } }));
    expect((await resume(run)).outcome.best).toEqual(best);
  });
});

describe("a run whose schedule follows the validation's loss goes on", () => {
  it("with its learning rate", async () => {
    const run = await edited("paper", "rate", () => ({ learningRate: 2e-5 }));
    const { steps } = await resume(run);
    expect(steps.map(({ learningRate }) => learningRate)).toEqual(
      [1e-3, 1e-3, 1e-3, 2e-5, 2e-5, 2e-5].map(Math.fround),
    );
  });

  it("with the epochs that the plateau has lasted: the next one without progress halves the rate", async () => {
    const run = await edited("paper", "plateau", ({ watches }) => ({
      watches: { ...watches, plateau: { best: 0, wait: 9 } },
    }));
    const { steps } = await resume(run);
    expect(steps.map(({ learningRate }) => learningRate)).toEqual(
      [1e-3, 1e-3, 1e-3, 1e-3, 5e-4, 5e-4].map(Math.fround),
    );
  });

  it("with the epochs that it has waited for progress: the next one without is the last", async () => {
    const run = await edited("paper", "stopping", ({ watches }) => ({
      watches: { ...watches, stopping: { best: 0, wait: 19 } },
    }));
    expect((await resume(run)).outcome).toMatchObject({ ending: "stopped early", steps: 4 });
  });
});
