// A run step by step, over a folder and a validator that are played: what is logged, kept and said, and when it ends.

import { cosine, randomState, readSafetensors } from "@saunet/core";
import { installPreparer, prepareWithKernels } from "@saunet/core/kernels";
import { initialize, type TrainingPosition, type Weights } from "@saunet/model";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Learning, learn, type Outcome } from "./learn.ts";
import type { LogEntry, RunFolder } from "./run-folder.ts";
import { tiny } from "./testing.ts";
import type { Validation, Validator } from "./validation.ts";

const SETTINGS = {
  ...{ recipe: "best", epochs: 2, steps: 2, learningRate: 1e-3, batch: 1 },
  ...{ schedule: "cosine", scale: "auto", select: "f1" },
  crops: [{ until: 1, side: 16, batch: 1, scale: [1, 1] }],
  ...{ sets: [], validateEvery: 1, pictureSize: 48, seed: 1, maxPixels: 1e6 },
} as unknown as Learning["settings"];

interface Played {
  readonly settings?: Partial<Learning["settings"]>;
  /** What each validation finds; without it, no images are kept back. */
  readonly finds?: readonly (Validation | undefined)[];
  /** The start, judged before the first step. */
  readonly startFinds?: Validation;
  readonly isQuiet?: boolean;
  /** Asks the run to end at this step. */
  readonly endAt?: number;
  /** Asks it to end in the middle of each validation. */
  readonly endsInValidation?: boolean;
  /** Where its checkpoint stands. */
  readonly from?: TrainingPosition;
  /** What each step takes, by a clock that otherwise stands still. */
  readonly secondsPerStep?: number;
}

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await installPreparer(undefined);
});

/** Stops the clock, but for so many seconds that each run of a program takes, which is one step here. */
async function takeSeconds(seconds: number): Promise<void> {
  vi.useFakeTimers({ toFake: ["performance"] });
  await installPreparer((program) => {
    const prepared = prepareWithKernels(program);
    const start: typeof prepared.start = (inputs) => {
      vi.advanceTimersByTime(1000 * seconds);
      return prepared.start(inputs);
    };
    return { ...prepared, start };
  });
}

const found = (f1: number, more: Partial<Validation> = {}): Validation => ({ f1, accuracy: 0.9, ...more });

async function run({
  settings = {},
  finds,
  startFinds,
  isQuiet = false,
  endAt,
  endsInValidation = false,
  from,
  secondsPerStep,
}: Played) {
  if (secondsPerStep !== undefined) await takeSeconds(secondsPerStep);
  const rewound: number[] = [];
  const parameters = initialize(tiny, randomState(1));
  const network: Weights = { config: tiny, parameters, metadata: { licence: "MIT" } };
  const controller = new AbortController();
  const interrupt = () => controller.abort({ exitCode: 130, reason: "SIGINT", isSignal: true });
  const [entries, said, saved, notes]: [LogEntry[], string[], string[], string[]] = [[], [], [], []];
  let checkpoint: Uint8Array | undefined;
  let [validations, released] = [0, 0];
  const kept: Record<string, Weights> = {};
  const folder: Partial<RunFolder> = {
    restore: async () => from,
    rewindLog: async (step) => void rewound.push(step),
    log: async (entry) => {
      entries.push(entry);
      if (entry.kind === "step" && entry.step === endAt) interrupt();
    },
    saveWeights: async (kind, weights) => {
      saved.push(`${kind} ${weights.metadata.steps ?? "as it was"}`);
      kept[kind] = weights;
    },
    saveCheckpoint: async (bytes) => {
      checkpoint = bytes;
    },
  };
  const validatorOf = (weights: Weights): Validator | undefined =>
    finds && {
      async validate() {
        if (endsInValidation) interrupt();
        return weights === network ? startFinds : finds[validations++];
      },
      release: () => void released++,
    };
  const outcome = await learn({
    settings: { ...SETTINGS, ...settings },
    network,
    plan: { kind: "synthetic", seed: 1, size: 48 },
    validator: validatorOf,
    run: folder as RunFolder,
    bar: {
      advance: (note) => notes.push(note),
      show() {},
      print: (line) => said.push(line),
      warn() {},
      stop() {},
    },
    isQuiet,
    signal: controller.signal,
  });
  const state = checkpoint && JSON.parse(readSafetensors(checkpoint).metadata.state);
  return { outcome, entries, said, saved, notes, state, released, kept, rewound };
}

const kinds = (entries: readonly LogEntry[]) =>
  entries.map(({ kind, step, epoch }) => `${kind} ${step} of ${epoch}`);
const meanOf = (entries: readonly LogEntry[], epoch: number) => {
  const losses = entries
    .filter((entry) => entry.kind === "step" && entry.epoch === epoch)
    .map(({ loss }) => loss as number);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
};

describe("a run", () => {
  it("logs every step and epoch, keeps the best weights and says how it goes", async () => {
    const { outcome, entries, said, saved, notes, state, released, kept } = await run({
      finds: [found(0.5), found(0.25)],
    });
    expect(kinds(entries)).toEqual([
      "step 1 of 1",
      "step 2 of 1",
      "epoch 2 of 1",
      "step 3 of 2",
      "step 4 of 2",
      "epoch 4 of 2",
    ]);
    expect(entries[2]).toMatchObject({
      f1: 0.5,
      accuracy: 0.9,
      loss: expect.closeTo(meanOf(entries, 1), 12),
    });
    expect(entries[5]).toMatchObject({
      f1: 0.25,
      loss: expect.closeTo(meanOf(entries, 2), 12),
      rss: expect.any(Number),
    });
    expect(saved).toEqual(["best 2", "last 2", "last 4"]);
    expect(kept.best.metadata).toEqual({ licence: "MIT", scale: "auto", recipe: "best", steps: "2" });
    const loss = (epoch: number) => meanOf(entries, epoch).toFixed(4);
    expect(said.map((line) => line.replace(/after .*$/, "after"))).toEqual([
      `epoch 1: loss ${loss(1)}, F1 0.5000 (best so far), after`,
      `epoch 2: loss ${loss(2)}, F1 0.2500, after`,
    ]);
    expect(notes).toHaveLength(4);
    expect(notes[0]).toMatch(/^epoch 1\/2 {2}loss \d\.\d{4} {2}\d+\.\d images\/s {2}\d+\.\d s left$/);
    expect(notes[3]).toMatch(
      /^epoch 2\/2 {2}loss \d\.\d{4} {2}F1 0\.5000 {2}\d+\.\d images\/s {2}0\.0 s left$/,
    );
    const best = { epoch: 1, score: 0.5, f1: 0.5 };
    expect(outcome).toMatchObject({ ending: "finished", steps: 4, best, memory: null });
    expect(outcome).not.toHaveProperty("startF1");
    expect(outcome).not.toHaveProperty("request");
    expect(state.position).toMatchObject({ step: 4, lossSum: 0, best, isFinished: true });
    expect(released).toBe(1);
  });

  it("without images kept back has its last weights for its best, and says no F1", async () => {
    const { outcome, said, saved, notes } = await run({});
    expect([saved, outcome.best]).toEqual([["best 2", "last 2", "best 4", "last 4"], null]);
    expect(said[0]).toMatch(/^epoch 1: loss \d\.\d{4}, after \d/);
    expect(notes[3]).not.toContain("F1");
    expect((await run({ isQuiet: true })).said).toEqual([]);
  });

  it("warms the learning rate up, and ends on its lowest", async () => {
    const { entries } = await run({ settings: { epochs: 1, steps: 8 } });
    const rates = entries.flatMap(({ kind, learningRate }) =>
      kind === "step" ? [learningRate as number] : [],
    );
    expect(Math.max(...rates)).toBeLessThanOrEqual(Math.fround(1e-3));
    expect(rates.slice(1)).toEqual(rates.slice(1).toSorted((a, b) => b - a));
    expect(rates.at(-1)).toBeLessThan(rates[1] / 5);
    // A recipe that follows the validation's loss begins with the rate itself.
    const steady = await run({ settings: { learningRate: 5e-3, schedule: "plateau" }, finds: [found(0.5)] });
    expect(steady.entries[0]).toMatchObject({ step: 1, learningRate: Math.fround(5e-3) });
  });

  it("chooses by the figure that its recipe names; equal ones are no better", async () => {
    const finds = [
      found(0.9, { accuracy: 0.5 }),
      found(0.1, { accuracy: 0.6 }),
      found(0.2, { accuracy: 0.6 }),
    ];
    const { outcome, saved } = await run({ settings: { epochs: 3, steps: 1, select: "accuracy" }, finds });
    expect(outcome.best).toEqual({ epoch: 2, score: 0.6, f1: 0.1 });
    expect(saved).toEqual(["best 1", "last 1", "best 2", "last 2", "last 3"]);
    const { outcome: first } = await run({ settings: { epochs: 1, steps: 1 }, finds: [found(0)] });
    expect(first.best).toEqual({ epoch: 1, score: 0, f1: 0 });
  });

  it("validates every so many epochs, and after the last", async () => {
    const finds = [found(0.5), found(0.6)];
    const { entries, said } = await run({ settings: { epochs: 3, steps: 1, validateEvery: 2 }, finds });
    const epochs = entries.filter(({ kind }) => kind === "epoch");
    expect(epochs.map(({ f1 }) => f1)).toEqual([undefined, 0.5, 0.6]);
    expect(said[0]).not.toContain("F1");
  });

  it("judges the start where the recipe asks for it, whose weights are kept as they are where no epoch is better", async () => {
    const settings = { epochs: 1, steps: 1, judgeStart: true } as const;
    const worse = await run({ settings, finds: [found(0.4)], startFinds: found(0.7) });
    expect(worse.outcome).toMatchObject({ startF1: 0.7, best: { epoch: 0, score: 0.7, f1: 0.7 } });
    expect([worse.saved, worse.said[0], worse.released]).toEqual([
      ["best as it was", "last 1"],
      "before: F1 0.7000",
      2,
    ]);
    const better = await run({ settings, finds: [found(0.8)], startFinds: found(0.7) });
    expect(better.saved).toEqual(["best as it was", "best 1", "last 1"]);
    const quiet = await run({ settings, finds: [found(0.8)], startFinds: found(0.7), isQuiet: true });
    expect(quiet.said).toEqual([]);
    const none = await run({ settings });
    expect(none.outcome).not.toHaveProperty("startF1");
  });

  it("tells what the process holds, and its slope, after four epochs of crops of one size", async () => {
    const memoryOf = async (settings: Played["settings"]): Promise<Outcome["memory"]> =>
      (await run({ settings: { ...settings, steps: 1 } })).outcome.memory;
    const memory = await memoryOf({ epochs: 4 });
    expect(memory?.bytes).toBeGreaterThan(1e7);
    expect(Number.isFinite(memory?.bytesPerStep)).toBe(true);
    expect(await memoryOf({ epochs: 3 })).toBeNull();
    const [crop] = SETTINGS.crops!;
    const growing = [
      { ...crop, until: 0.3 },
      { ...crop, side: 24 },
    ];
    expect(await memoryOf({ epochs: 4, crops: growing })).toBeNull();
  });

  it("draws the line of least squares through what the process held at the ends of epochs but the first", async () => {
    const held = [9e9, 100, 300, 200, 600];
    vi.spyOn(process.memoryUsage, "rss").mockImplementation(() => held.shift() ?? 0);
    const { outcome } = await run({ settings: { epochs: 5, steps: 2 } });
    // Steps 4, 6, 8 and 10, whose mean is 7; the mean of what was held is 300.
    const slope = (-3 * -200 + -1 * 0 + 1 * -100 + 3 * 300) / (9 + 1 + 1 + 9);
    expect(outcome.memory).toEqual({ bytes: 600, bytesPerStep: slope });
  });
});

describe("a run's clock", () => {
  it("tells what each step, each epoch and the whole took, and how long is left", async () => {
    const { outcome, entries, notes, said, state } = await run({ secondsPerStep: 6 });
    const seconds = entries.map((entry) => [entry.kind, entry.seconds]);
    expect(seconds).toEqual([
      ...[
        ["step", 6],
        ["step", 6],
        ["epoch", 12],
      ],
      ...[
        ["step", 6],
        ["step", 6],
        ["epoch", 24],
      ],
    ]);
    // One picture a step.
    const left = ["18.0 s", "12.0 s", "6.0 s", "0.0 s"];
    expect(notes.map((note) => note.split("  ").slice(2))).toEqual(
      left.map((time) => ["0.2 images/s", `${time} left`]),
    );
    expect(said.map((line) => line.split("after ")[1])).toEqual(["12.0 s", "24.0 s"]);
    expect([outcome.seconds, state.position.seconds]).toEqual([24, 24]);
  });

  it("moves the schedule on where minutes run out before steps do, and crops to their later stages", async () => {
    const [crop] = SETTINGS.crops!;
    const crops = [
      { ...crop, until: 0.45 },
      { ...crop, batch: 2 },
    ];
    const settings = { minutes: 1, steps: 1000, epochs: 1, crops };
    const { outcome, entries, notes } = await run({ settings, secondsPerStep: 6 });
    expect(outcome).toMatchObject({ ending: "minutes", steps: 11, seconds: 66 });
    const share = cosine({ total: 1000, warmup: 30 });
    const rates = entries.flatMap(({ kind, learningRate }) => (kind === "step" ? [learningRate] : []));
    expect(rates).toEqual(
      Array.from({ length: 11 }, (_, i) => Math.fround(1e-3 * share(Math.min(100 * i, 1000)))),
    );
    // What the next step is shown is decided when it is made, one step ahead.
    const images = notes.map((note) => 6 * Number(/([\d.]+) images/.exec(note)?.[1]));
    expect(images.map(Math.round)).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  });

  it("goes on from the time that it has taken", async () => {
    const from = { step: 1, seconds: 100, lossSum: 0.5, best: null, isFinished: false };
    const { outcome, rewound, entries } = await run({ from, secondsPerStep: 6 });
    expect([outcome.seconds, outcome.steps, rewound]).toEqual([118, 4, [1]]);
    expect(kinds(entries)[0]).toBe("step 2 of 1");
    expect(entries[1]).toMatchObject({ kind: "epoch", seconds: 106 });
    expect(entries[1].loss).toBeCloseTo((0.5 + (entries[0].loss as number)) / 2, 12);
  });
});

describe("a run that was ended", () => {
  it("at its end does nothing again, and says what it had come to", async () => {
    const best = { epoch: 1, score: 0.5, f1: 0.5 };
    const from = { step: 4, seconds: 33, lossSum: 0, best, isFinished: true };
    const { outcome, entries, saved, rewound } = await run({ from, finds: [found(1)] });
    expect(outcome).toEqual({ ending: "finished", steps: 4, seconds: 33, best, memory: null });
    expect([entries, saved, rewound]).toEqual([[], [], [4]]);
  });

  it("in the middle of a validation ends that epoch again first", async () => {
    const from = { step: 2, seconds: 9, lossSum: 1.5, best: null, isFinished: false };
    const { outcome, entries, saved } = await run({ from, finds: [found(0.5), found(0.6)] });
    expect(kinds(entries)).toEqual(["epoch 2 of 1", "step 3 of 2", "step 4 of 2", "epoch 4 of 2"]);
    expect(entries[0]).toMatchObject({ loss: 0.75, f1: 0.5 });
    expect(saved).toEqual(["best 2", "last 2", "best 4", "last 4"]);
    expect(outcome).toMatchObject({ ending: "finished", steps: 4 });
    // The last one, too: it is the end.
    const last = await run({ from: { ...from, step: 4 }, finds: [found(0.5)] });
    expect(kinds(last.entries)).toEqual(["epoch 4 of 2"]);
    expect(last.state.position.isFinished).toBe(true);
    // After an epoch that had ended, nothing is ended again.
    const ended = await run({ from: { ...from, lossSum: 0 }, finds: [found(0.5)] });
    expect(kinds(ended.entries)[0]).toBe("step 3 of 2");
  });

  it("in the middle of a validation, and is again, does no step in between", async () => {
    const from = { step: 2, seconds: 9, lossSum: 1.5, best: null, isFinished: false };
    const { outcome, entries, state } = await run({ from, finds: [undefined], endsInValidation: true });
    expect([outcome.ending, outcome.steps, entries]).toEqual(["interrupted", 2, []]);
    expect(state.position).toMatchObject({ step: 2, lossSum: 1.5, isFinished: false });
  });

  it("goes on without judging its start again", async () => {
    const from = { step: 2, seconds: 9, lossSum: 0, best: null, isFinished: false };
    const settings = { judgeStart: true } as const;
    const { outcome, saved } = await run({ from, settings, finds: [found(0.5)], startFinds: found(0.9) });
    expect(outcome).not.toHaveProperty("startF1");
    expect(saved[0]).toBe("best 4");
  });
});

describe("the end of a run", () => {
  it("comes after the step at hand where somebody asks for it, with everything saved", async () => {
    const { outcome, entries, saved, state } = await run({ finds: [found(0.5), found(0.6)], endAt: 3 });
    expect(outcome).toMatchObject({ ending: "interrupted", steps: 3, request: { reason: "SIGINT" } });
    expect(kinds(entries).at(-1)).toBe("step 3 of 2");
    expect(saved).toEqual(["best 2", "last 2", "last 3"]);
    expect(state.position).toMatchObject({ step: 3, lossSum: entries.at(-1)!.loss, isFinished: false });
  });

  it("in the middle of a validation leaves the epoch to be ended again", async () => {
    const { outcome, entries, state } = await run({ finds: [undefined], endAt: 2 });
    expect(kinds(entries)).toEqual(["step 1 of 1", "step 2 of 1"]);
    expect(outcome).toMatchObject({ ending: "interrupted", best: null });
    expect(state.position.lossSum).toBeCloseTo(2 * meanOf(entries, 1), 12);
  });

  it("comes when its minutes are over, after a last validation", async () => {
    const { outcome, entries, state } = await run({ settings: { minutes: 1e-7 }, finds: [found(0.5)] });
    expect(outcome).toMatchObject({ ending: "minutes", steps: 1, best: { epoch: 1 } });
    expect(kinds(entries)).toEqual(["step 1 of 1", "epoch 1 of 1"]);
    expect(entries[1].loss).toBe(entries[0].loss);
    expect(state.position.isFinished).toBe(true);
  });

  it("comes early where the loss on images kept back does not fall any more, and the rate is lowered before", async () => {
    const finds = Array.from({ length: 40 }, () => found(0.5, { loss: 1 }));
    const { outcome, entries } = await run({
      settings: { epochs: 40, steps: 1, schedule: "plateau", learningRate: 4e-3 },
      finds,
    });
    expect(outcome.ending).toBe("stopped early");
    expect(outcome.steps).toBeLessThan(40);
    const rates = entries.flatMap(({ kind, learningRate }) =>
      kind === "step" ? [learningRate as number] : [],
    );
    expect(rates.at(-1)).toBeLessThan(rates[0]);
    expect(rates[0]).toBe(Math.fround(4e-3));
    // A recipe whose rate falls by the step goes on to its last.
    expect((await run({ settings: { epochs: 40, steps: 1 }, finds })).outcome).toMatchObject({
      ending: "finished",
      steps: 40,
    });
  });
});
