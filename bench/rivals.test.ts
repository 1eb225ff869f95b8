// Contenders of single convolutions, whose processes are played: who is asked for what, and what becomes of the answers.

import { existsSync, readFileSync } from "node:fs";
import { readSafetensors } from "@saunet/core";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ConvolutionFiles } from "./contenders/process.ts";
import type { ConvolutionSpec, KernelName } from "./convolutions/convolution.ts";
import { exchanged } from "./convolutions/layouts.ts";
import { outputsOf } from "./forms.ts";
import { openKernels } from "./kernels.ts";
import { partOf } from "./parts.ts";
import { hasRelaxedSimd } from "./peak.ts";
import type { Row } from "./schema.ts";
import type { Session } from "./session.ts";
import { type Settings, USUAL } from "./settings.ts";
import { readShapeList } from "./shape-files.ts";

interface Loaded {
  readonly name: string;
  readonly threads: number;
  readonly spec: ConvolutionSpec;
  readonly kernel: KernelName;
  readonly calls: number;
  readonly files: ConvolutionFiles | undefined;
}

/** Those whose results have channels before rows. */
const PLANAR = ["onnxruntime-node", "pytorch"];

const played = vi.hoisted(() => ({
  processes: [] as { host: string; seconds: number; hasEnded: boolean; loaded: unknown[] }[],
  answer: (() => {}) as (loaded: unknown, output: Float32Array) => void,
  installed: 0,
}));

vi.mock("./contenders/install.ts", async (original) => ({
  ...(await original<object>()),
  installPeers: () => void played.installed++,
}));

vi.mock("./contenders/process.ts", async (original) => ({
  ...(await original<object>()),
  ContenderProcess: class {
    hasEnded = false;
    readonly loaded: Loaded[] = [];
    readonly seconds: number;
    readonly host: string;
    constructor(seconds: number, host: string) {
      this.seconds = seconds;
      this.host = host;
      played.processes.push(this);
    }
    async loadConvolution(
      ...[name, threads, spec, kernel, calls, files]: [
        ...[string, number, ConvolutionSpec, KernelName, number],
        ConvolutionFiles | undefined,
      ]
    ): Promise<void> {
      this.loaded.push({ name, threads, spec, kernel, calls, files });
      played.answer(this.loaded.at(-1), new Float32Array());
    }
    async output(): Promise<Float32Array> {
      const loaded = this.loaded.at(-1)!;
      const { name, spec, kernel } = loaded;
      const part = partOf(spec, kernel);
      const output = outputsOf(part, part.kernel.reference)[0] as Float32Array;
      played.answer(loaded, output);
      return PLANAR.includes(name)
        ? exchanged(output, spec.N, output.length / spec.N / spec.O, spec.O)
        : output;
    }
    async run(runs: number): Promise<number[]> {
      return Array.from({ length: runs }, () => 16);
    }
    end(): void {
      this.hasEnded = true;
    }
  },
}));

const settings: Settings = {
  ...USUAL,
  ...{ seconds: 0.001, timeout: 7, threads: [1, 2], algorithms: ["direct"] },
  peers: ["onnxruntime-node", "tfjs-wasm", "pytorch"],
  shape: ["9x7x4 -> 6, 3x3", "5x4x3 -> 2, 2x2, stride 2, batch 2, transposed"],
};
const nobody: ReadonlySet<string> = new Set();
let session: Session;
beforeEach(() => {
  Object.assign(played, { processes: [], answer: () => {}, installed: 0 });
});
afterEach(() => session.end());

const called = ({ name, threads }: Row) => `${name}/${threads}`;

it("libraries make the calls that layers are made of, our algorithms all, each on its threads", async () => {
  session = await openKernels(settings);
  const [layer, transposed] = settings.shape;
  expect(session.units).toEqual(
    [layer, transposed].flatMap((shape) =>
      ["forward", "transposed", "filterGradient"].map((kernel) => `${shape} ${kernel}`),
    ),
  );
  const found: Record<string, string[]> = {};
  for (const [unit, title] of session.units.entries()) {
    const rows = await session.measure(unit, nobody);
    for (const row of rows) expect(row).not.toHaveProperty("status");
    found[title] = rows.map((row) => called(row).split(" ").slice(1).join(" "));
  }
  const ours = [
    "typescript/1",
    "accelerated/1",
    "accelerated/2",
    "accelerated direct/1",
    "accelerated direct/2",
  ];
  const libraries = [
    ...["onnxruntime-node/1", "onnxruntime-node/2", "tfjs-wasm/1", "pytorch/1", "pytorch/2"],
  ];
  expect(found).toEqual({
    [`${layer} forward`]: [...ours, ...libraries],
    [`${layer} transposed`]: ours,
    [`${layer} filterGradient`]: ours,
    [`${transposed} forward`]: ours,
    [`${transposed} transposed`]: [...ours, ...libraries],
    [`${transposed} filterGradient`]: ours,
  });
  expect(played.installed).toBe(1);
  // One process each, whatever the number of calls.
  expect(played.processes.map(({ host, seconds }) => [host, seconds])).toEqual(
    [...Array.from({ length: 6 }, () => "node"), "python", "python"].map((host) => [host, 7]),
  );
});

it("a rival's time is that of one of the calls of a run, beside a peak where the code is ours", async () => {
  session = await openKernels(settings);
  const rows = await session.measure(0, nobody);
  const by = Object.fromEntries(rows.map((row) => [called(row), row]));
  for (const threads of [1, 2])
    expect(by[`conv2d.forward accelerated/${threads}`]).toMatchObject({
      ...{ shape: settings.shape[0], flops: 2 * 9 * 7 * 6 * 36, max_abs_diff: expect.any(Number) },
      code: hasRelaxedSimd() ? "fused" : "simd",
    });
  expect(by["conv2d.forward accelerated/2"]).toMatchObject({ median_ms: 2 });
  expect(by["conv2d.forward onnxruntime-node/1"]).toMatchObject({ median_ms: 2, max_abs_diff: 0 });
  expect(by["conv2d.forward onnxruntime-node/1"]).not.toHaveProperty("code");
  // A run of a large convolution makes it less often.
  session.end();
  const shape = ["16x16x64 -> 64, 3x3", "32x32x64 -> 64, 3x3"];
  session = await openKernels({ ...settings, shape, kernels: ["forward"], peers: undefined });
  for (const [unit, median_ms] of [5.333, 16].entries()) {
    const direct = (await session.measure(unit, nobody)).find(({ name }) => name.endsWith("direct"));
    expect(direct).toMatchObject({ median_ms });
  }
});

it("who cannot make the numbers is given them in a file, for as long as it loads", async () => {
  const seen: unknown[] = [];
  let path = "";
  played.answer = (loaded, output) => {
    const { name, files } = loaded as Loaded;
    if (output.length > 0) return;
    if (name !== "pytorch") expect(files).toBe(undefined);
    if (files === undefined) return;
    path = files.operands;
    const { x, w } = readSafetensors(readFileSync(path)).tensors;
    seen.push({ x: x.shape, w: w.shape, pads: files.pads, result: files.result });
  };
  session = await openKernels({
    ...settings,
    threads: [1],
    shape: [...settings.shape, "6x6x4 -> 8, 3x3, groups 2"],
  });
  for (const unit of [0, 4, 6]) await session.measure(unit, nobody);
  expect(seen).toEqual([
    { x: [1, 9, 7, 4], w: [3, 3, 4, 6], pads: [1, 1, 1, 1], result: [9, 7] },
    { x: [2, 5, 4, 3], w: [2, 2, 2, 3], pads: [0, 0, 0, 0], result: [10, 8] },
    { x: [1, 6, 6, 4], w: [3, 3, 2, 8], pads: [1, 1, 1, 1], result: [6, 6] },
  ]);
  expect(existsSync(path)).toBe(false);
});

it("who fails or is wrong has no time, and the others go on; a process that ended is started anew", async () => {
  played.answer = (loaded, output) => {
    const { name, threads, spec } = loaded as Loaded;
    if (spec.stride === 2) return;
    if (name === "onnxruntime-node" && threads === 2) throw new Error("no memory");
    if (name === "pytorch" && threads === 1) output[5] += 1;
    if (name === "tfjs-wasm" && output.length > 0) {
      for (const each of played.processes) if (each.loaded.includes(loaded)) each.hasEnded = true;
      throw new Error("it ended");
    }
  };
  session = await openKernels(settings);
  const failed = { status: "failed" };
  expect(await session.measure(0, new Set(["accelerated direct", "typescript"]))).toEqual([
    expect.objectContaining({
      ...failed,
      name: "conv2d.forward onnxruntime-node",
      threads: 2,
      reason: "no memory",
    }),
    expect.objectContaining({ ...failed, name: "conv2d.forward tfjs-wasm", reason: "it ended" }),
    expect.objectContaining({
      ...{ name: "conv2d.forward pytorch", threads: 1, status: "wrong" },
      reason: expect.stringMatching(/^its result differs by/),
      max_abs_diff: expect.closeTo(1, 5),
    }),
    ...["accelerated", "accelerated", "onnxruntime-node", "pytorch"].map((name) =>
      expect.objectContaining({ name: `conv2d.forward ${name}`, median_ms: expect.any(Number) }),
    ),
  ]);
  const before = played.processes.length;
  const rows = await session.measure(4, new Set(["accelerated direct"]));
  expect(rows.filter((row) => "status" in row)).toEqual([]);
  expect(played.processes.length).toBe(before + 1);
  session.end();
  expect(played.processes.every(({ hasEnded }) => hasEnded)).toBe(true);
});

it("the convolutions are those of the network where none are named", async () => {
  session = await openKernels({ ...settings, shape: [], peers: undefined, kernels: ["forward"] });
  const names = readShapeList("sa-unet-v2-592").map(({ name }) => `${name} forward`);
  expect(session.units).toEqual(names);
});

it("peers and algorithms that there are not are refused, and no peer is installed where none was asked for", async () => {
  await expect(openKernels({ ...settings, peers: ["numpy"] })).rejects.toThrow(
    'unknown peer for kernels "numpy": wants onnxruntime-node, onnxruntime-web, tfjs-wasm, jax-js, pytorch',
  );
  await expect(openKernels({ ...settings, algorithms: ["fft"] })).rejects.toThrow(
    'unknown algorithm "fft": wants fastest, direct, winograd4, winograd6',
  );
  await expect(openKernels({ ...settings, kernels: ["back"] })).rejects.toThrow(
    'unknown kernel "back": wants forward, transposed, filterGradient',
  );
  session = await openKernels({ ...settings, peers: ["onnxruntime-node"], algorithms: undefined });
  expect(played.installed).toBe(0);
  const names = (await session.measure(0, nobody)).map(called);
  expect(names.filter((name) => name.includes("direct"))).toEqual([]);
});
