import { matmul, tensor } from "@saunet/core";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { expect, it, vi } from "vitest";
import { type Entrant, raceProducts } from "./matmul.ts";
import { onnxModel } from "./onnx.ts";
import { makeFactors, nameOfShape, readFactors, writeFactors } from "./products/product.ts";

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

it("names products by their sizes, and keeps their factors", () => {
  expect(nameOfShape({ batch: 1, m: 64, k: 64, n: 64 })).toBe("64");
  expect(nameOfShape({ batch: 2, m: 8, k: 8, n: 8 })).toBe("2x8x8x8");
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
