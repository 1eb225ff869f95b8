// A race over contenders that are played: who takes part, who is right, and what is told of each.

import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { onnxruntimeNode } from "./contenders/onnxruntime.ts";
import type { ContenderFiles } from "./contenders/process.ts";
import { typescriptModel } from "./contenders/saunet.ts";
import { readInputs } from "./inputs.ts";
import { openModel, openSizes, openTrain, whyWrongNetwork } from "./race.ts";
import { USUAL } from "./settings.ts";

/** How a contender behaves: what its run gives, by how much it is off, why it fails. */
interface Played {
  readonly off?: number;
  readonly fails?: string;
  readonly isAbsent?: boolean;
  readonly ms?: number;
  readonly breaks?: boolean;
  readonly gradient?: number;
}

const played = vi.hoisted(() => ({
  by: {} as Record<string, object>,
  alive: 0,
  loaded: [] as string[],
  installed: 0,
  files: [] as ContenderFiles[],
}));

vi.mock("node:timers/promises", () => ({ setTimeout: async () => {} }));
vi.mock("./contenders/install.ts", () => ({ installPeers: () => void played.installed++ }));
vi.mock("./contenders/process.ts", () => {
  class ContenderError extends Error {
    readonly notInstalled: boolean;
    constructor(reason: string, notInstalled = false) {
      super(reason);
      this.notInstalled = notInstalled;
    }
  }
  class ContenderProcess {
    #own: Played = {};
    #outputs = 0;
    #isAlive = true;
    constructor() {
      played.alive++;
    }
    async load(name: string, threads: number, discipline: string, files: ContenderFiles) {
      played.files.push(files);
      played.loaded.push(`${name}/${threads} ${discipline}`);
      this.#own = played.by[name] ?? {};
      const { fails, isAbsent = false } = this.#own;
      if (fails !== undefined) throw new ContenderError(fails, isAbsent);
      return name === "onnxruntime-node" ? "1.2.3" : undefined;
    }
    async output() {
      const at = 0.5 - 0.1 * this.#outputs++;
      return Float32Array.of(at + (this.#own.off ?? 0), 0.25);
    }
    async moments() {
      return [Float32Array.of(this.#own.gradient ?? 1, 2)];
    }
    async run(runs: number) {
      if (this.#own.breaks) throw new Error("it ran out of memory");
      return Array<number>(runs).fill(this.#own.ms ?? 500);
    }
    async peakRssMb() {
      return 123.4;
    }
    end() {
      if (this.#isAlive) played.alive--;
      this.#isAlive = false;
    }
  }
  return { ContenderError, ContenderProcess };
});

const settings = { ...USUAL, quick: true, seconds: 0.001, size: [32, 40] as const };
const nobody: ReadonlySet<string> = new Set();

beforeEach(() => {
  Object.assign(played, { by: {}, alive: 0, loaded: [], installed: 0, files: [] });
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => void vi.restoreAllMocks());

it("has ours and the peers of the short run take part, the reference first, a row for each number of threads", async () => {
  const { units, input, about, measure } = await openModel(settings);
  expect([units, input]).toEqual([["model 32x40"], [32, 40, 3]]);
  expect(about).toContain("synthetic photograph");
  const rows = await measure(0, nobody);
  expect(rows.map(({ name, threads }) => `${name}/${threads}`)).toEqual([
    "saunet-typescript/1",
    ...["saunet/1", "saunet/2", "saunet-plain/1", "saunet-plain/2", "saunet-eager/1", "saunet-eager/2"],
    ...["onnxruntime-node/1", "onnxruntime-node/2"],
  ]);
  expect(rows[0]).toMatchObject({ median_ms: 500, max_abs_diff: null, peak_rss_mb: 123, runs: 3 });
  expect(rows[1]).toMatchObject({ max_abs_diff: 0 });
  expect(rows.map((row) => "version" in row)).toEqual(rows.map(({ name }) => name === "onnxruntime-node"));
  expect([played.alive, played.installed]).toEqual([0, 0]);
});

it("gives all of them one photograph, the weights and the network as a file", async () => {
  const { measure } = await openModel(settings);
  await measure(0, nobody);
  expect(played.files).toHaveLength(9);
  expect(new Set(played.files.map((files) => JSON.stringify(files))).size).toBe(1);
  const [{ inputs, onnx }] = played.files;
  const job = { ...readInputs(readFileSync(inputs), "model"), onnx, threads: 1 };
  expect([job.image.shape, job.target.shape]).toEqual([
    [1, 32, 40, 3],
    [1, 32, 40, 1],
  ]);
  const [ours, theirs] = [await typescriptModel(job), await onnxruntimeNode(job)];
  expect(whyWrongNetwork(await theirs(), await ours())).toBe(undefined);
});

it("asks for peers by name beside ours, and installs what is not there", async () => {
  const session = await openModel({ ...settings, peers: ["tfjs-cpu"] });
  const rows = await session.measure(0, new Set(["saunet"]));
  expect(rows.map(({ name }) => name)).toEqual(["saunet-typescript", "tfjs-cpu"]);
  expect(played.installed).toBe(1);
  await expect(openModel({ ...settings, peers: ["nobody"] })).rejects.toThrow(/nobody/);
  // What only trains elsewhere cannot be asked to train here.
  await expect(openTrain({ ...settings, peers: ["onnxruntime-node"] })).rejects.toThrow(/onnxruntime-node/);
});

it("times no one who is wrong, absent, broken, and tells each for what it is", async () => {
  played.by = {
    saunet: { off: 0.05 },
    "saunet-plain": { fails: "no package of that name", isAbsent: true },
    "saunet-eager": { fails: "no memory" },
    "onnxruntime-node": { breaks: true },
  };
  const { measure } = await openModel(settings);
  const rows = await measure(0, nobody);
  expect(rows.filter(({ threads }) => threads === 1)).toMatchObject([
    { name: "saunet-typescript", median_ms: 500 },
    {
      status: "wrong",
      reason: expect.stringMatching(/^its output differs by 5\.0e-2, /),
      max_abs_diff: expect.closeTo(0.05, 6),
    },
    { status: "not installed", reason: "no package of that name" },
    { status: "failed", reason: "no memory" },
    { status: "failed", reason: "it ran out of memory" },
  ]);
  expect(played.alive).toBe(0);
});

it("has nothing to compare with where the reference fails, and says so of everybody", async () => {
  played.by = { "saunet-typescript": { fails: "no memory" } };
  const { measure } = await openModel(settings);
  const rows = await measure(0, nobody);
  expect(rows.map((row) => "reason" in row && row.reason)).toEqual([
    "no memory",
    ...Array(8).fill("saunet-typescript failed, so there is nothing to compare with"),
  ]);
  expect(played.alive).toBe(0);
});

it("compares of training two losses and the gradients, and counts three times the network's FLOPs", async () => {
  const { units, measure } = await openTrain(settings);
  expect(units).toEqual(["train 32x40"]);
  const rows = await measure(0, nobody);
  const { measure: ofModel } = await openModel(settings);
  const [model] = await ofModel(0, nobody);
  expect(rows[0]).toMatchObject({ flops: 3 * ("flops" in model ? model.flops! : 0) });
  expect(played.loaded.slice(0, 2)).toEqual(["saunet-typescript/1 train", "saunet/1 train"]);
  played.by = { saunet: { gradient: 1.5 } };
  expect(await measure(0, nobody)).toContainEqual(
    expect.objectContaining({
      name: "saunet",
      status: "wrong",
      reason: expect.stringMatching(/^a gradient differs/),
    }),
  );
});

it("measures sizes one by one, those of the short run where no peer is named", async () => {
  const session = await openSizes(settings);
  expect(session.units).toEqual(["256x256", "384x384", "512x512", "704x704", "896x896"]);
  expect(session.input).toBeUndefined();
  const rows = await session.measure(0, new Set(["onnxruntime-node"]));
  expect(new Set(rows.map(({ shape }) => shape))).toEqual(new Set(["256x256"]));
});

it("ends its contenders where a person stops it", async () => {
  let stop = () => {};
  const session = await openModel(settings);
  played.by = {
    get saunet() {
      stop();
      return {};
    },
  };
  stop = () => session.end();
  await session.measure(0, nobody);
  expect(played.alive).toBe(0);
});
