import {
  adam,
  earlyStopping,
  randomState,
  readSafetensors,
  reduceOnPlateau,
  uniform,
  writeSafetensors,
} from "@saunet/core";
import { describe, expect, it } from "vitest";
import { movingAverage } from "./average.ts";
import {
  checkpointWeights,
  isCheckpointFile,
  readCheckpoint,
  type TrainingState,
  writeCheckpoint,
} from "./checkpoint.ts";
import { type NetworkConfig, saUNetV2, uNet } from "./config.ts";
import { paperLoss } from "./losses.ts";
import { initialize } from "./parameters.ts";
import { train } from "./train.ts";
import { writeWeights } from "./weights.ts";

const tiny: NetworkConfig = { ...saUNetV2, name: "tiny", channels: [8, 8] };

function begin() {
  const parameters = initialize(tiny, randomState(1));
  return { parameters, optimizer: adam(parameters, { learningRate: 2e-3 }), random: randomState(1, 2) };
}

async function lossesOf(state: ReturnType<typeof begin>, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  const nextBatch = (step: number) => {
    const random = randomState(3, step);
    return { x: uniform([1, 16, 16, 3], random), target: uniform([1, 16, 16, 1], random) };
  };
  const run = { config: tiny, ...state, loss: paperLoss(), epochs: 1, stepsPerEpoch: to, firstStep: from };
  for await (const event of train({ ...run, nextBatch })) if (event.kind === "step") losses.push(event.loss);
  return losses;
}

const weightOf = ({ parameters }: TrainingState) => parameters["encoder1.conv1.filter"].data;

describe("checkpoint", () => {
  it("resumes a run bit for bit", async () => {
    const whole = await lossesOf(begin(), 0, 4);
    const first = begin();
    const before = await lossesOf(first, 0, 2);
    const bytes = writeCheckpoint(first, { step: 2 });
    const second = begin();
    second.optimizer.learningRate[0] = 1;
    const { step } = readCheckpoint(bytes, second);
    expect(step).toBe(2);
    expect([...before, ...(await lossesOf(second, step, 4))]).toEqual(whole);
  });

  it("has the same state, character by character, with and without watches that have seen nothing", () => {
    const { parameters, optimizer, random } = begin();
    const watches = {
      plateau: reduceOnPlateau({ factor: 0.5, patience: 1 }).state,
      stopping: earlyStopping({ patience: 1 }).state,
    };
    const position = { step: 2, seconds: 0, lossSum: 0, best: null, isFinished: false };
    const average = movingAverage(parameters, 0).parameters;
    const command = writeCheckpoint({ parameters, average, optimizer, random, watches }, position);
    const page = writeCheckpoint({ parameters, optimizer, random }, { step: 2 });
    expect(Buffer.compare(command, page)).toBe(0);
    expect(readSafetensors(page).metadata).toEqual({
      state:
        '{"position":{"step":2,"seconds":0,"lossSum":0,"best":null,"isFinished":false},"random":[1,1013904242,0,0],' +
        '"watches":{"plateau":{"best":"Infinity","wait":0},"stopping":{"best":"Infinity","wait":0}},' +
        '"learningRate":0.0020000000949949026}',
    });
  });

  it("gives average and watches to whoever keeps them, and the parameters alone to others", () => {
    const { parameters, optimizer, random } = begin();
    const average = movingAverage(parameters, 0.5);
    const kept = { parameters, average: average.parameters, optimizer, random };
    const plateau = { best: 0.25, wait: 3 };
    weightOf(kept)[0] = 7;
    average.parameters["encoder1.conv1.filter"].data[0] = 9;
    const bytes = writeCheckpoint({ ...kept, watches: { plateau } }, { step: 1 });

    const alone = begin();
    readCheckpoint(bytes, alone);
    expect(weightOf(alone)[0]).toBe(7);

    const again = begin();
    const watches = { plateau: { best: Number.POSITIVE_INFINITY, wait: 0 } };
    const state = { ...again, average: movingAverage(again.parameters, 0.5).parameters, watches };
    readCheckpoint(bytes, state);
    expect([weightOf(state)[0], state.average["encoder1.conv1.filter"].data[0]]).toEqual([7, 9]);
    expect(watches.plateau).toEqual(plateau);
  });

  it("is refused by another network, which it leaves as it was, and by a shorter run", () => {
    const small = begin();
    const { "head.bias": _, ...parameters } = small.parameters;
    const state = begin();
    weightOf(state)[0] = 5;
    const refused = () => readCheckpoint(writeCheckpoint({ ...small, parameters }, { step: 2 }), state);
    expect(refused).toThrow(/does not belong to this network: parameters\.head\.bias is missing/);
    expect(() => readCheckpoint(writeCheckpoint(small, { step: 2 }), state, 1)).toThrow(
      "the checkpoint is at step 2 of a run that has 1",
    );
    expect(weightOf(state)[0]).toBe(5);
  });

  it("gives the average as weights, of the network that it names", () => {
    const config: NetworkConfig = { ...uNet, name: "tiny u-net", channels: [4, 8] };
    const parameters = initialize(config, randomState(1));
    const average = movingAverage(parameters, 0.5);
    const state = {
      parameters,
      average: average.parameters,
      optimizer: adam(parameters),
      random: randomState(1),
    };
    weightOf(state)[0] = 7;
    average.parameters["encoder1.conv1.filter"].data[0] = 9;
    const metadata = { scale: "auto", recipe: "own" };
    const bytes = writeCheckpoint({ ...state, network: { config, metadata } }, { step: 3 });
    const weights = checkpointWeights(bytes);
    expect(weights.config).toEqual(config);
    expect(weights.metadata).toEqual(metadata);
    expect(weightOf({ ...state, parameters: weights.parameters })[0]).toBe(9);
    expect(Object.keys(weights.parameters)).toEqual(Object.keys(parameters));
    // What the file says of itself comes first.
    expect(checkpointWeights(bytes, { config: tiny, metadata: {} }).config).toEqual(config);
    expect(readCheckpoint(bytes, state).step).toBe(3);
  });

  it("gives no weights where nobody knows its network, or it is another", () => {
    const bytes = writeCheckpoint(begin(), { step: 2 });
    expect(() => checkpointWeights(bytes)).toThrow("does not say which network it belongs to");
    expect(checkpointWeights(bytes, { config: tiny, metadata: {} }).config).toBe(tiny);
    expect(() => checkpointWeights(bytes, { config: saUNetV2, metadata: {} })).toThrow(/not a sa-unet-v2: /);
    const network = { config: { ...tiny, groups: 0 }, metadata: {} };
    expect(() => checkpointWeights(writeCheckpoint({ ...begin(), network }, { step: 2 }))).toThrow(
      "describes in a way that is not understood which network it belongs to",
    );
    // A description that is not understood is of a network that nobody here knows.
    expect(() =>
      checkpointWeights(writeCheckpoint({ ...begin(), network }, { step: 2 }), {
        config: tiny,
        metadata: {},
      }),
    ).toThrow("describes in a way that is not understood");
    const { parameters } = begin();
    expect(() => checkpointWeights(writeWeights({ config: tiny, parameters, metadata: {} }))).toThrow(
      "the file is no checkpoint",
    );
  });

  it("is told from weights", () => {
    const { parameters, ...state } = begin();
    expect(isCheckpointFile(writeCheckpoint({ parameters, ...state }, { step: 0 }))).toBe(true);
    const weights = writeWeights({ config: tiny, parameters, metadata: {} });
    expect(isCheckpointFile(weights)).toBe(false);
    expect(() => readCheckpoint(weights, { parameters, ...state })).toThrow(
      /does not belong to this network/,
    );
  });
});

/** What each entry of the state may be up to its limits, what it may not be, and how the message says so. */
const ENTRIES: readonly (readonly [
  place: string,
  wanted: string,
  accepted: unknown[],
  refused: unknown[],
])[] = [
  ["position.step", "an integer from 0", [0, 5], [-1, 1.5, "5", null]],
  ["position.seconds", "a number from 0", [0, 0.5], [-0.5, "5", null]],
  ["position.lossSum", "a number", [-0.5, 7], ["Infinity", "7", null]],
  ["position.best", "an object or null", [null], [[], 7, "best"]],
  ["position.best.epoch", "an integer from 0", [0, 3], [-1, 0.5, "3", null]],
  ["position.best.score", "a number", [-1, 0.8], ["0.8", "Infinity", null]],
  ["position.best.f1", "a number", [0, 0.8], ["0.8", "Infinity", null]],
  ["position.isFinished", "true or false", [true, false], [0, "true", null]],
  ["random", "four integers", [[0, 0, 0, 2 ** 32 - 1]], [[], [1, 2, 3], [1, 2, 3, 4, 5], {}, "1234", null]],
  ["random.0", "an integer from 0 to 2^32 - 1", [0, 2 ** 32 - 1], [-1, 2 ** 32, 0.5, null]],
  ["random.3", "an integer from 0 to 2^32 - 1", [0, 2 ** 32 - 1], [-1, 2 ** 32, 0.5, null]],
  ["watches", "an object", [{}], [[], 7, null]],
  ["watches.plateau.best", "a number", [0.5, -1, "Infinity"], ["0.5", null]],
  ["watches.plateau.wait", "an integer from 0", [0, 9], [-1, 0.5, "9", null]],
  ["learningRate", "a number from 0", [0, 0.5], [-0.5, "Infinity", null]],
];

describe("the state in a checkpoint", () => {
  const state = begin();
  const written = writeCheckpoint(state, {
    step: 2,
    seconds: 1,
    best: { epoch: 1, score: 0.7, f1: 0.7 },
  });
  const { tensors, metadata } = readSafetensors(written);
  const saved = metadata.state;

  /** The checkpoint with one place of its state changed; `undefined` leaves it out. */
  function changed(place: string, value: unknown): Uint8Array {
    const record = JSON.parse(saved) as Record<string, unknown>;
    const path = place.split(".");
    const last = path.pop()!;
    const holder = path.reduce((inner, key) => inner[key] as Record<string, unknown>, record);
    holder[last] = value;
    return writeSafetensors(tensors, { state: JSON.stringify(record) });
  }

  it.each(ENTRIES)("%s: %s", (place, wanted, accepted, refused) => {
    for (const value of accepted) {
      expect(() => readCheckpoint(changed(place, value), begin()), JSON.stringify(value)).not.toThrow();
    }
    const fresh = begin();
    fresh.optimizer.learningRate[0] = 0.25;
    const before = structuredClone([weightOf(fresh), fresh.random, fresh.optimizer.learningRate]);
    for (const value of refused) {
      const found = value === "Infinity" ? null : value;
      expect(() => readCheckpoint(changed(place, value), fresh)).toThrow(
        `the checkpoint is damaged: ${place} must be ${wanted} but found ${JSON.stringify(found)}`,
      );
    }
    const missing = /random\./.test(place)
      ? `${place} must be ${wanted} but found null`
      : `${place} is missing`;
    expect(() => readCheckpoint(changed(place, undefined), fresh)).toThrow(
      `the checkpoint is damaged: ${missing}`,
    );
    expect([weightOf(fresh), fresh.random, fresh.optimizer.learningRate]).toEqual(before);
  });

  it("is JSON, says a step that the run has, and has every watch of the run", () => {
    const damaged = writeSafetensors(tensors, { state: "{" });
    expect(() => readCheckpoint(damaged, begin())).toThrow("its state is not JSON");
    expect(() => readCheckpoint(writeSafetensors(tensors, {}), begin())).toThrow(
      "the file is no checkpoint: it does not say where the run stands",
    );
    expect(readCheckpoint(written, begin(), 2).step).toBe(2);
    const watches = { slope: { best: 0, wait: 0 } };
    expect(() => readCheckpoint(written, { ...begin(), watches })).toThrow("watches.slope is missing");
  });

  it("cuts short what a message quotes", () => {
    expect(() => readCheckpoint(changed("learningRate", "9".repeat(99)), begin())).toThrow(/found "9{59}$/);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("comes with numbers, not %d", (value) => {
    const spoilt = begin();
    weightOf(spoilt)[3] = value;
    expect(() => readCheckpoint(writeCheckpoint(spoilt, { step: 1 }), begin())).toThrow(
      "the checkpoint is damaged: parameters.encoder1.conv1.filter holds a value that is no number",
    );
  });
});
