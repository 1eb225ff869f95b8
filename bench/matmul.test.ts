import { readFileSync } from "node:fs";
import { matmul, tensor } from "@saunet/core";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Entrant, openProducts, raceProducts } from "./matmul.ts";
import { onnxModel } from "./onnx.ts";
import { flopsOf, makeFactors, nameOfShape, readFactors, writeFactors } from "./products/product.ts";
import { type Settings, USUAL } from "./settings.ts";

const played = vi.hoisted(() => ({ alive: 0, installed: 0, seconds: [] as number[] }));

vi.mock("node:timers/promises", () => ({ setTimeout: async () => {} }));
vi.mock("./contenders/install.ts", async (original) => ({
  ...(await original<object>()),
  installPeers: () => void played.installed++,
}));
vi.mock("./contenders/process.ts", async (original) => ({
  ...(await original<object>()),
  ContenderProcess: class {
    #loaded: readonly [name: string, threads: number, inputs: string, calls: number] | undefined;
    constructor(seconds: number) {
      played.alive++;
      played.seconds.push(seconds);
    }
    async loadProduct(...loaded: [string, number, string, number]) {
      this.#loaded = loaded;
    }
    async output() {
      const [name, , inputs] = this.#loaded!;
      const { a, b } = readFactors(readFileSync(inputs));
      return matmul(a, b).data.map((value) => (name === "tfjs-wasm" ? -value : value));
    }
    async run(runs: number) {
      const [, threads, , calls] = this.#loaded!;
      return Array.from({ length: runs }, () => (12 * calls) / threads);
    }
    end() {
      played.alive--;
    }
  },
}));

const shape = { batch: 1, m: 5, k: 40, n: 7 };
const effort = { seconds: 0.01, minRuns: 2, maxRuns: 4 };

/** One who answers with so many times the largest element too much in one place. */
function entrant(name: string, wanted: Float32Array, error: number) {
  const output = wanted.slice();
  output[17] += error * Math.max(...wanted.map(Math.abs));
  const run = vi.fn(async (runs: number) => Array.from({ length: runs }, () => 2));
  return { name, threads: 1, load: async () => {}, output: async () => output, run } satisfies Entrant;
}

it("times whoever is right, and no one who is wrong in a single element", async () => {
  const { a, b } = makeFactors(shape);
  // The measure is the size of the results: small ones are held to as much.
  const wanted = matmul(a, b).data.map((value) => value / 1000);
  const [right, wrong] = [entrant("right", wanted, 1e-5), entrant("wrong", wanted, 4e-4)];
  const none = entrant("none", wanted, Number.NaN);
  const rows = await raceProducts(shape, [right, wrong, none], wanted, effort);
  expect(rows).toHaveLength(3);
  expect(rows.find(({ name }) => name === "wrong")).toMatchObject({
    status: "wrong",
    reason: "its result differs by 4.0e-4 of the largest element, more than 0.0002",
  });
  expect(rows.find(({ name }) => name === "none")).toMatchObject({ status: "wrong" });
  expect([wrong, none].map(({ run }) => run.mock.calls.length)).toEqual([0, 0]);
  const calls = Math.round(2e7 / (2 * 5 * 40 * 7));
  expect(rows.find(({ name }) => name === "right")).toMatchObject({
    shape: "5x40x7",
    median_ms: Number((2 / calls).toPrecision(4)),
  });
});

it("tells of who does not start", async () => {
  const wanted = matmul(...(Object.values(makeFactors(shape)) as [never, never])).data;
  const broken = {
    ...entrant("broken", wanted, 0),
    load: () => Promise.reject(new Error("has no backend")),
  };
  expect(await raceProducts(shape, [broken], wanted, effort)).toEqual([
    {
      ...{ shape: "5x40x7", geometry: shape, name: "broken", threads: 1 },
      ...{ status: "failed", reason: "has no backend" },
    },
  ]);
});

describe("the bench", () => {
  const settings: Settings = { ...USUAL, seconds: 0.001, timeout: 9 };
  const nobody: ReadonlySet<string> = new Set();
  beforeEach(() => void Object.assign(played, { alive: 0, installed: 0, seconds: [] }));

  const measured = async (more: Partial<Settings>, name: string, without = nobody) => {
    const { units, measure, end } = await openProducts({ ...settings, ...more });
    const rows = await measure(units.indexOf(name), without);
    expect(played.alive).toBeGreaterThan(0);
    end();
    expect(played.alive).toBe(0);
    return { units, rows, called: rows.map((row) => `${row.name}/${row.threads}`) };
  };

  it("has large and small, odd and batched products, fewer and without most peers in the short run", async () => {
    const short = await measured({ quick: true }, "64x32x32x32");
    expect(short.units).toEqual(["64", "256", "1024", "64x32x32x32"]);
    const [ours, native] = ["saunet", "onnxruntime-node"].map((name) => [`${name}/1`, `${name}/2`]);
    expect(short.called).toEqual([...ours, ...native, "jax-js/1"]);
    expect(played.installed).toBe(1);
    const whole = await measured({}, "65");
    expect(whole.units).toEqual([
      ...["64", "128", "256", "512", "1024", "2048", "65", "255", "1021"],
      ...["1000x333x77", "1x1024x1024", "64x32x32x32", "512x16x16x16", "16x100x100x100"],
    ]);
    const web = ["onnxruntime-web/1", "onnxruntime-web/2"];
    expect(whole.called.toSorted()).toEqual(
      ["saunet-typescript/1", ...ours, ...native, ...web, "tfjs-wasm/1", "jax-js/1"].toSorted(),
    );
    expect(new Set(played.seconds)).toEqual(new Set([9]));
  });

  it("has the peers that are named beside ours, each with its time for one call, or why it has none", async () => {
    const { rows, called } = await measured({ peers: ["tfjs-wasm"] }, "65");
    expect(called).toEqual(["tfjs-wasm/1", "saunet/1", "saunet/2"]);
    expect(rows).toMatchObject([
      { status: "wrong" },
      {
        median_ms: 12,
        size: 65,
        shape: "65",
        geometry: { batch: 1, m: 65, k: 65, n: 65 },
        flops: 2 * 65 ** 3,
      },
      { median_ms: 6, max_abs_diff: 0 },
    ]);
    await expect(openProducts({ ...settings, peers: ["numpy"] })).rejects.toThrow(
      'unknown peer for matmul "numpy": wants saunet-typescript, saunet, onnxruntime-node',
    );
  });

  it("installs nothing where nobody wants it, gives plain TypeScript small products, leaves out who hung", async () => {
    const peers = ["saunet-typescript", "onnxruntime-node"];
    const small = await measured({ peers }, "255", new Set(["saunet"]));
    expect(small.called).toEqual(["saunet-typescript/1", "onnxruntime-node/1", "onnxruntime-node/2"]);
    const large = await measured({ peers }, "512", new Set(["saunet"]));
    expect(large.called).toEqual(["onnxruntime-node/1", "onnxruntime-node/2"]);
    expect(played.installed).toBe(0);
  });
});

it("names products by their sizes, counts two FLOPs a term, and keeps their factors", () => {
  for (const [batch, m, k, n, name] of [
    [1, 64, 64, 64, "64"],
    [2, 8, 8, 8, "2x8x8x8"],
    [1, 3, 4, 5, "3x4x5"],
    [1, 4, 4, 5, "4x4x5"],
    [1, 3, 4, 4, "3x4x4"],
  ] as const) {
    expect(nameOfShape({ batch, m, k, n })).toBe(name);
    expect(flopsOf({ batch, m, k, n })).toBe(2 * batch * m * k * n);
  }
  const factors = makeFactors({ batch: 2, m: 3, k: 4, n: 5 });
  const again = readFactors(writeFactors(factors));
  expect(again.a.shape).toEqual([2, 3, 4]);
  expect(again.b.data).toEqual(factors.b.data);
});

it("has an ONNX file that multiplies", async () => {
  const session = await InferenceSession.create(onnxModel({ operator: "MatMul", inputs: ["a", "b"] }));
  const [a, b] = [
    tensor([
      [1, 2],
      [3, 4],
    ]),
    tensor([[5], [6]]),
  ];
  const feeds = {
    a: new OrtTensor("float32", a.data, a.shape),
    b: new OrtTensor("float32", b.data, b.shape),
  };
  const { y } = await session.run(feeds);
  expect([...(y.data as Float32Array)]).toEqual([17, 39]);
  expect(y.dims).toEqual([2, 1]);
});
