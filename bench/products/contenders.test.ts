import { matmul } from "@saunet/core";
import { restore } from "@saunet/wasm";
import { afterAll, expect, it, vi } from "vitest";
import { alive } from "../contenders/testing.ts";
import { errorOfOutputs, TOLERANCE } from "../verify.ts";
import { productContenders } from "./contenders.ts";
import { makeFactors } from "./product.ts";

vi.mock("../contenders/install.ts", async () => ({
  loadPeer: (await import("../contenders/testing.ts")).playedPeer,
}));
afterAll(restore);

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
