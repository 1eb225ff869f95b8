// By itself: a process is accelerated once.

import * as wasm from "@saunet/wasm";
import { afterAll, expect, it, vi } from "vitest";
import { productContenders } from "./contenders.ts";
import { makeFactors } from "./product.ts";

vi.mock("@saunet/wasm", async (original) => {
  const module = await original<typeof wasm>();
  return { ...module, accelerate: vi.fn(module.accelerate) };
});
afterAll(wasm.restore);

const accelerate = vi.mocked(wasm.accelerate);

it("ours is accelerated once, on as many threads as it is told, or says why it is not", async () => {
  const factors = makeFactors({ batch: 1, m: 3, k: 4, n: 5 });
  const { prepare } = productContenders.find(({ name }) => name === "saunet")!;
  const report = { threads: 1, kernels: ["matmul"], relaxed: false, reasons: ["no threads", "no luck"] };
  const none = { ...report, kernels: [], reasons: ["no WebAssembly"] };
  accelerate.mockResolvedValueOnce(report as never).mockResolvedValueOnce(none as never);
  await expect(prepare(factors, 2)).rejects.toThrow("no threads; no luck");
  await expect(prepare(factors, 1)).rejects.toThrow("no WebAssembly");
  accelerate.mockClear();
  for (let i = 0; i < 2; i++) await prepare(factors, 1);
  expect(accelerate.mock.calls).toEqual([[{ threads: 1, resident: true }]]);
});
