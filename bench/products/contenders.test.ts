import { matmul } from "@saunet/core";
import * as wasm from "@saunet/wasm";
import { afterAll, expect, it, vi } from "vitest";
import { alive } from "../contenders/testing.ts";
import { errorOfOutputs, TOLERANCE } from "../verify.ts";
import { productContenders } from "./contenders.ts";
import { makeFactors } from "./product.ts";

vi.mock("../contenders/install.ts", async () => ({
  loadPeer: (await import("../contenders/testing.ts")).playedPeer,
}));
vi.mock("@saunet/wasm", async (original) => {
  const module = await original<typeof wasm>();
  return { ...module, accelerate: vi.fn(module.accelerate) };
});
afterAll(wasm.restore);

const named = (name: string) => productContenders.find((contender) => contender.name === name)!;
const accelerate = vi.mocked(wasm.accelerate);

it("ours is accelerated once, on as many threads as it is told, or says why it is not", async () => {
  const factors = makeFactors({ batch: 1, m: 3, k: 4, n: 5 });
  const { prepare } = named("saunet");
  const report = { threads: 1, kernels: ["matmul"], relaxed: false, reasons: ["no threads", "no luck"] };
  const none = { ...report, kernels: [], reasons: ["no WebAssembly"] };
  accelerate.mockResolvedValueOnce(report as never).mockResolvedValueOnce(none as never);
  await expect(prepare(factors, 2)).rejects.toThrow("no threads; no luck");
  await expect(prepare(factors, 1)).rejects.toThrow("no WebAssembly");
  accelerate.mockClear();
  for (let i = 0; i < 2; i++) await prepare(factors, 1);
  expect(accelerate.mock.calls).toEqual([[{ threads: 1, resident: true }]]);
});

it.each(productContenders)("$name multiplies, as often as it is asked to", async ({ prepare }) => {
  for (const shape of [
    { batch: 1, m: 5, k: 40, n: 7 },
    { batch: 3, m: 4, k: 6, n: 8 },
  ]) {
    const factors = makeFactors(shape);
    const wanted = matmul(factors.a, factors.b).data;
    const run = await prepare(factors, 1);
    const before = alive.size;
    for (let i = 0; i < 3; i++)
      expect(errorOfOutputs([await run()], [wanted.slice()])).toBeLessThan(TOLERANCE);
    expect(alive.size).toBe(before);
  }
});
